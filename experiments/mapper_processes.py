"""The mapper on this machine: processes that are begun by a fork server."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_all_start_methods, get_context
from typing import Self, TypeVar

from ..songs.training.workers import end_with_parent
from .mapper import ATTEMPTS, lost_too_often

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

METHOD = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"


class ProcessMapper:
    """Works through chunks in processes of this machine.

    No more chunks are handed out than there are processes. When one dies, its pool is replaced and
    what was at work is done again.

    Args:
        processes: at least 1.
    """

    def __init__(self, processes: int) -> None:
        self.workers = processes
        self._pool: ProcessPoolExecutor | None = None

    def map(
        self, function: Callable[[Chunk], Result], chunks: Sequence[Chunk]
    ) -> Iterator[tuple[int, Result]]:
        """As `Mapper.map`."""
        waiting = deque(range(len(chunks)))
        losses: Counter[int] = Counter()
        at_work: dict[Future[Result], int] = {}
        while waiting or at_work:
            lost: list[int] = []
            while waiting and len(at_work) < self.workers:
                index = waiting.popleft()
                try:
                    at_work[self._started().submit(function, chunks[index])] = index
                except BrokenProcessPool:
                    waiting.appendleft(index)
                    break
            done, _ = wait(at_work, return_when=FIRST_COMPLETED)
            for future in done:
                index = at_work.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    lost.append(index)
                else:
                    yield index, result
            if lost:
                lost += at_work.values()  # the pool died with them
                at_work.clear()
                losses.update(lost)
                if max(losses.values()) >= ATTEMPTS:
                    raise lost_too_often()
                waiting.extendleft(sorted(lost, reverse=True))
                self._stop()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.workers, mp_context=get_context(METHOD), initializer=end_with_parent
            )
        return self._pool

    def _stop(self) -> None:
        if self._pool is None:
            return
        for process in list((self._pool._processes or {}).values()):
            process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = None

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End the processes."""
        self._stop()
