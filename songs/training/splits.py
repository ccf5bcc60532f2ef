"""Which split a song belongs to: decided by its artist, the same on every machine.

All songs of one artist lie in one split. `splits.json` settles the artists of public sets; any
other artist falls by a hash of the name, 80 % to training and 10 % each to validation and test. A
song without a known artist is looked up by its own name, and falls by the hash of that. The answer
depends on nothing else, so sets built apart from one another agree.
"""

import hashlib
import json
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
"""From what is learned on to what is kept from every learner."""

_TRAIN_SHARE, _VALIDATION_SHARE = 0.8, 0.1
_NOBODY = frozenset({"unknown", "unknownartist", "various", "variousartists", "untitled", "na"})


class Identity(NamedTuple):
    """Whose song it is, as far as is known."""

    song: str
    artist: str | None
    licence: str | None
    split: Split


class _Artist(BaseModel):
    """An artist of a public set: every spelling of the name, and the songs.

    `songs` leads from the name that a song's folder or file has in the set to its title.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    names: list[str] = Field(min_length=1)
    split: Split
    licence: str | None = None
    songs: dict[str, str] = Field(default_factory=dict)


class _PublicSet(BaseModel):
    """A public set of songs."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: str
    url: str
    licence: str | None = None
    artists: list[_Artist]


class _Table(BaseModel):
    """The whole of `splits.json`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    sets: list[_PublicSet]


class _Known(NamedTuple):
    song: str | None
    artist: str
    licence: str | None
    split: Split


def name_key(name: str) -> str:
    """A name without case, accents, spaces and punctuation: "Isaías  Arrué-R." is "isaiasarruer".

    A name of nothing but punctuation keeps it.
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in plain if c.isalnum()) or plain.strip()


def known_artist(artist: str | None) -> str | None:
    """The artist, None where the name says that nobody knows ("Unknown Artist", "")."""
    return None if artist is None or name_key(artist) in _NOBODY | {""} else artist


def identify(
    song: str, artist: str | None = None, licence: str | None = None, *, alias: str | None = None
) -> Identity:
    """Complete what is known of a song by `splits.json`, and tell its split.

    Args:
        song: its title.
        artist: None where nobody is named.
        licence: None where nothing is said.
        alias: another name that the song may be known by, such as its file's.
    """
    artists, songs = _known_names()
    artist = known_artist(artist)
    if artist is None:
        names = [name for name in (alias, song) if name is not None]
        found = next((songs[name_key(n)] for n in names if name_key(n) in songs), None)
        if found is None:
            return Identity(song, None, licence, _by_hash(name_key(song)))
        return Identity(found.song or song, found.artist, licence or found.licence, found.split)
    of_artist = artists.get(name_key(artist))
    if of_artist is None:
        return Identity(song, artist, licence, _by_hash(name_key(artist)))
    return Identity(song, artist, licence or of_artist.licence, of_artist.split)


def _by_hash(key: str) -> Split:
    """80/10/10 by SHA-256."""
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
    if share < _TRAIN_SHARE:
        return "train"
    return "validation" if share < _TRAIN_SHARE + _VALIDATION_SHARE else "test"


@cache
def _known_names() -> tuple[dict[str, _Known], dict[str, _Known]]:
    """`splits.json` by the keys of artists and of songs."""
    text = (files(__package__) / "splits.json").read_text(encoding="utf-8")
    artists: dict[str, _Known] = {}
    songs: dict[str, _Known] = {}
    for public in _Table.model_validate(json.loads(text)).sets:
        for artist in public.artists:
            licence = artist.licence or public.licence
            known = _Known(None, artist.names[0], licence, artist.split)
            for name in artist.names:
                _enter(artists, name, known)
            for name, title in artist.songs.items():
                _enter(songs, name, known._replace(song=title))
    return artists, songs


def _enter(table: dict[str, _Known], name: str, known: _Known) -> None:
    """Raise `ValueError` where one name would lie in two splits."""
    if table.setdefault(name_key(name), known).split != known.split:
        raise ValueError(f"splits.json puts {name!r} into two splits")
