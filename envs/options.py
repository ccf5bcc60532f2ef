"""What can be chosen when an environment is made, and what its tasks are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import Any, Literal

from ..console.insert import Insert
from ..console.space import (
    BUS_PARAMETERS,
    CHAIN_PARAMETERS,
    LEVEL_PARAMETERS,
    MIX_BUS_PARAMETERS,
    STRIP_PARAMETERS,
    Space,
)
from ..errors import MixgymError
from ..rewards.reward import Reward, load_reward
from ..songs.song import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE
from .repertoire import Repertoire
from .sources import Songs, find_sources
from .tracks import tracks_at

Control = Literal["delta", "absolute"]
Fidelity = Literal["simulate", "render"]
CONTROLS, FIDELITIES = ("delta", "absolute"), ("simulate", "render")
RENDER_MODES = ("ansi", "rgb_array", "audio")


@dataclass(frozen=True)
class Task:
    """What an environment is about: the parameters that are set unless others are named.

    Attributes:
        name: of the environment, without its version.
        strip, buses, master: the parameters, by table.
        allowed: options that change them.
        stems: whether songs are stems rather than finished tracks.
    """

    name: str
    strip: tuple[str, ...] = ()
    buses: tuple[str, ...] = ()
    master: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    stems: bool = True


MIXING = Task(
    "Mixing",
    STRIP_PARAMETERS,
    BUS_PARAMETERS,
    MIX_BUS_PARAMETERS,
    ("strip_parameters", "bus_parameters", "master_parameters", "insert"),
)
LEVELS = Task("MixingLevels", LEVEL_PARAMETERS)
MASTERING = Task("Mastering", master=CHAIN_PARAMETERS, allowed=("master_parameters",), stems=False)


@dataclass(frozen=True)
class EnvOptions:
    """Keyword arguments of every environment; the classes' docstrings say what they mean.

    Raises:
        ValueError: a value that cannot be.
    """

    songs: Songs = None
    split: str = "train"
    spoiled: int = 0
    seconds: float = 10.0
    sample_rate: int = 44_100
    reward: str | Path | Reward = "balanced"
    control: Control = "delta"
    step_size: float = 0.25
    episode_steps: int = 8
    max_stems: int | None = None
    shuffle_stems: bool = False
    strip_parameters: Sequence[str] | None = None
    bus_parameters: Sequence[str] | None = None
    master_parameters: Sequence[str] | None = None
    insert: Insert | None = None
    fidelity: Fidelity = "simulate"
    threads: int | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> EnvOptions:
        """Options by name.

        Raises:
            TypeError: a name that there is not.
        """
        names = [field.name for field in fields(cls)]
        for name in options:
            if name not in names:
                raise TypeError(f"there is no argument {name!r}; choose from {', '.join(names)}")
        return cls(**options)

    def __post_init__(self) -> None:
        _one_of("control", self.control, CONTROLS)
        _one_of("fidelity", self.fidelity, FIDELITIES)
        _at_least("episode_steps", self.episode_steps, 1)
        _at_least("spoiled", self.spoiled, 0)
        if self.max_stems is not None:
            _at_least("max_stems", self.max_stems, 1)
        if self.threads is not None:
            _at_least("threads", self.threads, 1)
        if not 0 < self.step_size <= 2:
            raise ValueError(f"step_size is {self.step_size}; choose above 0, and at most 2")
        _within("seconds", self.seconds, 1, 600)
        _within("sample_rate", self.sample_rate, MIN_SAMPLE_RATE, MAX_SAMPLE_RATE)
        if self.insert is not None and self.fidelity != "render":
            raise ValueError("an insert cannot be simulated: pass fidelity='render' with it")

    @cached_property
    def loaded_reward(self) -> Reward:
        """The reward that is named.

        Raises:
            MixgymError: no such style or file, or a file that cannot be used.
        """
        return self.reward if isinstance(self.reward, Reward) else load_reward(self.reward)

    def space(self, task: Task) -> Space:
        """The parameters that are set.

        Raises:
            ValueError: names that there are not, or that the task does not leave open.
        """
        chosen = {
            "strip_parameters": self.strip_parameters,
            "bus_parameters": self.bus_parameters,
            "master_parameters": self.master_parameters,
        }
        for name, value in (*chosen.items(), ("insert", self.insert)):
            if value is not None and name not in task.allowed:
                cure = "" if task is MASTERING else "; mixgym/Mixing-v0 does"
                raise ValueError(f"mixgym/{task.name}-v0 takes no {name}{cure}")
            if isinstance(value, str):
                raise ValueError(f"{name} is {value!r}; give a list of names")
        usual = (task.strip, task.buses, task.master)
        strip, buses, master = (
            names if given is None else tuple(given)
            for names, given in zip(usual, chosen.values(), strict=True)
        )
        try:
            return Space(strip, buses, master)
        except MixgymError as error:
            raise ValueError(str(error)) from error

    def repertoire(self, task: Task) -> Repertoire:
        """The songs that are named.

        Raises:
            MixgymError: there are none, or they cannot be used.
            ValueError: the task has no tracks to spoil.
        """
        if self.spoiled and task.stems:
            raise ValueError(f"mixgym/{task.name}-v0 takes no spoiled; mixgym/Mastering-v0 does")
        sources = find_sources(self.songs, self.split, self.seconds, self.sample_rate)
        return Repertoire(
            sources if task.stems else tracks_at(sources, self.spoiled),
            self.seconds,
            self.sample_rate,
            rendered=self.fidelity == "render",
            insert=self.insert,
        )


def _one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; choose from {', '.join(choices)}")


def _within(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, Real) or not low <= float(value) <= high:
        raise ValueError(f"{name} is {value!r}; choose from {low} to {high}")


def _at_least(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is {value!r}; give a whole number of at least {least}")
