"""An arena's tables as Markdown: `python -m mixgym.experiments.arena.results scores.parquet`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from ...console.rules import MIXERS as RULES
from ...errors import MixgymError
from .parquet import read_rows
from .play import Row
from .run import need_libraries
from .settings import Settings
from .standing import Standing
from .tables import tables


def results(standing: Standing, level: int = 1) -> str:
    """The page as Markdown.

    Args:
        standing: of a run that has ended.
        level: of its heading.

    Raises:
        MixgymError: rows are missing.
    """
    rows, settings = standing.rows, standing.settings
    songs = {row["song"] for row in rows}
    machines = sorted({f"{row['cpu']}, {row['cores']} cores" for row in rows})
    commits = sorted({str(row["commit"]) for row in rows})
    seekers = ", ".join(name for name in settings.mixers if name not in RULES)
    lines = [
        f"{'#' * level} The arena, split {settings.split}{': ' if seekers else ''}{seekers}",
        "",
        f"{len(songs)} songs, {len(standing.places)} excerpts of {settings.seconds:g} s, split "
        f"{settings.split}, {settings.seeds} seeds, reward {settings.style}, {len(rows):,} rows. "
        f"Machine: {'; '.join(machines)}. Commit: {', '.join(commits)}.",
        "",
        "```sh",
        command(settings),
        "python -m mixgym.experiments.arena.results RUN/scores.parquet",
        "```",
        "",
    ]
    if standing.findings:
        lines += [*(f"- {finding}" for finding in standing.findings), ""]
    shown = [table.markdown(level + 1) for table in tables(standing)]
    return "\n".join([*lines, *shown]).rstrip() + "\n"


def command(settings: Settings) -> str:
    """The command that plays it."""
    words = ["mixgym", "compete"]
    for number in range(len(settings.songs)):
        words += ["--songs", f"SONGS{number + 1 if len(settings.songs) > 1 else ''}"]
    words += ["--mixers", ",".join(settings.mixers)]
    words += ["--budgets", ",".join(map(str, settings.budgets)), "--seeds", str(settings.seeds)]
    words += ["--excerpts", str(settings.excerpts), "--seconds", f"{settings.seconds:g}"]
    words += ["--split", settings.split, "--style", settings.style, "--out", "RUN"]
    return shlex.join(words)


def rows_of(path: Path) -> tuple[list[Row], Settings]:
    """Rows of a Parquet file, and the settings that they were asked for with.

    Raises:
        MixgymError: it cannot be read.
    """
    rows, about = read_rows(path)
    return rows, Settings.model_validate(about["settings"])


def main() -> None:
    """Print the page of the Parquet file that is named."""
    try:
        need_libraries()
        (path,) = sys.argv[1:]
        sys.stdout.write(results(Standing(*rows_of(Path(path)))))
    except ValueError:
        sys.exit("Name one scores.parquet.")
    except MixgymError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
