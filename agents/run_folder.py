"""What a training run leaves on disk.

settings.yaml      as they were used
run.json           command, versions, environment, songs
progress.csv       a line for each update
evaluations.jsonl  a line for each validation
best.npz           weights of the highest validation score so far, less what mixes cost
last.npz           weights of the last validation or checkpoint
checkpoint.pt      all that a run goes on from; a pickle, so open none of a stranger's
tensorboard/       where TensorBoard is installed
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import torch
import yaml

from .. import __version__
from ..errors import MixgymError
from .settings import Settings

SETTINGS, RUN = "settings.yaml", "run.json"
PROGRESS, EVALUATIONS = "progress.csv", "evaluations.jsonl"
BEST, LAST, CHECKPOINT = "best.npz", "last.npz", "checkpoint.pt"
STEPS = "steps"  # first column of the progress, and a key of every evaluation


class Validated(NamedTuple):
    """A validation in `simulate`.

    Attributes:
        steps, seconds: that the run had taken.
        gains: over equal loudness by style and title.
    """

    steps: int
    seconds: float
    gains: dict[str, float]


class RunFolder:
    """A run's folder.

    Args:
        path: made where there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made: list[Path] = []  # by `begin`, the innermost first
        self._there: set[str] = set()  # in the folder before

    @property
    def begun(self) -> bool:
        """Whether a run was begun here."""
        return (self.path / RUN).exists()

    def check_place(self) -> None:
        """See that a run can begin here.

        Raises:
            MixgymError: the folder holds something else, is a file, or cannot be written.
        """
        place = self.path.absolute()
        there = next(path for path in (place, *place.parents) if path.exists())
        if not there.is_dir():
            raise MixgymError(f"{there} is a file; name a folder by --out.")
        if not os.access(there, os.W_OK | os.X_OK):
            raise MixgymError(f"The folder {there} cannot be written; name another by --out.")
        if there != place:
            return
        if any(path.name != SETTINGS and not _partial(path) for path in place.iterdir()):
            raise MixgymError(f"{self.path} holds something else; name another folder by --out.")

    def begin(self, settings: Settings, about: Mapping[str, Any]) -> None:
        """Take note of a new run.

        Raises:
            MixgymError: it cannot begin here.
            OSError: it cannot be written.
        """
        self.check_place()
        self._made = [path for path in (self.path, *self.path.parents) if not path.exists()]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MixgymError(
                f"The folder {self.path} cannot be made ({error.strerror}); name another by --out."
            ) from error
        self._there = {path.name for path in self.path.iterdir()}
        text = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)
        self._write(SETTINGS, text.encode())
        described = {"settings": settings.model_dump(mode="json"), **about}
        self._write(RUN, json.dumps(described, indent=1).encode())

    def forget(self) -> None:
        """Remove a run that was begun here and came to no checkpoint."""
        if CHECKPOINT in (names := {path.name for path in self.path.iterdir()}):
            return
        for path in (self.path / name for name in names - self._there):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
        with contextlib.suppress(OSError):  # somebody else has put something there
            for folder in self._made:
                folder.rmdir()

    def check(self, settings: Settings) -> None:
        """See that the run was begun with these settings, by this version.

        Raises:
            MixgymError: it was not, or it cannot be known.
        """
        try:
            about = json.loads((self.path / RUN).read_text(encoding="utf-8"))
            theirs, version = about["settings"], about["versions"]["mixgym"]
        except (ValueError, KeyError, TypeError) as error:
            raise MixgymError(f"{self.path / RUN} is damaged; begin another run.") from error
        if version != __version__:
            raise MixgymError(
                f"The run in {self.path} was begun by mixgym {version}; go on with that one, or "
                "begin another run."
            )
        ours = settings.model_dump(mode="json")
        if theirs != ours:
            differing = ", ".join(key for key in ours if theirs.get(key) != ours[key])
            raise MixgymError(
                f"The run in {self.path} was begun with other settings ({differing}); go on with "
                "those that it was begun with, or name another folder by --out."
            )

    def add_progress(self, row: Mapping[str, float]) -> None:
        """A line of `PROGRESS`; the first row's keys are its columns."""
        path = self.path / PROGRESS
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(row)
            writer.writerow(f"{value:.6g}" if value % 1 else int(value) for value in row.values())

    def add_evaluation(self, evaluation: Mapping[str, Any]) -> None:
        """A line of `EVALUATIONS`."""
        with (self.path / EVALUATIONS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(evaluation) + "\n")

    def evaluations(self) -> list[dict[str, Any]]:
        """All that were made, in order."""
        path = self.path / EVALUATIONS
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def validations(self) -> list[Validated]:
        """Those in `simulate`, in order, the styles of one together."""
        found: dict[int, Validated] = {}
        for evaluation in self.evaluations():
            if evaluation["fidelity"] == "simulate":
                steps, style = evaluation[STEPS], evaluation["style"]
                new = Validated(steps, evaluation["seconds"], {})
                gains = found.setdefault(steps, new).gains
                gains |= {f"{style}: {title}": gain for title, gain in evaluation["gains"].items()}
        return list(found.values())

    def rewind(self, steps: int) -> None:
        """Forget what was written after so many steps (-1: all), and what is half written."""
        for path in filter(_partial, list(self.path.iterdir())):
            if path.is_file():
                path.unlink()
        for name, at in ((PROGRESS, _csv_steps), (EVALUATIONS, _json_steps)):
            path = self.path / name
            if path.exists():
                lines = path.read_text(encoding="utf-8").splitlines()
                self._write(name, _lines(line for line in lines if at(line) <= steps))

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Replace the checkpoint."""
        self._replace(CHECKPOINT, lambda file: torch.save(dict(state), file))

    def load_checkpoint(self) -> dict[str, Any] | None:
        """The last one, if any was written.

        Raises:
            MixgymError: it is damaged.
        """
        path = self.path / CHECKPOINT
        if not path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
        except (RuntimeError, EOFError, pickle.UnpicklingError, AttributeError) as error:
            raise MixgymError(f"{path} is damaged; begin another run.") from error
        return state

    def _write(self, name: str, content: bytes) -> None:
        self._replace(name, lambda file: file.write(content))

    def _replace(self, name: str, write: Callable[[IO[bytes]], Any]) -> None:
        partial = self.path / f".mixgym-{os.getpid()}-{name}"
        try:
            with partial.open("wb") as file:
                write(file)
            partial.replace(self.path / name)
        finally:
            partial.unlink(missing_ok=True)


def _partial(path: Path) -> bool:
    return path.name.startswith(".mixgym-")


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _csv_steps(line: str) -> int:
    """Steps of a line; the header has none, what was cut off too many."""
    first, _, _ = line.partition(",")
    if first == STEPS:
        return -1
    return int(first) if first.isdecimal() else 2**62


def _json_steps(line: str) -> int:
    try:
        return int(json.loads(line)[STEPS])
    except ValueError:
        return 2**62
