"""The page that comes with a policy's file: what it is, from what the file says and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..runtime.policy.backends import Backend
from ..runtime.policy.contract import TASKS, Described
from .parity import TABLES
from .worth import Worth

DOES = {
    "mixing": "Mixes a song's stems: it looks at the song once and sets the whole console.",
    "mastering": "Masters a finished track: it looks at the track once and sets the chain.",
}
COMMAND = {
    "mixing": "mix = PolicyMixer({name!r}).mix(song)",
    "mastering": "mix = PolicyMixer({name!r}).mix(track)",
}


def card(path: Path, size: int, backend: Backend, parity: Mapping[str, float], worth: Worth) -> str:
    """A page in Markdown.

    Args:
        path: of the file.
        size: of it, in bytes.
        backend: what ran it.
        parity: see `differences`.
        worth: on songs.
    """
    described = backend.described
    lines = [
        f"# {path.name}",
        "",
        DOES[described.task],
        "",
        *_table(("", ""), _facts(described, size)),
        "",
        "## Takes and gives",
        "",
        "Float32, physical units; what the policy does not set stands at rest. Features are those "
        f"of `mixgym.rewards.features`, version {described.features}; columns those of "
        "`mixgym parameters`.",
        "",
        *_table(("tensor", "shape"), _tensors(described)),
        "",
        "It sets:",
        "",
    ]
    free = {"strips": described.strip, "buses": described.buses, "master": described.master}
    for name, names in free.items():
        if names:
            lines.append(f"- {name}: {', '.join(f'`{parameter}`' for parameter in names)}")
    lines += [
        "",
        "## Measured",
        "",
        f"Run by {backend.runs_on}, beside the network that it was made of. On random inputs, the "
        "largest difference as a share of a parameter's range:",
        "",
        *_table(("output", "difference"), [(name, f"{d:.1e}") for name, d in parity.items()]),
        "",
        f"Mean score in `simulate` over {worth.looks} pairs of a song and a style:",
        "",
        *_table(
            ("mix", "score"),
            [
                ("as it is shown to the policy", f"{worth.rest:.4f}"),
                ("by the network", f"{worth.network:.4f}"),
                ("by this file", f"{worth.file:.4f}"),
                ("lost by the file", f"{round(worth.lost, 5) + 0.0:+.5f}"),
            ],
        ),
        "",
        "## Use",
        "",
        "```",
        "from mixgym.runtime.policy.mixer import PolicyMixer",
        "",
        COMMAND[described.task].format(name=path.name),
        "```",
        "",
        "It learned from what a simulator predicts, to please rewards that are written down in "
        "`mixgym.rewards`; no person's ear took part. Songs unlike those that it learned from may "
        "be mixed badly: listen before anything leaves the house.",
        "",
    ]
    return "\n".join(lines)


def _facts(described: Described, size: int) -> list[tuple[str, str]]:
    gains = ", ".join(f"{style} {gain:+.4f}" for style, gain in described.scores.items())
    return [
        ("licence", described.licence),
        ("size", f"{size / 1e6:.2f} MB"),
        ("precision", described.precision),
        ("styles", ", ".join(described.styles)),
        ("steps of the last run that trained it", f"{described.steps:,}"),
        ("training set", f"`{described.songs}`" if described.songs else "no set with a manifest"),
        ("gain over equal loudness, validation songs", gains or "not noted"),
        ("parameter tables", f"`{described.tables}`"),
        ("written by", f"mixgym {described.mixgym}"),
    ]


def _tensors(described: Described) -> list[tuple[str, str]]:
    task = TASKS[described.task]
    rows = []
    for name, shape in (*task.inputs.items(), *task.outputs.items()):
        axes = [_axis(axis, described) for axis in shape]
        what = f" ({TABLES[name].name})" if name in TABLES else ""
        rows.append((f"`{name}`{what}", ", ".join(axes)))
    return rows


def _axis(axis: int | str, described: Described) -> str:
    if described.stems is not None and isinstance(axis, str):
        return str({"stems": described.stems, "batch": 1}[axis])
    return str(axis)


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> list[str]:
    lines = [f"| {head[0]} | {head[1]} |", "| --- | --- |"]
    return lines + [f"| {left} | {right} |" for left, right in rows]
