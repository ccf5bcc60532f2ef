"""Settings that people write in YAML files: read, checked, or refused in one sentence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .errors import MixgymError
from .plain_yaml import plain_yaml

MOST_BYTES = 100_000
Model = TypeVar("Model", bound=BaseModel)


def read_mapping(path: Path, example: str) -> dict[str, Any]:
    """What a YAML file says.

    Args:
        path: the file.
        example: a line that such files hold, for whoever gave another.

    Raises:
        MixgymError: no such file, or it is no YAML of keys and values.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MixgymError(f"{path} is larger than settings can be; check the name.")
        values = plain_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MixgymError(f"The settings {path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise MixgymError(f"{path} is not YAML: {error}.") from error
    if not isinstance(values, dict):
        raise MixgymError(f"{path} holds no settings; write lines such as `{example}`.")
    return values


def full_paths(path: Path, values: dict[str, Any]) -> None:
    """Make what the file at `path` names its songs and its reward by full paths, in place.

    These are relative to the file's folder, and may begin with an environment variable. A reward
    (`reward`, `style`, `styles`) is a path if it ends as a YAML file does.

    Raises:
        MixgymError: the variable is not set.
    """
    for key in ("songs", "reward", "style", "styles"):
        if key in values:
            value, several = values[key], isinstance(values[key], list)
            full = [
                _full(path, part) if key == "songs" or _is_yaml(part) else part
                for part in (value if several else [value])
            ]
            values[key] = full if several else full[0]


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with others laid over them, mappings key by key."""
    result = dict(values)
    for key, change in changes.items():
        before = result.get(key)
        if isinstance(before, Mapping) and isinstance(change, Mapping):
            result[key] = merged(before, change)
        else:
            result[key] = change
    return result


def checked(model: type[Model], values: Mapping[str, Any], path: Path | None) -> Model:
    """Settings from what a file or a command line says.

    Args:
        model: the schema.
        values: fields of the model.
        path: the file, if there is one.

    Raises:
        MixgymError: an unknown key or a value out of range.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        if place:
            given = "" if first["type"] == "missing" else f" is {str(first['input'])[:200]!r}"
            told = f"{place}{given}: {told[:1].lower()}{told[1:]}"
        where = f"{path}: " if path else ""
        raise MixgymError(f"{where}{told}; correct it.") from error


def _is_yaml(value: Any) -> bool:
    return str(value).endswith((".yaml", ".yml"))


def _full(path: Path, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    full = os.path.expandvars(value)
    if full.startswith("$"):
        variable = full.split("/")[0]
        raise MixgymError(f"{path}: {variable} is not set; set it, or name a folder.")
    return str((path.parent / full).resolve())
