"""How long blocks took, kept without allocating."""

from __future__ import annotations

import numpy as np


class BlockTimes:
    """Durations of blocks, up to a number of them; the newest replace the oldest.

    Args:
        block_s: how long a block lasts.
        most: how many are kept.
    """

    def __init__(self, block_s: float, most: int = 1 << 16) -> None:
        self._block_s = block_s
        self._ns = np.zeros(most, dtype=np.int64)
        self.count = 0

    def add(self, ns: int) -> None:
        """One more block, in nanoseconds."""
        self._ns[self.count % len(self._ns)] = ns
        self.count += 1

    def to_json(self) -> dict[str, float | int]:
        """Median, 99th percentile, longest in ms; mean share of a block's time; blocks too late."""
        ms = self._ns[: min(self.count, len(self._ns))] / 1e6
        if not len(ms):
            return {"blocks": 0, "block_ms": self._block_s * 1000}
        return {
            "blocks": self.count,
            "block_ms": self._block_s * 1000,
            "median_ms": float(np.median(ms)),
            "p99_ms": float(np.percentile(ms, 99)),
            "longest_ms": float(ms.max()),
            "share": float(ms.mean() / (self._block_s * 1000)),
            "late": int((ms > self._block_s * 1000).sum()),
        }
