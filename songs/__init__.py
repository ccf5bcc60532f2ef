"""Songs as stems: what they are, how folders of audio become them.

    song        Stem, Song, Excerpt
    read        read_song: files in, a song out
    excerpt     most_active_excerpt: which ten seconds to listen to
    roles       ROLES, guess_role, and the table of names behind it
    generate    songs of our own, synthesised

Behind `read`: `layouts` finds the files of a song, `metadata` reads what lies beside them, `pairs`
joins left and right, `decode` opens a file (`_sndfile`, `_libav`, `completeness`, `stem_mp4`), and
`readers` and `spool` give random access to the samples.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .roles import ROLES, guess_role

if TYPE_CHECKING:
    from .excerpt import most_active_excerpt
    from .read import read_song
    from .song import Excerpt, Song, Stem

_LAZY = {
    "Excerpt": "song",
    "Song": "song",
    "Stem": "song",
    "most_active_excerpt": "excerpt",
    "read_song": "read",
}

__all__ = [
    "ROLES",
    "Excerpt",
    "Song",
    "Stem",
    "guess_role",
    "most_active_excerpt",
    "read_song",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
