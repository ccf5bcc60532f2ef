"""Stems as they arrive: bounded, and kept under names of our own."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import unicodedata
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from pathlib import Path

from ...songs.formats import AUDIO_SUFFIXES, is_stem_container
from ...songs.layouts import natural_order
from ...songs.pairs import pair_key
from .limits import Limits, RefusalError, megabytes

LONGEST_NAME = 100
CHECKED_BYTES = 4_000_000  # so often an upload asks whether there is room for more
SONG = "song.json"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that arrived.

    Attributes:
        name: as the person calls it, without its ending.
        path: where it lies; nothing of it comes from the name but the kind of file.
    """

    name: str
    path: Path


class Uploads:
    """The files of one job.

    Args:
        folder: exists, holds nothing else.
        limits: of size and number.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder, self._limits = folder, limits
        self._numbers = count()
        self._bytes = self._arriving = 0
        self._done: dict[int, Upload] = {}

    def __len__(self) -> int:
        """How many have arrived."""
        return len(self._done)

    def __iter__(self) -> Iterator[Upload]:
        """Those that have arrived, in the order of a folder that holds them."""
        found = (upload for _, upload in sorted(self._done.items()))
        return iter(sorted(found, key=lambda u: natural_order(u.name + u.path.suffix)))

    async def receive(self, given: str, chunks: AsyncIterator[bytes], length: int) -> Upload:
        """Keep one file.

        Args:
            given: its name on the person's machine, of which nothing is trusted.
            chunks: its content.
            length: what the request says of its size, 0 if nothing.

        Raises:
            RefusalError: no kind of audio file, too large, too many, stalled, or no space for it.
        """
        name, suffix = named(given)
        if len(self) + self._arriving >= self._limits.files:
            raise RefusalError(
                413, f"A song may have {self._limits.files} files here; bounce some groups."
            )
        self._check_size(name, length, length)
        self._check_space(length)
        number = next(self._numbers)
        path = self.folder / f"{number:03d}{_pair_mark(name)}{suffix}"
        self._arriving += 1
        try:
            if not await self._keep(name, path, chunks):
                raise RefusalError(400, f"{name}{suffix} is empty (0 bytes): export it again.")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            self._arriving -= 1
        self._done[number] = Upload(name, path)
        return self._done[number]

    async def _keep(self, name: str, path: Path, chunks: AsyncIterator[bytes]) -> int:
        size = 0
        try:
            with path.open("xb") as file:
                while chunk := await self._next(name, chunks):
                    self._check_size(name, size + len(chunk), len(chunk))
                    if (size + len(chunk)) // CHECKED_BYTES > size // CHECKED_BYTES:
                        self._check_space(len(chunk))
                    size += len(chunk)
                    self._bytes += len(chunk)
                    file.write(chunk)
        except BaseException:
            self._bytes -= size
            raise
        return size

    def _check_space(self, more: int) -> None:
        """Refuse what would leave too little of the disk to others."""
        if shutil.disk_usage(self.folder).free - more < self._limits.free_bytes:
            raise RefusalError(507, "There is no room left for uploads: make some on this disk.")

    def _check_size(self, name: str, size: int, more: int) -> None:
        """Refuse a file of this size, of which this much is not counted yet."""
        if size > self._limits.file_bytes:
            allowed = megabytes(self._limits.file_bytes)
            raise RefusalError(413, f"{name} is too large: a file may have {allowed} here.")
        if self._bytes + more > self._limits.job_bytes:
            allowed = megabytes(self._limits.job_bytes)
            raise RefusalError(413, f"{name} is too much: all together may have {allowed} here.")

    async def _next(self, name: str, chunks: AsyncIterator[bytes]) -> bytes:
        """The next chunk that holds something, nothing at the end."""
        try:
            async with asyncio.timeout(self._limits.stalled_s):
                async for chunk in chunks:
                    if chunk:
                        return chunk
        except TimeoutError as error:
            raise RefusalError(408, f"{name} stopped arriving: send it again.") from error
        return b""

    def describe(self) -> None:
        """Say beside the files what they are called, for `read_song`."""
        stems = [{"file": upload.path.name, "name": upload.name} for upload in self]
        text = json.dumps({"title": "song", "stems": stems})
        (self.folder / SONG).write_text(text, encoding="utf-8")

    def in_words(self, sentence: str) -> str:
        """A sentence about our files as one about the person's."""
        for upload in self:
            sentence = sentence.replace(str(upload.path), upload.name)
        return sentence.replace(str(self.folder), "What you uploaded")


def named(given: str) -> tuple[str, str]:
    """A file's name without folders, ending and anything that cannot be shown; and the ending.

    Raises:
        RefusalError: the ending is none of an audio file.
    """
    last = re.split(r"[/\\]", given)[-1]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip()
    path = Path(shown)
    suffix = path.suffix.lower()
    if suffix not in AUDIO_SUFFIXES:
        short = shown[:LONGEST_NAME] or "That file"
        raise RefusalError(415, f"{short} is not a kind of audio file that can be read here.")
    stem = path.stem
    if is_stem_container(path):
        stem, suffix = Path(stem).stem, f".stem{suffix}"
    return stem[:LONGEST_NAME].strip() or "stem", suffix


def _pair_mark(name: str) -> str:
    """What two sides of one track have in common in our names, and which side this is."""
    key = pair_key(name)
    if key is None:
        return ""
    digest = blake2b(key[0].encode(errors="replace"), digest_size=8).digest()
    return f"_{int.from_bytes(digest)}_{key[1]}"  # digits: letters might be read as a role
