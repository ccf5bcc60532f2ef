"""Training sets: many short excerpts of many songs, each an ordinary song folder.

    manifest    ManifestRow, read_manifest: what a set holds; leaks: what must not be in it
    splits      which split a song belongs to, by artist; `splits.json` for the public sets
    sources     folders of stems, MIDI files and seeds, found and named
    stems       excerpts of recorded songs
    midi        MIDI files, played through a SoundFont one instrument at a time
    generated   excerpts of songs of our own
    recipe      how a new excerpt is made of training excerpts: drawn, kept, read
    augment     a recipe carried out
    build       all of it, in parallel and resumable

Behind them: `windows` (which seconds to take), `excerpts` (one excerpt on disk), `keys` (musical
keys), `effects` (what spoils audio), `faults` (of tracks), `alignment` (beats onto beats),
`general_midi` (what its programs are), `workers` and `guarded` (processes), `records` and `work`
(what each of them does), `summary` (for a person).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .build import BuildOptions, build_training_set
    from .manifest import ManifestRow, leaks, read_manifest

_LAZY = {
    "BuildOptions": "build",
    "ManifestRow": "manifest",
    "build_training_set": "build",
    "leaks": "manifest",
    "read_manifest": "manifest",
}

__all__ = ["BuildOptions", "ManifestRow", "build_training_set", "leaks", "read_manifest"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
