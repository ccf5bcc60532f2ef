"""The mapper on many machines: a Ray cluster, every machine of which has mixgym and the songs."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Self, TypeVar

from ..errors import MixgymError
from .mapper import ATTEMPTS, lost_too_often

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

AHEAD = 2  # chunks handed out for each processor, so that none waits for the next


class RayMapper:
    """Works through chunks on a cluster, a processor for each.

    Args:
        address: of the cluster (`auto`, `HOST:PORT` or `ray://HOST:PORT`); one is begun on this
            machine if None.

    Raises:
        MixgymError: Ray is not installed, or no cluster can be reached there.
    """

    def __init__(self, address: str | None = None) -> None:
        try:
            import ray
        except ImportError as error:
            raise MixgymError(
                "A cluster needs Ray: install mixgym's extra with pip install 'mixgym[cluster]'."
            ) from error
        self._ray: Any = ray
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if address is None:
            options["include_dashboard"] = False
        try:
            ray.init(address=address or "local", **options)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            where = "on this machine" if address is None else f"at {address}"
            raise MixgymError(
                f"No Ray cluster answers {where}; begin one by ray start --head and name its "
                "address."
            ) from error
        self.workers = max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def map(
        self, function: Callable[[Chunk], Result], chunks: Sequence[Chunk]
    ) -> Iterator[tuple[int, Result]]:
        """As `Mapper.map`."""
        ray = self._ray
        remote = ray.remote(num_cpus=1, max_retries=0)(_applied)
        waiting = deque(range(len(chunks)))
        losses: Counter[int] = Counter()
        at_work: dict[Any, int] = {}
        lost = (
            ray.exceptions.WorkerCrashedError,
            ray.exceptions.NodeDiedError,
            ray.exceptions.ObjectLostError,
            ray.exceptions.OutOfMemoryError,
        )
        try:
            while waiting or at_work:
                while waiting and len(at_work) < AHEAD * self.workers:
                    index = waiting.popleft()
                    at_work[remote.remote(function, chunks[index])] = index
                (done,), _ = ray.wait(list(at_work), num_returns=1)
                index = at_work.pop(done)
                try:
                    result = ray.get(done)
                except ray.exceptions.RayTaskError as error:
                    raise error.cause or error from None
                except lost as error:
                    losses[index] += 1
                    if losses[index] >= ATTEMPTS:
                        raise lost_too_often() from error
                    waiting.appendleft(index)
                except ray.exceptions.RayError as error:
                    raise MixgymError(
                        "The Ray cluster is gone, or this machine's part of it; begin it anew, "
                        "and the same command goes on."
                    ) from error
                else:
                    yield index, result
        finally:
            with suppress(ray.exceptions.RayError):
                for task in at_work:
                    ray.cancel(task, force=True)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the cluster; one that was begun here ends."""
        self._ray.shutdown()


def _applied(function: Callable[[Chunk], Result], chunk: Chunk) -> Result:
    """What is sent to a worker: Ray takes functions alone, and a mapper partial ones too."""
    return function(chunk)
