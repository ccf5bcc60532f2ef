"""One person's song: what is known of it, what is being done to it, and when it goes away."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...errors import MixgymError
from .limits import Limits, RefusalError
from .uploads import Uploads

if TYPE_CHECKING:
    from pathlib import Path

    from ...console.mix import Mix
    from ...songs import Song
    from .previews import Preview, Previewer

BY_HAND = " and a person"


class CancelledWorkError(Exception):
    """The job was removed while it was worked on."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A song that was read.

    Attributes:
        song: open.
        previewer: of it.
        stems: what the page shows of each.
    """

    song: Song
    previewer: Previewer
    stems: tuple[dict[str, Any], ...]


class Job:
    """State that the page's requests and the workers share; safe to use from any thread.

    Attributes:
        id: random; whoever knows it may do anything to the job, and nobody else knows of it.
        folder: of this job alone.
        uploads: the stems as files.
        opened: the song, once it was read.
        mix: the settings, once there are any.
        revision: counts the changes of `mix`.
        preview: the newest that was rendered.
        files: what can be downloaded, by name, and of which revision it is.
    """

    def __init__(self, identity: str, folder: Path, limits: Limits) -> None:
        self.id, self.folder, self._limits = identity, folder, limits
        (folder / "stems").mkdir()
        self.uploads = Uploads(folder / "stems", limits)
        self.opened: Opened | None = None
        self.mix: Mix | None = None
        self.revision = 0
        self.preview: Preview | None = None
        self.files: dict[str, int] = {}
        self.closed = False
        self._lock = threading.RLock()
        self._users = self._watchers = 0
        self._seen, self._was_watched = time.monotonic(), False
        self._task: tuple[str, float] | None = None
        self._previewing = False
        self._error: str | None = None

    def state(self) -> dict[str, Any]:
        """What changes while work is done, as JSON can hold it."""
        with self._lock:
            shown = self.preview
            return {
                "task": {"what": self._task[0], "share": self._task[1]} if self._task else None,
                "error": self._error,
                "read": self.opened is not None,
                "revision": self.revision,
                "previewing": self._previewing,
                "preview": shown and _described(shown),
                "files": dict(self.files),
            }

    # One task at a time, and one preview beside it.

    def begin(self, what: str) -> None:
        """Claim the job for a task.

        Raises:
            RefusalError: it is gone, or another task is at work.
        """
        with self._lock:
            self._refuse_closed()
            if self._task is not None:
                raise RefusalError(409, f"Wait for what is being done: {self._task[0].lower()}.")
            self._task, self._error = (what, 0.0), None

    def tell(self, what: str, share: float) -> None:
        """Note a task's progress.

        Raises:
            CancelledWorkError: the job was removed.
            MixgymError: the disk fills up.
        """
        self.go_on(what, share)
        with self._lock:
            if self._task is not None:
                self._task = (what, round(min(max(share, 0.0), 1.0), 3))

    def go_on(self, what: str = "", share: float = 0.0) -> None:
        """See that work may go on; as `tell`, without a note."""
        if self.closed:
            raise CancelledWorkError
        if shutil.disk_usage(self.folder).free < self._limits.free_bytes:
            raise MixgymError("The disk is nearly full: make some room, then try again.")

    def fail(self, sentence: str) -> None:
        """Tell the person that something did not work."""
        with self._lock:
            self._error = self.uploads.in_words(sentence)

    def end(self) -> None:
        """The task is over."""
        with self._lock:
            self._task = None

    def wants_preview(self) -> bool:
        """Whether a worker should be sent: there are new settings, and none is at it."""
        with self._lock:
            heard = self.preview.revision if self.preview else 0
            if self._previewing or self.closed or heard == self.revision:
                return False
            self._previewing = True
            return True

    def show(self, preview: Preview | None) -> bool:
        """Take a preview; whether it is the last word, and the worker may leave."""
        with self._lock:
            if preview is not None:
                self.preview = preview
                if preview.revision != self.revision:
                    return False
            self._previewing = False
            return True

    def settings(self) -> tuple[Opened, Mix, int]:
        """The song, its settings and their revision, which belong together.

        Raises:
            RefusalError: there are none yet.
        """
        with self._lock:
            if self.opened is None or self.mix is None:
                raise RefusalError(409, "Mix the stems first.")
            return self.opened, self.mix, self.revision

    def set(self, mix: Mix) -> int:
        """Replace the settings; their new revision."""
        with self._lock:
            self.mix, self.revision, self._error = mix, self.revision + 1, None
            return self.revision

    def edit(
        self,
        strips: Mapping[str, Mapping[str, float]],
        buses: Mapping[str, float],
        master: Mapping[str, float],
    ) -> int:
        """Turn knobs by hand; the new revision.

        Args:
            strips: values by stem and parameter.
            buses, master: values by parameter.

        Raises:
            RefusalError: no such stem, or nothing to change yet.
            MixgymError: no such parameter, or a value outside its range.
        """
        with self._lock:
            _, mix, _ = self.settings()
            for stem, values in strips.items():
                if stem not in mix.stems:
                    raise RefusalError(404, f"There is no stem {stem[:100]!r}.")
                mix = mix.with_strip(stem, **values)
            mix = mix.with_buses(**buses).with_master(**master)
            return self.set(replace(mix, made_by=f"{mix.made_by.removesuffix(BY_HAND)}{BY_HAND}"))

    def offer(self, name: str, revision: int) -> None:
        """Let a file of the folder, made with settings of this revision, be downloaded."""
        with self._lock:
            self.files[name] = revision

    # Life and death.

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep song and folder inside of the block, even if the job is removed meanwhile.

        Raises:
            RefusalError: it was removed before.
        """
        with self._lock:
            self._refuse_closed()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
            self._dispose()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A page looks on inside of the block."""
        with self._lock:
            self._watchers += 1
            self._was_watched = True
        try:
            yield
        finally:
            with self._lock:
                self._watchers -= 1
            self.touch()

    def touch(self) -> None:
        """Somebody asked about it."""
        self._seen = time.monotonic()

    @property
    def abandoned(self) -> bool:
        """Whether nobody has cared for it long enough."""
        patience_s = self._limits.away_s if self._was_watched else self._limits.idle_s
        return self._watchers == 0 and time.monotonic() - self._seen > patience_s

    def close(self) -> None:
        """Stop its work and remove its files as soon as nothing uses them."""
        self.closed = True
        self._dispose()

    def _refuse_closed(self) -> None:
        if self.closed:
            raise RefusalError(404, "This song is gone: begin again.")

    def _dispose(self) -> None:
        with self._lock:
            if not self.closed or self._users > 0:
                return
            if self.opened is not None:
                self.opened.song.close()
                self.opened = None
        shutil.rmtree(self.folder, ignore_errors=True)


def _described(preview: Preview) -> dict[str, Any]:
    return {
        "revision": preview.revision,
        "start_s": preview.start_s,
        "duration_s": preview.duration_s,
        "loudness_lufs": round(preview.loudness_lufs, 2),
        "true_peak_dbtp": round(preview.true_peak_dbtp, 2),
        "mean_reduction_db": round(preview.mean_reduction_db, 2),
        "notes": list(preview.notes),
    }
