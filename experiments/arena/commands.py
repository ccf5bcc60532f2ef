"""What `mixgym compete` and `mixgym evaluate` do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from ...errors import MixgymError
from ...runtime.staging import Staged
from ..mapper import make_mapper
from .pieces import find_pieces
from .play import Row, play
from .results import results
from .run import check, chunks_of, compete
from .settings import Settings
from .standing import Standing
from .tables import JUDGES, Table, number, tables

Tell = Callable[[str, float], None]
BASE = "equal_loudness"  # what a person's own songs are held against
COLUMNS = (
    "mixer", "song", "excerpt", "seed", "budget", "seconds", "evaluations", "score", "terms",
    "judges",
)  # fmt: skip


def run_compete(
    settings: Settings,
    folder: Path,
    mapper: str,
    *,
    json_file: Path | None,
    results_file: Path | None,
    report: bool,
    tell: Tell,
) -> tuple[list[Table], list[str]]:
    """Play, and write what was asked for.

    Args:
        settings: what is played.
        folder: of the run; gets `scores.parquet`, and `report.html` where `report`.
        mapper: name of who works.
        json_file: gets the rows.
        results_file: gets the tables as Markdown.
        report: whether to write the page.
        tell: told what is being done.

    Returns:
        The tables, and sentences to go with them.

    Raises:
        MixgymError: as `compete`; outputs that cannot be written.
    """
    for path in (json_file, results_file):
        if path is not None and not path.parent.is_dir():
            raise MixgymError(f"The folder {path.parent} for {path.name} does not exist.")
    with make_mapper(mapper) as workers:
        rows, pieces = compete(settings, folder, workers, tell)
    standing = Standing(rows, settings)
    with Staged() as staged:
        if json_file is not None:
            staged.file(json_file).write_text(to_json(standing.rows), encoding="utf-8")
        if results_file is not None:
            staged.file(results_file).write_text(results(standing), encoding="utf-8")
    if report:
        from .report import write_report

        write_report(folder / "report.html", standing, pieces, tell)
    return tables(standing), standing.findings


def to_json(rows: Sequence[Row]) -> str:
    """Rows as a JSON list, a row on each line."""
    lines = [json.dumps({name: row[name] for name in COLUMNS}, allow_nan=False) for row in rows]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def evaluate(settings: Settings, mapper: str, tell: Tell) -> dict[str, Any]:
    """One mixer on a person's own songs, beside all stems equally loud.

    Args:
        settings: `mixers` has one entry, and so has `budgets`.
        mapper: name of who works.
        tell: told what is being done.

    Returns:
        JSON: `mixer`, `budget`, `songs` (by song, means over its excerpts and seeds of `score`,
        `equal_loudness`, `seconds`, `evaluations`, `terms`, and `judges` where the song's folder
        holds a person's mix), and `rows`.

    Raises:
        MixgymError: no such mixer, a budget too small for it, songs that cannot be read.
    """
    (mixer,), (budget,) = settings.mixers, settings.budgets
    settings = settings.model_copy(update={"mixers": tuple({BASE: 0, mixer: 0})})
    check(settings)
    rows: list[Row] = []
    with make_mapper(mapper) as workers:
        pieces = find_pieces(settings, workers, tell)
        chunks = chunks_of(settings, pieces, {}, workers.workers)
        for done, (_, played) in enumerate(workers.map(play, chunks), 1):
            rows += played
            tell("Mixing", done / len(chunks))
    rows.sort(key=lambda row: (row["song"], row["excerpt"], row["seed"]))
    songs = {}
    for song in dict.fromkeys(piece.song for piece in pieces):
        ours, base = (
            [row for row in rows if row["song"] == song and row["mixer"] == name]
            for name in (mixer, BASE)
        )
        songs[song] = {
            "score": fmean(row["score"] for row in ours),
            BASE: fmean(row["score"] for row in base),
            "seconds": fmean(row["seconds"] for row in ours),
            "evaluations": fmean(row["evaluations"] for row in ours),
            "terms": _means([row["terms"] for row in ours]),
            "judges": _means([row["judges"] for row in ours]),
        }
    return {
        "mixer": mixer,
        "budget": budget,
        "songs": songs,
        "rows": [{name: row[name] for name in COLUMNS} for row in rows if row["mixer"] == mixer],
    }


def evaluation_tables(result: dict[str, Any]) -> list[Table]:
    """What `evaluate` gives, for people."""
    scores, judged = [], []
    for name, song in result["songs"].items():
        gain = f"{song['score'] - song[BASE]:+.3f}"
        spent = f"{song['evaluations']:.0f}", number(song["seconds"], 2)
        scores.append((name, number(song["score"]), number(song[BASE]), gain, *spent))
        if song["judges"]:
            cells = [number(song["judges"][j], decimals) for j, (_, decimals) in JUDGES.items()]
            judged.append((name, *cells))
    columns = ("song", "score", "equal loudness", "gain", "evaluations", "seconds")
    made = [Table(f"{result['mixer']}, scored on render", columns, tuple(scores))]
    if judged:
        headings = (heading for heading, _ in JUDGES.values())
        made.append(Table("Distance to the person's mix", ("song", *headings), tuple(judged)))
    return made


def _means(values: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: fmean(v[name] for v in values) for name in values[0]}
