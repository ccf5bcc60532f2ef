"""RESULTS.md: `python -m mixgym.experiments.results_page FILE... > experiments/RESULTS.md`.

Files are `scores.parquet` of arenas and JSON of `mixgym bench mixes`, in the order of the page.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import MixgymError
from .arena.results import results, rows_of
from .mixes_tables import Result, mixes_tables

HEAD = """# Results

Generated from raw scores; no number here was typed. What is measured, and how, stands in
[the arena](../docs/arena.md), the score in [rewards](../docs/rewards.md).
"""


def page(files: Sequence[Path]) -> str:
    """The page as Markdown.

    Raises:
        MixgymError: a file is neither, or cannot be read.
    """
    command = ["python", "-m", "mixgym.experiments.results_page", *(f.name for f in files)]
    parts = [HEAD, f"```sh\n{shlex.join(command)} > experiments/RESULTS.md\n```\n"]
    for file in files:
        if file.suffix == ".parquet":
            parts.append(results(*rows_of(file), level=2))
        else:
            parts.append(_mixes(_read(file)))
    return "\n".join(parts)


def _read(file: Path) -> Result:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["benchmark"] == "mixes":
            return dict(found)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise MixgymError(f"{file} cannot be read as the result of a benchmark.") from error
    raise MixgymError(f"{file} holds no result of mixgym bench mixes.")


def _mixes(result: Result) -> str:
    machine = result["machine"]
    lines = [
        "## Whole songs",
        "",
        f"Machine: {machine['cpu']}, {machine['cores']} cores. Commit: {machine['commit']}.",
        "",
        "```sh",
        "mixgym bench mixes --songs SONGS --json",
        "```",
        "",
    ]
    shown = [table.markdown(3) for table in mixes_tables(result)]
    return "\n".join([*lines, *shown]).rstrip() + "\n"


def main() -> None:
    """Print the page of the files that are named."""
    files = [Path(name) for name in sys.argv[1:]]
    if not files:
        sys.exit("Name scores.parquet of an arena, or the JSON of mixgym bench mixes.")
    try:
        sys.stdout.write(page(files))
    except MixgymError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
