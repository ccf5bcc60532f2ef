"""Raw scores as one Parquet file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import MixgymError
from .play import Row

GROUPS = {"terms": "term_", "gates": "gate_", "judges": "judge_"}
PREFIX = "mixgym."


def write_rows(path: Path, rows: Sequence[Row], about: Mapping[str, str]) -> None:
    """Write rows, a column for each of their values; the file appears whole.

    Args:
        path: the file, replaced.
        rows: as `play` gives them; terms, gates and judges become `term_*`, `gate_*`, `judge_*`.
        about: kept in the file's metadata, keys prefixed by `mixgym.`.

    Raises:
        OSError: the disk is full.
    """
    import pyarrow  # type: ignore[import-untyped]
    from pyarrow import parquet  # type: ignore[import-untyped]

    flat = [_flat(row) for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
    table = pyarrow.table({name: [row.get(name) for row in flat] for name in names})
    metadata = {f"{PREFIX}{key}": value for key, value in about.items()}
    partial = path.with_name(f".{path.name}.partial")
    try:
        parquet.write_table(table.replace_schema_metadata(metadata), partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_rows(path: Path) -> tuple[list[Row], dict[str, Any]]:
    """Rows of such a file, and the JSON that its metadata hold, by key.

    Raises:
        MixgymError: it cannot be read, or holds no raw scores.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise MixgymError(f"{path} is no Parquet file that can be read; make it again.") from error
    metadata = {k.decode(): v for k, v in (table.schema.metadata or {}).items()}
    about = {
        key.removeprefix(PREFIX): json.loads(value)
        for key, value in metadata.items()
        if key.startswith(PREFIX)
    }
    if "settings" not in about:
        raise MixgymError(f"{path} holds no raw scores of an arena; name its scores.parquet.")
    return [_nested(row) for row in table.to_pylist()], about


def _flat(row: Row) -> Row:
    plain = {key: value for key, value in row.items() if key not in GROUPS}
    for group, prefix in GROUPS.items():
        plain |= {f"{prefix}{name}": value for name, value in row[group].items()}
    return plain


def _nested(flat: Row) -> Row:
    row: Row = {group: {} for group in GROUPS}
    for key, value in flat.items():
        group = next((g for g, prefix in GROUPS.items() if key.startswith(prefix)), None)
        if group is None:
            row[key] = value
        elif value is not None:
            row[group][key.removeprefix(GROUPS[group])] = value
    return row
