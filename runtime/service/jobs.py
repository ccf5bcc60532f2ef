"""All jobs of a running service, and the workers that they share."""

from __future__ import annotations

import asyncio
import secrets
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ...errors import MixgymError
from .folders import ServiceFolder
from .job import CancelledWorkError, Job
from .limits import Limits, RefusalError
from .work import preview

PATROL_S = 2.0
OURS = "mixgym failed at this, which is its own mistake; the terminal says more."


class Jobs:
    """The jobs; a context manager that ends them all.

    Attributes:
        limits: of each and of all.
        closing: set when pages should let go.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits, self.closing = limits, False
        self._folder = ServiceFolder()
        self._jobs: dict[str, Job] = {}
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="mixgym")

    def __len__(self) -> int:
        """How many there are."""
        return len(self._jobs)

    def new(self) -> Job:
        """A job without stems.

        Raises:
            RefusalError: there are as many as there may be.
        """
        self._remove_abandoned()
        if len(self._jobs) >= self.limits.jobs:
            raise RefusalError(
                503, f"{self.limits.jobs} songs are being mixed here already: try again later."
            )
        identity = secrets.token_hex(16)
        self._jobs[identity] = Job(identity, self._folder.make(identity), self.limits)
        return self._jobs[identity]

    def get(self, identity: str) -> Job:
        """The job of that id.

        Raises:
            RefusalError: there is none, or none any more.
        """
        job = self._jobs.get(identity)
        if job is None:
            raise RefusalError(404, "This song is gone: begin again.")
        job.touch()
        return job

    def remove(self, identity: str) -> None:
        """Stop a job's work and remove its files.

        Raises:
            RefusalError: there is none, or none any more.
        """
        self.get(identity).close()
        del self._jobs[identity]

    def start(self, job: Job, what: str, work: Callable[[], None]) -> None:
        """Let a worker do something to a job, and preview what came of it.

        Raises:
            RefusalError: something else is being done to it.
        """
        job.begin(what)
        self._pool.submit(self._run, job, work, job.end)

    def refresh(self, job: Job) -> None:
        """Have the newest settings previewed, unless that is being done."""
        if job.wants_preview():
            threads = self.limits.workers
            self._pool.submit(self._run, job, lambda: preview(job, threads), None)

    def _run(self, job: Job, work: Callable[[], None], end: Callable[[], None] | None) -> None:
        done = False
        try:
            with job.in_use():
                work()
                done = True
        except (CancelledWorkError, RefusalError) as reason:
            if not job.closed:
                job.fail(str(reason))
        except MixgymError as error:
            job.fail(str(error))
        except Exception as error:
            if not job.closed:
                traceback.print_exception(error, file=sys.stderr)
            job.fail(OURS)
        if end is not None:
            end()
            self.refresh(job)
        elif not done:
            job.show(None)

    async def patrol(self) -> None:
        """Remove abandoned jobs, for ever."""
        while True:
            await asyncio.sleep(PATROL_S)
            self._remove_abandoned()

    def _remove_abandoned(self) -> None:
        for identity in [name for name, job in self._jobs.items() if job.abandoned]:
            self._jobs.pop(identity).close()

    def __enter__(self) -> Jobs:
        """Itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop all work and remove all files."""
        for identity in list(self._jobs):
            self._jobs.pop(identity).close()
        self._pool.shutdown(cancel_futures=True)
        self._folder.close()
