"""`python -m mixgym.experiments.distilled CONFIG`: how small a student may be for what it keeps.

Students of several widths are distilled by one file of settings. The widest goes on by further
ones, and is pruned: whole heads of attention, or single weights, the smallest first, without
learning anew (Han et al. 2015, Michel et al. 2019). All are held against their teachers on songs of
a split that no run learned from or was chosen on.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer

from ..agents.hyperparameters import Search
from ..agents.load import NETWORK, read_network
from ..agents.network import Block, TrackSetNetwork
from ..agents.run_folder import BEST, LAST, RUN
from ..agents.settings import DistillationSettings, Settings, read_settings
from ..agents.train import train
from ..agents.weights import save_weights
from ..errors import MixgymError
from ..export.kept import Comparison, Kept, compare
from ..runtime.interruption import gentle_interrupt
from ..runtime.staging import Staged
from ..songs.training.splits import Split
from .arena.tables import Table
from .machine import describe_machine

WEIGHTS = (0.25, 0.5, 0.7, 0.8, 0.9)  # shares that are set to 0
HEADS = (0.25, 0.5, 0.75, 1.0)
BEYOND = (Search(by="ga", evaluations=1000),)  # no teachers, but marks to be held against
ABOUT = (
    "Kept: the student's gain over equal loudness as a share of the gain of the best teacher for "
    "each excerpt and style, with the 95 % interval of a bootstrap of songs. Packed: the weights, "
    "deflated, which is what zeros save on disk."
)
ABOUT_TEACHERS = (
    "A search is named by what searches and its evaluations; it began with the best mix of the "
    "policies, for every excerpt and style."
)


class Legs(NamedTuple):
    """How a student learns.

    Attributes:
        first: what distils it.
        further: runs that begin with the last weights of the one before.
    """

    first: DistillationSettings
    further: tuple[Settings, ...]

    def folders(self, out: Path) -> list[Path]:
        """Of the runs, below the folder of all."""
        width = f"width-{self.first.policy.width}"
        return [out / width, *(out / f"{width}-leg-{2 + i}" for i in range(len(self.further)))]


@dataclass(frozen=True, slots=True)
class Student:
    """A student and what it keeps.

    Attributes:
        name: what was done to make it.
        width: of its tokens.
        pruned: share of weights or heads that were taken away.
        parameters: that are not 0.
        bytes, packed: of its weights, in single precision, and deflated.
        kept: of the gain of its teachers.
        gain: over equal loudness, mean.
    """

    name: str
    width: int
    pruned: float
    parameters: int
    bytes: int
    packed: int
    kept: Kept
    gain: float


class Result(NamedTuple):
    """What the page is about.

    Attributes:
        legs: settings of the widest, one leg after another.
        learned_from: how many excerpts.
        students: the widths first, of the widest every leg, from the last one on; then what was
            pruned.
        simulated, rendered: the widest beside its teachers; the latter in the first style alone.
        beyond: the widest beside these and further searches, in `simulate`.
    """

    legs: Legs
    learned_from: int
    students: list[Student]
    simulated: Comparison
    rendered: Comparison
    beyond: Comparison


def main(
    config: Annotated[Path, typer.Argument(help="A YAML file: see docs/export.md.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs, each in `width-N`.")],
    then: Annotated[
        list[Path] | None,
        typer.Option(help="Another file, by which the widest goes on; may be repeated."),
    ] = None,
    width: Annotated[list[int] | None, typer.Option(help="16, 32, 64 and 96.")] = None,
    songs: Annotated[Path | None, typer.Option(help="What to learn from, for the file's.")] = None,
    split: Annotated[Split, typer.Option(help="To compare on.")] = "test",
    excerpts: Annotated[int, typer.Option(min=1, help="At most.")] = 148,
    page: Annotated[Path | None, typer.Option(help="distil.md in --out unless told.")] = None,
) -> None:
    """Distil, prune, compare; run again, it goes on."""
    try:
        widths = sorted(set(width or (16, 32, 64, 96)), reverse=True)
        students = [
            legs_of(config, (then or ()) if w == widths[0] else (), out, w, songs) for w in widths
        ]
        with gentle_interrupt() as asked_to_end:
            for legs in students:
                if not _learn(legs, out, asked_to_end):
                    typer.echo("Ended; the same command goes on.")
                    return
        write_page(page or out / "distil.md", measure(students, out, split, excerpts))
    except (MixgymError, OSError) as error:
        typer.echo(f"mixgym: {error}", err=True)
        raise typer.Exit(2) from error


def legs_of(
    config: Path, then: Sequence[Path], out: Path, width: int, songs: Path | None = None
) -> Legs:
    """The legs of a student.

    Args:
        config: a file of a distillation.
        then: files of what goes on from it.
        out: folder of all runs.
        width: of the student's tokens.
        songs: what to learn from, for what the files say.

    Raises:
        MixgymError: settings that cannot be used.
    """
    changed = [{"policy": {"width": width}}]
    first = read_settings(config, songs=songs, changed=changed)
    if not isinstance(first, DistillationSettings):
        raise MixgymError(f"{config} holds no line `algorithm: distillation`; name another.")
    folders = Legs(first, ()).folders(out)
    further: list[Settings] = []
    for path in then:
        start = folders[-1] / LAST
        further.append(read_settings(path, songs=songs, start=start, changed=changed))
        folders = Legs(first, tuple(further)).folders(out)
    return Legs(first, tuple(further))


def _learn(legs: Legs, out: Path, asked_to_end: Callable[[], bool]) -> bool:
    """Begin with what is not done, or go on with it; whether it came to its end."""
    for settings, folder in zip((legs.first, *legs.further), legs.folders(out), strict=True):
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not train(settings, folder, resume=True, asked_to_end=asked_to_end).finished:
            return False
    return True


def measure(runs: list[Legs], out: Path, split: Split, excerpts: int) -> Result:
    """Hold all students against their teachers, and the widest pruned too.

    Args:
        runs: finished, the widest first.
        out: their folder.
        split: of the set, to compare on.
        excerpts: at most.

    Raises:
        MixgymError: weights or songs that cannot be read.
    """
    settings = _judged(runs[0].first, excerpts)
    files = {
        f"width {legs.first.policy.width}" + (f", leg {leg}" if leg > 1 else ""): (0.0, run / BEST)
        for legs in runs
        for leg, run in reversed(list(enumerate(legs.folders(out), 1)))
    }
    _, widest = next(iter(files.values()))
    network, about = read_network(widest)
    for kind, shares in (("weights", WEIGHTS), ("heads", HEADS)):
        for share in shares:
            made = out / f"pruned-{kind}-{share:g}.npz"
            pruned = (prune_weights if kind == "weights" else prune_heads)(network, share)
            arrays = {f"{NETWORK}{name}": v.numpy() for name, v in pruned.state_dict().items()}
            save_weights(made, arrays, about)
            files[f"{share:.0%} of {kind} pruned"] = (share, made)
    given = settings.distillation
    further = given.model_copy(update={"searches": (*given.searches, *BEYOND)})
    beyond = compare(
        [path for _, path in files.values()],
        settings.model_copy(update={"distillation": further}),
        split=split,
    )
    teachers = len(given.teachers) + len(given.searches)
    simulated = [
        found._replace(names=found.names[:teachers], teachers=found.teachers[:teachers])
        for found in beyond
    ]
    students = [
        _student(name, path, share, found)
        for (name, (share, path)), found in zip(files.items(), simulated, strict=True)
    ]
    first = simulated[0].styles[:1]
    rendered = compare([widest], settings, styles=first, fidelity="render", split=split)[0]
    about_run = json.loads((widest.parent / RUN).read_text(encoding="utf-8"))
    learned_from = int(about_run["songs"]["learned_from"])
    return Result(runs[0], learned_from, students, simulated[0], rendered, beyond[0])


def _judged(settings: DistillationSettings, excerpts: int) -> DistillationSettings:
    validation = settings.validation.model_copy(update={"excerpts": excerpts})
    return settings.model_copy(update={"validation": validation})


def _student(name: str, path: Path, pruned: float, found: Comparison) -> Student:
    network, about = read_network(path)
    values = [value.numpy() for value in network.state_dict().values()]
    stream = io.BytesIO()
    for value in values:
        stream.write(value.tobytes())
    return Student(
        name,
        about.sizes.width,
        pruned,
        sum(int(np.count_nonzero(value)) for value in values),
        len(stream.getvalue()),
        len(zlib.compress(stream.getvalue(), 9)),
        found.kept(),
        float(found.student.mean()),
    )


def prune_weights(network: TrackSetNetwork, share: float) -> TrackSetNetwork:
    """A copy in which the smallest weights are 0; biases and norms stay.

    Args:
        network: stays as it is.
        share: of the weights, of all layers together.
    """
    copy = _copy(network)
    with torch.no_grad():
        matrices = [p for p in copy.parameters() if p.dim() > 1]
        sizes = torch.cat([p.abs().flatten() for p in matrices])
        count = round(share * len(sizes))
        if count:
            least = sizes.kthvalue(count).values
            for matrix in matrices:
                matrix[matrix.abs() <= least] = 0.0
    return copy


def prune_heads(network: TrackSetNetwork, share: float) -> TrackSetNetwork:
    """A copy in which the heads of attention that say least are silent.

    A head's size is that of what it says at most: the product of the norms of its values' weights
    and of those that take them up.

    Args:
        network: stays as it is.
        share: of the heads, of all blocks together.
    """
    copy = _copy(network)
    width = copy.sizes.width
    each = width // copy.sizes.heads
    blocks = [block for block in copy.blocks if isinstance(block, Block)]
    with torch.no_grad():
        said = []
        for number, block in enumerate(blocks):
            for head in range(copy.sizes.heads):
                columns = slice(head * each, (head + 1) * each)
                values = block.attend.weight[2 * width :][columns]
                size = float(values.norm() * block.joined.weight[:, columns].norm())
                said.append((size, number, columns))
        for _, number, columns in sorted(said, key=lambda one: one[0])[: round(share * len(said))]:
            block = blocks[number]
            for part in range(3):
                rows = slice(part * width + columns.start, part * width + columns.stop)
                block.attend.weight[rows] = 0.0
                block.attend.bias[rows] = 0.0
            block.joined.weight[:, columns] = 0.0
    return copy


def _copy(network: TrackSetNetwork) -> TrackSetNetwork:
    copy = TrackSetNetwork(network.sizes)
    copy.load_state_dict(network.state_dict())
    return copy.eval()


def write_page(page: Path, result: Result) -> None:
    """Write the page and, beside it, the curve as SVG.

    Raises:
        MixgymError: they cannot be written.
    """
    picture = page.with_suffix(".svg")
    machine = describe_machine()
    lines = [
        "# Distillation",
        "",
        "Generated by `python -m mixgym.experiments.distilled`; no number here was typed.",
        "",
        f"Students learned from {result.learned_from:,} excerpts: they {_course(result.legs)}; on "
        f"{machine['cpu']}, one thread; commit {machine['commit']}. One seed each.",
        "",
        f"![What is kept by size]({picture.name})",
        "",
        *(table.markdown() for table in tables(result)),
    ]
    with Staged() as staged:
        staged.file(page).write_text("\n".join(lines), encoding="utf-8")
        draw(result.students, staged.file(picture))


def _course(legs: Legs) -> str:
    """What students did, in order."""
    given = legs.first.distillation
    course = [f"cloned their teachers for {given.steps:,} looks"]
    if given.rounds:
        course[0] += (
            f" and what searches made of their own mixes for {given.rounds} x "
            f"{given.round_steps:,} more"
        )
    course.append(f"climbed to {legs.first.total_steps:,} steps")
    course += [
        f"the widest went on by {leg.algorithm} for {leg.total_steps:,} more"
        for leg in legs.further
    ]
    return ", then ".join(course)


def tables(result: Result) -> list[Table]:
    """Of all students, and of the widest by teacher and by style."""
    sizes = tuple(
        (
            student.name,
            f"{student.parameters:,}",
            f"{student.bytes / 1e6:.2f}",
            f"{student.packed / 1e6:.2f}",
            f"{student.gain:+.4f}",
            str(student.kept),
        )
        for student in result.students
    )
    columns = ("student", "weights that are not 0", "MB", "packed, MB", "gain", "kept")
    rows = []
    for fidelity, found in (("simulate", result.simulated), ("render", result.rendered)):
        groups = [(style,) for style in found.styles]
        for styles in [*groups, found.styles] if len(groups) > 1 else groups:
            picked = [found.styles.index(style) for style in styles]
            rows.append(
                (
                    f"{'all' if len(styles) > 1 else styles[0]}, {fidelity}",
                    f"{found.best[picked].mean():+.4f}",
                    f"{found.student[picked].mean():+.4f}",
                    str(found.kept(styles)),
                )
            )
    excerpts, songs = len(result.simulated.titles), len(set(result.simulated.groups.tolist()))
    taught = len(result.simulated.names)
    by_teacher = [
        (
            name,
            "yes" if number < taught else "no",
            f"{result.beyond.teachers[number].mean():+.4f}",
            str(result.beyond.kept(teacher=name)),
        )
        for number, name in enumerate(result.beyond.names)
    ]
    return [
        Table(f"Size and quality, {excerpts} excerpts of {songs} songs", columns, sizes, ABOUT),
        Table(
            "The first beside each teacher, and beside longer searches",
            ("", "a teacher", "gain", "kept"),
            tuple(by_teacher),
            ABOUT_TEACHERS,
        ),
        Table(
            "The first, by style, beside the best of its teachers",
            ("style, fidelity", "best teacher", "student", "kept"),
            tuple(rows),
        ),
    ]


def draw(students: list[Student], picture: Path) -> None:
    """What is kept by size; the same data give the same bytes of SVG."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.6), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    widest = [student for student in students if not student.pruned][:1]
    for label, chosen in (
        ("narrower", [s for s in students if not s.pruned]),
        ("weights pruned", widest + [s for s in students if s.name.endswith("weights pruned")]),
        ("heads pruned", widest + [s for s in students if s.name.endswith("heads pruned")]),
    ):
        shares = np.array([s.kept for s in chosen]) * 100.0
        ends = np.abs(shares[:, 1:] - shares[:, :1]).T
        sizes = [s.parameters for s in chosen]
        axes.errorbar(sizes, shares[:, 0], ends, marker="o", ms=3, lw=1.3, capsize=2, label=label)
    axes.axhline(98.0, color="#7f858d", lw=0.8, ls=":")
    axes.set_xscale("log")
    axes.set_ylim(bottom=max(axes.get_ylim()[0], -20.0), top=105.0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#7f858d", alpha=0.22, linewidth=0.5)
    axes.set_xlabel("weights that are not 0")
    axes.set_ylabel("gain kept, %")
    axes.legend(frameon=False)
    with matplotlib.rc_context({"svg.hashsalt": "mixgym"}):
        figure.savefig(picture, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    typer.run(main)
