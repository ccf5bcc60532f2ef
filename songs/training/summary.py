"""What a training set holds, in numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .manifest import EXCERPTS, KINDS, ManifestRow
from .splits import SPLITS


def summarise(
    home: Path, rows: Sequence[ManifestRow], skipped: list[str], seconds_taken: float
) -> dict[str, Any]:
    """JSON: totals, by split and by source; `skipped` has a sentence for what was left out."""
    return {
        "folder": str(home),
        **_counts(rows),
        "bytes": sum(path.stat().st_size for row in rows for path in _files(home, row)),
        "splits": {s: _counts([row for row in rows if row.split == s]) for s in SPLITS},
        "sources": {
            kind: {
                **_counts(of_kind),
                "splits": {s: sum(row.split == s for row in of_kind) for s in SPLITS},
            }
            for kind in KINDS
            if (of_kind := [row for row in rows if row.kind == kind])
        },
        "soundfonts": sorted({row.soundfont for row in rows if row.soundfont}),
        "skipped": skipped,
        "seconds_taken": seconds_taken,
    }


def print_summary(result: dict[str, Any]) -> None:
    """Print it for a person."""
    from rich.console import Console
    from rich.table import Table

    from ..._text import printable

    table = Table(title=printable(result["folder"]), title_justify="left")
    for column in ("", "excerpts", "songs", "artists", "stems", "minutes"):
        table.add_column(column, justify="right" if column else "left")
    for name, part in [*result["splits"].items(), *result["sources"].items(), ("all", result)]:
        numbers = (part["excerpts"], part["songs"], part["artists"], part["stems"])
        table.add_row(name, *map(str, numbers), f"{60 * part['hours']:.1f}")
    console = Console()
    console.print(table)
    for sentence in result["skipped"]:
        console.print(printable(f"Left out: {sentence}"), markup=False, style="yellow")
    console.print(
        f"{result['bytes'] / 1e6:.0f} MB, {result['seconds_taken']:.0f} s", highlight=False
    )


def _counts(rows: Sequence[ManifestRow]) -> dict[str, Any]:
    return {
        "excerpts": len(rows),
        "songs": len({(row.artist, row.song) for row in rows}),
        "artists": len({row.artist for row in rows if row.artist}),
        "stems": sum(len(row.stems) for row in rows),
        "hours": sum(row.seconds for row in rows) / 3600,
        "stem_hours": sum(row.seconds * len(row.stems) for row in rows) / 3600,
    }


def _files(home: Path, row: ManifestRow) -> list[Path]:
    return list((home / EXCERPTS / row.id).iterdir())
