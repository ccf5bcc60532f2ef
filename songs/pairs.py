"""Stereo tracks that were exported as two mono files."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from .formats import AudioInfo
from .layouts import StemFile

# "OH_L", "OH L", "OH.L", "OH-R", "Gtr Left", "OverheadR"; never "HALL" or "Floor".
_SIDE = re.compile(
    r"(?P<name>.*?[^\W_].*?)"
    r"(?:[\s_.\-]+\(?(?P<word>(?i:l|r|left|right))\)?|(?<=[a-z0-9])(?P<camel>[LR]|Left|Right))$"
)
_INDEX = re.compile(r"^\d+[\s._-]+")


@dataclass(frozen=True)
class Track:
    """A stem to be: one stream, or the left and the right one."""

    name: str
    file: StemFile
    streams: tuple[AudioInfo, ...]


def join_pairs(tracks: Sequence[Track]) -> list[Track]:
    """Join mono tracks at one rate whose names differ in their side alone, left first.

    Track numbers in front may differ too ("05_OH_L", "06_OH_R"); where several pairs share a name
    they are joined in order. The pair stands where its left side stood, without the side in its
    name.
    """
    sides: dict[tuple[object, ...], dict[str, list[Track]]] = defaultdict(
        lambda: {"l": [], "r": []}
    )
    for track in tracks:
        split = pair_key(track.file.path.stem)
        if split and len(track.streams) == 1 and track.streams[0].channels == 1:
            name, side = split
            sides[track.file.path.parent, name, track.streams[0].sample_rate][side].append(track)
    joined: dict[int, Track] = {}
    absorbed: set[int] = set()
    for pair in sides.values():
        if len(pair["l"]) == len(pair["r"]):
            for left, right in zip(pair["l"], pair["r"], strict=True):
                bare = _side(left.name)
                joined[id(left)] = Track(
                    bare[0] if bare else left.name, left.file, left.streams + right.streams
                )
                absorbed.add(id(right))
    return [joined.get(id(track), track) for track in tracks if id(track) not in absorbed]


def pair_key(name: str) -> tuple[str, str] | None:
    """What both sides of a track have in common in their names, and "l" or "r".

    None where the name, given without its ending, ends in no side.
    """
    split = _side(name)
    return split and (_INDEX.sub("", split[0]).lower(), split[1])


def _side(name: str) -> tuple[str, str] | None:
    """Split "OH_L" into ("OH", "l"); None where the name ends in no side."""
    match = _SIDE.match(name)
    if match is None:
        return None
    side = match["word"] or match["camel"]
    return match["name"], side[0].lower()
