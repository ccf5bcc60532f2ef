"""What an arena's best, worst and median song sound like, made again from their seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...console.rules import equal_loudness
from ...rewards.judges import matched
from ...runtime._clip import PEAK_LIMIT, mp3_data_uri
from .entrants import entrant
from .pieces import Piece
from .play import Stage, one_thread
from .standing import Standing

SECONDS = 8.0  # of each player
Tell = Callable[[str, float], None]


class Side(NamedTuple):
    """One of the mixes of a player, as an MP3 in a `data:` address."""

    label: str
    sound: str


class Player(NamedTuple):
    """One excerpt, to be switched between mixes of the same loudness."""

    title: str
    about: str
    sides: list[Side]


def players(standing: Standing, pieces: Sequence[Piece], tell: Tell) -> list[Player]:
    """Players of the excerpts on which the best mixer gains most, least and in the middle.

    Gains are over the mix with all stems equally loud. The mixes are made again from seed 0.

    Args:
        standing: with at least one mixer.
        pieces: where the excerpts lie.
        tell: told the share that is done.

    Raises:
        MixgymError: a song cannot be read any more.
    """
    best, budget = standing.ranked[0], standing.last
    gains = _gains(standing, best, budget)
    order = sorted(gains, key=lambda place: gains[place])
    chosen = {"best": order[-1], "median": order[(len(order) - 1) // 2], "worst": order[0]}
    by_place = {(piece.song, piece.excerpt): piece for piece in pieces}
    made = []
    for number, (which, place) in enumerate(chosen.items()):
        tell("Making players", number / len(chosen))
        sides = _sides(by_place[place], best, budget, standing)
        made.append(Player(f"{place[0]}: the {which} gain, {gains[place]:+.3f}", "", sides))
    return made


def _gains(standing: Standing, best: str, budget: int) -> dict[tuple[str, int], float]:
    """Mean score of the best mixer less that of equal loudness, where it competes, by excerpt."""
    ours = standing.values(best, budget)
    assert ours is not None
    base = (
        standing.values("equal_loudness", budget) if "equal_loudness" in standing.mixers else None
    )
    gain = ours.mean(axis=0) - (0.0 if base is None else base.mean(axis=0))
    return dict(zip(standing.places, gain.tolist(), strict=True))


def _sides(piece: Piece, best: str, budget: int, standing: Standing) -> list[Side]:
    settings = standing.settings
    stage = Stage(piece, settings.style)
    mixer = entrant(best)
    run = mixer.budgets(standing.budgets)[-1] if mixer.draws else budget
    begin = mixer.beginner(settings.style)
    with one_thread():
        played = mixer.play(begin, stage.excerpt, stage.reward, run, 0, settings.style)
    audio = {
        "equal loudness": stage.hear(equal_loudness(stage.excerpt)).audio,
        best: stage.hear(played.mix).audio,
    }
    if stage.person is not None:
        audio["a person's mix"] = stage.person.audio
    return [
        Side(label, mp3_data_uri(sound, stage.excerpt.sample_rate))
        for label, sound in _level_matched(audio, stage.excerpt.sample_rate).items()
    ]


def _level_matched(
    audio: dict[str, NDArray[np.float32]], sample_rate: int
) -> dict[str, NDArray[np.float32]]:
    """The same part of each, at one loudness and below full scale."""
    frames = min(round(SECONDS * sample_rate), *(sound.shape[1] for sound in audio.values()))
    equal = {label: matched(sound[:, :frames], sample_rate) for label, sound in audio.items()}
    peak = max(float(np.abs(sound).max(initial=0.0)) for sound in equal.values())
    gain = np.float32(min(1.0, PEAK_LIMIT / peak) if peak > 0 else 1.0)
    return {label: sound * gain for label, sound in equal.items()}
