"""`mixgym bench policy`: what a policy does on songs that it never heard, and on odd ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..console.hear import hear
from ..console.mix import Mix
from ..console.preset import apply_preset, preset_of
from ..console.rules import equal_loudness, roles
from ..console.space import Space
from ..errors import MixgymError
from ..rewards import Evaluator, Reward, load_reward
from ..rewards.facts import Facts
from ..rewards.features import stem_features, stem_state
from ..songs import Song
from .arena.pieces import Piece, find_pieces, open_piece
from .arena.policy import load_policy
from .arena.settings import make_settings
from .machine import describe_machine
from .mapper import make_mapper
from .policy_red_team import CASES, spoiled
from .policy_spread import Seen, spread

Tell = Callable[[str, float], None]
Mixer = Callable[[Song, Reward], Mix]

SIZES = (2, 4, 8, 16, 32)
PER_SIZE = 8  # songs of each number of stems
SHIFTS = (1, 2, 3)  # how far down the list the song is whose mix a song gets
RESAMPLES = 10_000
VOICES = ("lead_vocal", "backing_vocal")
NEAR = 0.01  # a score so little below equal loudness counts as none lost
CEILING_DB = 0.05  # what a true peak may be above the ceiling


@dataclass(frozen=True, slots=True)
class Heard:
    """One mix of a song: its score on `render`, and its true peak."""

    score: float
    true_peak_dbtp: float


def bench_policy(
    policy: Path,
    songs: Sequence[Path],
    *,
    split: str = "test",
    excerpts: int = 2,
    seconds: float = 10.0,
    style: str = "balanced",
    seed: int = 0,
    tell: Tell = lambda what, share: None,
) -> dict[str, Any]:
    """Try a policy; all scores are of renders.

    Args:
        policy: an ONNX file, or weights of `mixgym train`.
        songs: folders of songs, and training sets.
        split: which of them.
        excerpts: of each song, at most.
        seconds: of each.
        style: of the reward.
        seed: of what is drawn.
        tell: told what is being done and the share of it that is done.

    Returns:
        JSON: `songs` (rows of scores), `gains` (over equal loudness and over role rules, with 95 %
        intervals over songs: all, with voices, by number of stems, with all roles unknown),
        `swaps` (what a song loses with another's mix), `spread` (see `policy_spread`), `red_team`
        (by case and song the score, equal loudness's, and the true peak).

    Raises:
        MixgymError: no songs, one that cannot be read, or a file that holds no policy.
    """
    mixer, reward = load_policy(policy), load_reward(style)
    settings = make_settings(
        songs=songs, split=split, excerpts=excerpts, seconds=seconds, style=style
    )
    with make_mapper("inline") as mapper:
        pieces = find_pieces(settings, mapper, tell)
    trial = _Trial(mixer, reward, seed, tell)
    rows = trial.songs(pieces)
    return {
        "benchmark": "policy",
        "machine": describe_machine(),
        "inputs": f"{policy.name}, {len(pieces)} excerpts of {len({p.song for p in pieces})} songs"
        f" of {split}, {seconds:g} s each, reward {style}, seed {seed}",
        "songs": rows,
        "gains": {
            "all": _gains(rows, seed),
            "voices": _gains([row for row in rows if row["voices"]], seed),
            "unknown_roles": _gains(trial.unknown(pieces), seed),
            **{f"{size}_stems": _gains(trial.sized(pieces, size), seed) for size in SIZES},
        },
        "swaps": trial.swaps(pieces),
        "spread": spread([_seen(piece, mixer, reward) for piece in pieces]),
        "red_team": trial.red_team(pieces),
    }


class _Trial:
    """A policy under a reward."""

    def __init__(self, mixer: Mixer, reward: Reward, seed: int, tell: Tell) -> None:
        self._mixer, self._reward, self._seed, self._tell = mixer, reward, seed, tell

    def songs(self, pieces: Sequence[Piece]) -> list[dict[str, Any]]:
        rows = []
        for piece, song in self._each("Mixing", pieces):
            voices = any(stem.role in VOICES for stem in song.stems)
            rows.append({"song": piece.song, "excerpt": piece.excerpt, "voices": voices})
            rows[-1] |= self._row(song)
        return rows

    def unknown(self, pieces: Sequence[Piece]) -> list[dict[str, Any]]:
        """The same songs, nothing known of what their stems are; a song's first excerpt."""
        firsts = [piece for piece in pieces if piece.excerpt == 0]
        return [
            {"song": piece.song, **self._row(_nameless(song))}
            for piece, song in self._each("Mixing without roles", firsts)
        ]

    def sized(self, pieces: Sequence[Piece], size: int) -> list[dict[str, Any]]:
        """Songs of so many stems: fewer of a song's own, or more, of the songs that follow."""
        firsts = [piece for piece in pieces if piece.excerpt == 0]
        rows = []
        for number, piece in enumerate(firsts[:PER_SIZE]):
            self._tell(f"Mixing {size} stems", number / PER_SIZE)
            others = islice(cycle(firsts), number, number + len(firsts))
            song = _of_size(list(others), size, np.random.default_rng((self._seed, number, size)))
            rows.append({"song": piece.song, **self._row(song)})
        return rows

    def swaps(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        """Every song with the mixes of others, dealt by name and by role as presets are."""
        presets, own = [], []
        for _, song in self._each("Mixing to swap", pieces):
            mix = self._mixer(song, self._reward)
            presets.append(preset_of(mix))
            own.append(float(Evaluator(song, self._reward).evaluate_mixes([mix]).score[0]))
        lost = np.full((len(SHIFTS), len(pieces)), np.nan)
        for number, (piece, song) in enumerate(self._each("Swapping", pieces)):
            evaluator = Evaluator(song, self._reward)
            others = [n for n, other in enumerate(pieces) if other.song != piece.song]
            for i, shift in enumerate(SHIFTS[: len(others)]):
                other = others[(number + shift) % len(others)]
                given = apply_preset(presets[other], song).mix
                lost[i, number] = own[number] - float(evaluator.evaluate_mixes([given]).score[0])
        found = lost[np.isfinite(lost)]
        if not found.size:
            raise MixgymError("Mixes cannot be swapped with one song alone; give more songs.")
        return {
            "fidelity": "simulate",
            "pairs": int(found.size),
            "lost": float(found.mean()),
            "share_lower": float((found > 0).mean()),
        }

    def red_team(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        firsts = [piece for piece in pieces if piece.excerpt == 0]
        cases: dict[str, Any] = {case: {} for case in CASES}
        for piece, song in self._each("Red team", firsts):
            for case in CASES:
                odd = spoiled(song, case, self._seed)
                neutral = self._heard(odd, equal_loudness(odd))
                heard = self._heard(odd, self._mixer(odd, self._reward))
                cases[case][piece.song] = {
                    "policy": heard.score,
                    "equal_loudness": neutral.score,
                    "true_peak_dbtp": heard.true_peak_dbtp,
                    "held": heard.score >= neutral.score - NEAR
                    and heard.true_peak_dbtp <= -1.0 + CEILING_DB,
                }
        held = [row["held"] for rows in cases.values() for row in rows.values()]
        return {"held": float(np.mean(held)), "cases": cases}

    def _row(self, song: Song) -> dict[str, Any]:
        mixes = {
            "equal_loudness": equal_loudness(song),
            "roles": roles(song),
            "policy": self._mixer(song, self._reward),
        }
        scores = {name: self._heard(song, mix).score for name, mix in mixes.items()}
        return {"stems": len(song.stems), **scores}

    def _heard(self, song: Song, mix: Mix) -> Heard:
        readings, _ = hear(song, mix)
        scene = Evaluator(song, self._reward).scene(mix.strips[None], mix.master[None])
        score = float(self._reward(readings, scene).score[0])
        return Heard(score, float(readings.true_peak_dbtp[0]))

    def _each(self, what: str, pieces: Sequence[Piece]) -> Iterator[tuple[Piece, Song]]:
        for number, piece in enumerate(pieces):
            self._tell(what, number / len(pieces))
            yield piece, open_piece(piece)


def _gains(rows: Sequence[dict[str, Any]], seed: int) -> dict[str, Any] | None:
    """Mean rise of the score over both rules, songs drawn again for the intervals."""
    if not rows:
        return None
    names = sorted({row["song"] for row in rows})
    found: dict[str, Any] = {"songs": len(names), "excerpts": len(rows)}
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(names), size=(RESAMPLES, len(names)))
    for rule in ("equal_loudness", "roles"):
        by_song = np.array(
            [
                np.mean([row["policy"] - row[rule] for row in rows if row["song"] == name])
                for name in names
            ]
        )
        low, high = np.percentile(by_song[drawn].mean(axis=1), (2.5, 97.5))
        found[f"over_{rule}"] = {
            "mean": float(by_song.mean()),
            "interval": [float(low), float(high)],
            "share_above": float((by_song > 0).mean()),
        }
    return found


def _nameless(song: Song) -> Song:
    audio = {
        f"Track {number}": stem.read(0, stem.frames) for number, stem in enumerate(song.stems, 1)
    }
    unknown = dict.fromkeys(audio, "other")
    return Song.from_arrays(audio, song.sample_rate, title=song.title, roles=unknown)


def _of_size(pieces: Sequence[Piece], size: int, rng: np.random.Generator) -> Song:
    """Stems of the first piece in random order, then of the next, until there are enough."""
    audio: dict[str, NDArray[np.float32]] = {}
    roles_of: dict[str, str] = {}
    title, rate = "", 0
    for piece in pieces:
        song = open_piece(piece)
        if rate not in (0, song.sample_rate):
            continue
        title, rate = title or song.title, song.sample_rate
        for index in rng.permutation(len(song.stems)):
            if len(audio) == size:
                break
            stem = song.stems[index]
            name = f"{len(audio) + 1} {stem.name}"
            audio[name], roles_of[name] = stem.read(0, stem.frames), stem.role
    return Song.from_arrays(audio, rate, title=title, roles=roles_of)


def _seen(piece: Piece, mixer: Mixer, reward: Reward) -> Seen:
    song = open_piece(piece)
    evaluator, neutral, mix = Evaluator(song, reward), Mix.neutral(song), mixer(song, reward)
    strips, master = neutral.strips[None], neutral.master[None]
    readings = evaluator.read(strips, neutral.buses[None], master)
    state = stem_state(Facts(readings, evaluator.scene(strips, master)))[0]
    features = np.concatenate((stem_features(evaluator.analysis, evaluator.roles), state), axis=1)
    space, stems = Space(), len(song.stems)
    genome = space.encode(mix.strips[None], mix.buses[None], mix.master[None])[0]
    set_to = genome[: stems * len(space.strip)].reshape(stems, -1)
    heard = evaluator.present
    return Seen(piece.song, features[heard], evaluator.roles[heard], set_to[heard])
