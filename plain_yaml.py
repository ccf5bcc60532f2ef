"""YAML as far as a settings file needs it."""

from __future__ import annotations

from typing import Any

import yaml


class _PlainLoader(yaml.SafeLoader):
    """Refuses references to earlier parts, by which a few lines can stand for billions."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise ValueError("anchors and aliases are not allowed; write the value out")
        return super().compose_node(parent, index)


def plain_yaml(text: str) -> Any:
    """Mappings, lists, strings and numbers of a YAML text.

    Raises:
        ValueError: it is not YAML, holds aliases, or is nested too deep; one clause saying which.
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
