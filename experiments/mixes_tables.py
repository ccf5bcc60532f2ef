"""What `mixgym bench mixes` gave, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any

from .arena.tables import JUDGES, Table, number

Result = Mapping[str, Any]


def mixes_tables(result: Result) -> list[Table]:
    """Scores by song and mixer, and each mixer beside each other one."""
    overall = result["overall"]
    rows = []
    for song, row in result["songs"].items():
        scores = [mixed["score"] for mixed in row["mixers"].values()]
        cells = [f"**{s:.3f}**" if s == max(scores) else f"{s:.3f}" for s in scores]
        rows.append((song, row["split"], str(row["stems"]), f"{row['duration_s']:.0f}", *cells))
    splits = sorted({row["split"] for row in result["songs"].values()})
    rows += [(f"mean, {split}", "", "", "", *_means(result, split)) for split in splits]
    rows.append(("mean", "", "", "", *_means(result)))
    made = [
        Table(
            "Mean score of whole songs",
            ("song", "split", "stems", "seconds", *overall),
            tuple(rows),
            f"Reward {result['style']}, of what is delivered; {result['inputs']}, spread evenly. "
            "Policies learn from songs of the split train. Scores of two songs do not compare.",
        )
    ]
    for key, title, about in (
        (
            "above",
            "Songs on which one scores above another",
            "Row above column, ties counting half.",
        ),
        (
            "closer",
            "Judges by which one is closer to the person's mix",
            "Share of songs and judges, row closer than column, ties counting half.",
        ),
    ):
        if all(mixed[key] for mixed in overall.values()):
            made.append(_beside(title, key, overall, about))
    distances = tuple(_distances(result))
    if distances:
        headings = (heading for heading, _ in JUDGES.values())
        made.append(
            Table(
                "Mean distance to the person's mix",
                ("split", "songs", "mixer", *headings),
                distances,
                "Less is nearer; no mixer may optimise it.",
            )
        )
    if all(mixed.get("frechet") is not None for mixed in overall.values()):
        made.append(
            Table(
                "Fréchet distance of all mixes to all that people made of the same songs",
                ("mixer", "distance"),
                tuple((name, f"{mixed['frechet']:.1f}") for name, mixed in overall.items()),
                "Of tone and its movement, by the second; less is nearer.",
            )
        )
    return made


def _means(result: Result, split: str | None = None) -> list[str]:
    rows = [row for row in result["songs"].values() if split in (None, row["split"])]
    return [
        f"{fmean(row['mixers'][name]['score'] for row in rows):.4f}" for name in rows[0]["mixers"]
    ]


def _distances(result: Result) -> Iterator[tuple[str, ...]]:
    """Of every judge, by split and mixer."""
    judged = [
        row
        for row in result["songs"].values()
        if all(judges.keys() >= JUDGES.keys() for judges in _judges_of(row))
    ]
    for split in sorted({row["split"] for row in judged}):
        rows = [_judges_of(row) for row in judged if row["split"] == split]
        for name, found in zip(result["overall"], zip(*rows, strict=True), strict=True):
            means = (number(fmean(judges[j] for judges in found), JUDGES[j][1]) for j in JUDGES)
            yield split, str(len(rows)), name, *means


def _judges_of(row: Result) -> list[Mapping[str, float]]:
    """Of each mixer."""
    return [mixed["judges"] for mixed in row["mixers"].values()]


def _beside(title: str, key: str, overall: Result, about: str) -> Table:
    rows = tuple(
        (name, *("" if other == name else f"{mixed[key][other]:.0%}" for other in overall))
        for name, mixed in overall.items()
    )
    return Table(title, ("mixer", *overall), rows, about)
