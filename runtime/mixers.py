"""Mixers by name, for a person's own songs: the policy that comes along, rules, and a search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..console.mix import Budget, Mix, Mixer
from ..console.rules import MIXERS as RULES
from ..console.rules import mixer_by_rule
from ..console.styles import STYLES, style
from ..errors import MixgymError

if TYPE_CHECKING:
    from ..songs import Song
    from .policy.mixer import PolicyMixer
    from .stream.listeners import Listener

POLICY = "policy"
MIXERS = (POLICY, *RULES)
CHAINS = (POLICY, "rules")
POLICIES = Path(__file__).parent / "policies"
SEARCHED_S = 10.0  # of a song, its busiest
MOST_EVALUATIONS = 10_000_000  # more than any time allows


def mixer_named(
    name: str = POLICY,
    style_name: str = "balanced",
    *,
    policy: Path | None = None,
    search_s: float = 0.0,
    threads: int = 2,
) -> Mixer:
    """A mixer for whole songs: `mixer(song, budget)`.

    Args:
        name: one of `MIXERS`.
        style_name: how the mix leans.
        policy: another file than the one that comes along.
        search_s: seconds that a search goes on from its mix, on the song's busiest ten seconds.
        threads: at work on one song.

    Raises:
        MixgymError: no such mixer or style, or a file that holds no policy.
    """
    lean = style(style_name)
    if name == POLICY:
        mixer = _by_policy(open_policy(policy, threads), style_name)
    elif name in RULES:
        mixer = mixer_by_rule(name, lean)
    else:
        raise MixgymError(f"There is no mixer {name!r}; choose from {', '.join(MIXERS)}.")
    return _searched(mixer, style_name, search_s) if search_s > 0.0 else mixer


def listener_named(
    name: str = POLICY,
    style_name: str = "balanced",
    *,
    policy: Path | None = None,
    delivery: Mapping[str, float] | None = None,
    window_s: float = 10.0,
) -> Listener:
    """Who is asked about the last seconds while a stream plays; nothing of it is cached.

    Args:
        name: one of `MIXERS`.
        style_name: how the mix leans.
        policy: another file than the one that comes along.
        delivery: settings of the master, whatever the mixer says of them.
        window_s: what is heard, no more than the stream's history.

    Raises:
        MixgymError: no such mixer or style, or a file that holds no policy.
    """
    from .stream.listeners import MixerListener, PolicyListener

    style(style_name)
    if name == POLICY:
        return PolicyListener(open_policy(policy, 1), style_name, delivery, window_s)
    mixer = mixer_named(name, style_name)

    def delivered(song: Song, budget: Budget) -> Mix:
        return mixer(song, budget).with_master(**(delivery or {}))

    return MixerListener(delivered, window_s)


def automation_by_policy(
    style_name: str = "balanced", *, policy: Path | None = None, threads: int = 2
) -> Callable[[Song, Mix], tuple[Mix, str]]:
    """What lets the faders of a mix follow the sections of its song, and says what came of it.

    Args:
        style_name: how the mix leans.
        policy: another file than the one that comes along.
        threads: at work on one song.

    Raises:
        MixgymError: no such style, or a file that holds no policy.
    """
    style(style_name)
    opened = open_policy(policy, threads)

    def automation(song: Song, mix: Mix) -> tuple[Mix, str]:
        from .automation import automate

        automated = automate(opened, song, mix, style_name)
        return automated.mix, automated.note

    return automation


def chain_named(
    name: str = POLICY,
    style_name: str = "balanced",
    *,
    policy: Path | None = None,
    threads: int = 2,
) -> Callable[[Song], Mix] | None:
    """What sets the mastering chain of a whole track.

    Args:
        name: one of `CHAINS`.
        style_name: how the master leans; the rule takes over for one that the policy never learned.
        policy: another file than the one that comes along.
        threads: at work on one track.

    Returns:
        None for the rule.

    Raises:
        MixgymError: no such name or style, or a file that holds no policy.
    """
    style(style_name)
    if name not in CHAINS:
        raise MixgymError(f"There is no mixer {name!r} for masters; choose {' or '.join(CHAINS)}.")
    if name != POLICY:
        return None
    opened = open_policy(policy, threads, "mastering")
    if style_name not in opened.described.styles:
        return None

    def chain(track: Song) -> Mix:
        from .policy.whole_track import master_whole

        return master_whole(opened, track, style_name)

    return chain


@cache
def open_policy(path: Path | None, threads: int, task: str = "mixing") -> PolicyMixer:
    """The policy of a file, or the one that comes along; opened once.

    Raises:
        MixgymError: the file holds no policy for that task.
    """
    from .policy.mixer import PolicyMixer

    opened = PolicyMixer(path or POLICIES / f"{task}.onnx", threads=threads)
    if opened.described.task != task:
        raise MixgymError(
            f"{opened.path} holds a policy for {opened.described.task}; name one for {task}."
        )
    return opened


def _by_policy(policy: PolicyMixer, style_name: str) -> Mixer:
    from .policy.whole_song import mix_whole

    return lambda song, budget: mix_whole(policy, song, style_name)


def _searched(mixer: Mixer, style_name: str, seconds: float) -> Mixer:
    def searched(song: Song, budget: Budget) -> Mix:
        from ..console.carry import carry
        from ..evolution.mixers import DEFAULT_SEARCH, search_excerpt
        from ..rewards import load_reward
        from ..songs import most_active_excerpt

        start = mixer(song, budget)
        excerpt = most_active_excerpt(song, SEARCHED_S)
        choice = search_excerpt(
            excerpt,
            DEFAULT_SEARCH,
            Budget(MOST_EVALUATIONS, seconds),
            reward=load_reward(style_name),
            start=carry(start, song, excerpt, otherwise=Mix.neutral(excerpt)),
            lean=STYLES[style_name],
        )
        return carry(choice.mix, excerpt, song, otherwise=start)

    return searched
