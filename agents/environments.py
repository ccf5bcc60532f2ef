"""The environments that a training run asks for, and what a policy for them is like."""

from __future__ import annotations

from typing import Any

from ..envs.episodes import Episodes
from ..envs.options import LEVELS, MASTERING, MIXING, EnvOptions, Task
from ..envs.vector import (
    ConsoleVectorEnv,
    MasteringVectorEnv,
    MixingLevelsVectorEnv,
    MixingVectorEnv,
)
from ..errors import MixgymError
from .network import Sizes
from .settings import Environment, Network, ParallelEnvironment, Validation
from .weights import feature_sizes

ENVIRONMENTS: dict[str, tuple[Task, type[ConsoleVectorEnv]]] = {
    "mixgym/Mixing-v0": (MIXING, MixingVectorEnv),
    "mixgym/MixingLevels-v0": (LEVELS, MixingLevelsVectorEnv),
    "mixgym/Mastering-v0": (MASTERING, MasteringVectorEnv),
}
UNFIT = ("insert", "fidelity")  # arguments with which nothing can be learned at this speed


def make_environment(environment: ParallelEnvironment) -> ConsoleVectorEnv:
    """What a policy learns in.

    Raises:
        MixgymError: arguments that cannot be used, or songs that cannot be read.
    """
    _refuse_unfit(environment)
    try:
        envs = ENVIRONMENTS[environment.id][1](environment.count, **environment.arguments)
    except (ValueError, TypeError) as error:
        raise MixgymError(f"environment.arguments: {error}.") from error
    _refuse_more_stems(envs.episodes)
    return envs


def make_one_look(environment: Environment, count: int, **changed: Any) -> Episodes:
    """Episodes of so many songs at once, in which one action sets everything.

    Stems stay in their order, which a policy for sets of stems does not see.

    Args:
        environment: that is learned in.
        count: of episodes.
        **changed: arguments of the environment that differ.

    Raises:
        MixgymError: arguments that cannot be used, or songs that cannot be read.
    """
    _refuse_unfit(environment)
    task = ENVIRONMENTS[environment.id][0]
    try:
        options = EnvOptions.of({**environment.arguments, "shuffle_stems": False, **changed})
        if options.control != "absolute" or options.episode_steps != 1:
            raise ValueError("gradients need `control: absolute` and `episode_steps: 1`")
        episodes = Episodes(task, options, count)
    except (ValueError, TypeError) as error:
        raise MixgymError(f"environment.arguments: {error}.") from error
    _refuse_more_stems(episodes)
    return episodes


def make_validation(environment: Environment, validation: Validation, **changed: Any) -> Episodes:
    """Episodes of validation songs, one each, which have begun.

    Args:
        environment: that is learned in.
        validation: which songs.
        **changed: arguments of the environment that differ.

    Raises:
        MixgymError: songs that cannot be read.
    """
    songs = validation.songs or environment.arguments.get("songs")
    given = {"songs": songs, "split": validation.split, "shuffle_stems": False, "max_stems": None}
    task = ENVIRONMENTS[environment.id][0]
    try:
        options = EnvOptions.of({**environment.arguments, **given, **changed})
        count = min(validation.excerpts, len(options.repertoire(task)))
        return Episodes(task, options, count)
    except (ValueError, TypeError) as error:
        raise MixgymError(f"validation: {error}.") from error


def refuse_shared_songs(episodes: Episodes, held_out: Episodes) -> None:
    """Refuse to validate on songs that are learned from.

    Raises:
        MixgymError: a song is in both.
    """
    learned = episodes.repertoire.sources
    for source in held_out.repertoire.sources[: held_out.count]:
        if source in learned:
            raise MixgymError(
                f"{source.title!r} is learned from and validated on; name other songs in "
                "validation.songs, or learn from a set of `mixgym songs build`, which has splits."
            )


def network_sizes(episodes: Episodes, policy: Network) -> Sizes:
    """The network that such episodes need."""
    strip, bus = episodes.parameter_names
    stem, mix = feature_sizes(len(strip))
    return Sizes(
        stem=stem,
        mix=mix,
        strip=len(strip),
        bus=len(bus),
        width=policy.width,
        blocks=policy.blocks,
        heads=policy.heads,
        encoder=policy.encoder,
    )


def _refuse_unfit(environment: Environment) -> None:
    for name in UNFIT:
        if name in environment.arguments:
            raise MixgymError(f"Training takes no {name}; leave it out of environment.arguments.")


def _refuse_more_stems(episodes: Episodes) -> None:
    most = episodes.repertoire.most_stems()
    if most > episodes.stems:
        raise MixgymError(
            f"environment.arguments: max_stems is {episodes.stems}, and there is a song of "
            f"{most} stems; raise it, or leave it out."
        )
