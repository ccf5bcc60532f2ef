"""YAML as far as a settings file needs it."""

from __future__ import annotations

from typing import Any

import yaml


class _PlainLoader(yaml.SafeLoader):
    """Refuses what no settings need.

    References to earlier parts, by which a few lines can stand for billions, and characters that
    neither text nor names of files can hold.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise ValueError("anchors and aliases are not allowed; write the value out")
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.ScalarNode) and any(
            c == "\0" or "\ud800" <= c <= "\udfff" for c in node.value
        ):
            raise ValueError(f"{node.value[:100]!r} is no text")
        return node


def plain_yaml(text: str) -> Any:
    """Mappings, lists, strings and numbers of a YAML text.

    Raises:
        ValueError: it is not YAML, holds aliases or what is no text, or is nested too deep; one
            clause saying which.
    """
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ValueError(f"{error.problem or 'not understood'}{line}") from error
    except yaml.YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    except RecursionError as error:
        raise ValueError("nested too deep") from error
