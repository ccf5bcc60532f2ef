"""Records of finished work, by which a build that was cut off goes on."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from .manifest import EXCERPTS, ManifestRow, write_text

RECORDS = ".build"


class Record(BaseModel):
    """What a piece of work gave, and a sentence for each thing that was left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: list[ManifestRow]
    skipped: list[str]


def finished(home: Path, work: str) -> Record | None:
    """The record of work that is done, None where it is not or an excerpt has since been lost."""
    try:
        record = Record.model_validate_json(_path(home, work).read_bytes())
    except (OSError, ValidationError):
        return None
    return record if all((home / EXCERPTS / row.id).is_dir() for row in record.rows) else None


def keep(home: Path, work: str, record: Record) -> None:
    """Write the record; work is done from then on.

    Raises:
        OSError: it cannot be written.
    """
    write_text(_path(home, work), record.model_dump_json(exclude_defaults=True, indent=1) + "\n")


def _path(home: Path, work: str) -> Path:
    return home / RECORDS / f"{work}.json"
