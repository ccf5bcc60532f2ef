"""`mixgym train` and `distill`: their options, and what a person sees of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import SETTINGS, WORK, Json, Quiet
from ._terminal import print_json, progress_bars
from .errors import MixgymError

if TYPE_CHECKING:
    from .agents.between import Progress, Tell
    from .agents.settings import Settings
    from .agents.train import Trained
    from .export.kept import Kept

NEEDED = ("gymnasium", "stable_baselines3", "torch")


Config = Annotated[Path, typer.Argument(help="A YAML file: see docs/learning.md.")]
Songs = Annotated[
    Path | None,
    typer.Option(help="What to learn from, for the file's.", rich_help_panel=SETTINGS),
]
Seed = Annotated[
    int | None,
    typer.Option(min=0, max=2**31 - 1, help="For the file's.", rich_help_panel=SETTINGS),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder of the run; runs/NAME-SEED unless told.", rich_help_panel=WORK),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from its last checkpoint.", rich_help_panel=WORK)
]
TorchThreads = Annotated[
    int,
    typer.Option(min=1, max=64, help="Of PyTorch; more are seldom faster.", rich_help_panel=WORK),
]


def train(
    config: Config,
    songs: Songs = None,
    seed: Seed = None,
    start: Annotated[
        Path | None,
        typer.Option("--from", help="Weights to begin with.", rich_help_panel=SETTINGS),
    ] = None,
    out: Out = None,
    resume: Resume = False,
    threads: TorchThreads = 1,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a policy that mixes; Ctrl-C saves and ends, and --resume goes on."""
    _refuse_missing()
    from .agents.settings import read_settings

    settings = read_settings(config, songs=songs, seed=seed, start=start)
    trained = _run(config, settings, out, resume, threads, quiet or as_json)
    _tell(trained, as_json, quiet)


def distill(
    config: Annotated[Path, typer.Argument(help="A YAML file: see docs/export.md.")],
    songs: Songs = None,
    seed: Seed = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            help="Weights of mixgym train, for the file's; may be repeated.",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    out: Out = None,
    resume: Resume = False,
    threads: TorchThreads = 1,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a small policy to do what larger ones and searches do; --resume goes on."""
    _refuse_missing()
    from .agents.settings import DistillationSettings, read_settings

    taught = {"teachers": [str(path.resolve()) for path in teacher or ()]}
    changed = [{"distillation": taught}] if teacher else []
    settings = read_settings(config, songs=songs, seed=seed, changed=changed)
    if not isinstance(settings, DistillationSettings):
        raise MixgymError(
            f"{config} holds no line `algorithm: distillation`; run it by `mixgym train`."
        )
    trained = _run(config, settings, out, resume, threads, quiet or as_json)
    told = None
    if trained.finished and (as_json or not quiet):
        from .export.kept import compare

        with progress_bars(quiet or as_json) as progress:
            told = compare([trained.weights], settings, tell=progress)[0].kept()
    _tell(trained, as_json, quiet, told)


def _run(
    config: Path, settings: Settings, out: Path | None, resume: bool, threads: int, silent: bool
) -> Trained:
    from .agents.train import train as run
    from .runtime.interruption import gentle_interrupt

    folder = out or Path("runs") / f"{config.stem}-{settings.seed}"
    with gentle_interrupt() as asked_to_end, _view(silent, settings.total_steps) as tell:
        return run(
            settings,
            folder,
            resume=resume,
            threads=threads,
            tell=tell,
            asked_to_end=asked_to_end,
        )


def _tell(trained: Trained, as_json: bool, quiet: bool, kept: Kept | None = None) -> None:
    if as_json:
        print_json(
            {
                "weights": str(trained.weights),
                "steps": trained.steps,
                "gain": trained.gain,
                "finished": trained.finished,
                **({"kept": kept._asdict()} if kept else {}),
            }
        )
    elif not quiet:
        typer.echo(f"{trained.weights}: {trained.gain:+.4f} over equal loudness on other songs")
        if kept:
            typer.echo(f"{kept} of what the best of its teachers gains there")
        if not trained.finished:
            typer.echo(f"Ended after {trained.steps} steps; --resume goes on.")


def _refuse_missing() -> None:
    from importlib.util import find_spec

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise MixgymError(f"Training needs {missing[0]}: pip install 'mixgym[train]'.")


@contextmanager
def _view(silent: bool, total_steps: int) -> Iterator[Tell]:
    """A bar with the time left on standard error, where a person watches."""
    import sys

    if silent or sys.stderr is None or not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("Training"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} steps, {task.fields[rate]:.0f}/s"),
        TextColumn("gain {task.fields[gain]:+.4f}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),
        transient=True,
        speed_estimate_period=120,
    )
    task = bar.add_task("", total=total_steps, rate=0.0, gain=0.0)

    def tell(progress: Progress) -> None:
        rate = progress.taken / max(bar.tasks[0].elapsed or 0.0, 1e-9)
        bar.update(task, completed=progress.steps, rate=rate, gain=progress.gain)

    with bar:
        yield tell
