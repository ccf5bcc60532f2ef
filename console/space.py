"""Which settings of a mix are free, and how they map to vectors in [-1, 1].

Environments, searchers and policies all set a mix through this: `Space` names the free parameters
of strips, buses and master; everything else stays as in a base mix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..compiled import kernel
from ..errors import MixgymError
from .parameters import BUSES, MASTER, STRIP
from .table import ParameterTable

Values = NDArray[np.float64]

SCALES = ("linear", "log", "switch")
LOG, SWITCH = SCALES.index("log"), SCALES.index("switch")
LEVEL_PARAMETERS = ("fader_db", "pan")
STRIP_PARAMETERS = (
    *LEVEL_PARAMETERS, "width", "high_pass_hz", "low_shelf_hz", "low_shelf_db", "bell_1_hz",
    "bell_1_db", "bell_1_q", "bell_2_hz", "bell_2_db", "bell_2_q", "high_shelf_hz",
    "high_shelf_db", "compressor_threshold_db", "compressor_ratio", "compressor_attack_ms",
    "compressor_release_ms", "reverb_send_db", "delay_send_db",
)  # fmt: skip
BUS_PARAMETERS = BUSES.names
MIX_BUS_PARAMETERS = tuple(
    f"bus_compressor_{name}" for name in ("threshold_db", "ratio", "attack_ms", "release_ms")
)
CHAIN_PARAMETERS = tuple(
    parameter.name
    for parameter in MASTER
    if parameter.component == "master" and parameter.scale != "switch"
)


@dataclass(frozen=True)
class Space:
    """The free settings of a mix.

    A processor any of whose parameters is free is switched on and begins where it does nothing:
    gains at 0 dB, ratios at 1, sends closed. What is not free stays neutral.

    Attributes:
        strip, buses, master: names of free parameters of the three tables; switches among them
            make their processors come and go.

    Raises:
        MixgymError: a table has no parameter of that name, or none is free at all.
    """

    strip: tuple[str, ...] = STRIP_PARAMETERS
    buses: tuple[str, ...] = BUS_PARAMETERS
    master: tuple[str, ...] = MIX_BUS_PARAMETERS

    def __post_init__(self) -> None:
        for table, names in self._free:
            for name in names:
                if name not in table:
                    raise MixgymError(f"The table {table.name!r} has no parameter {name!r}.")
        if not (self.strip or self.buses or self.master):
            raise MixgymError("No parameter is free; name at least one.")

    @property
    def _free(self) -> tuple[tuple[ParameterTable, tuple[str, ...]], ...]:
        return (STRIP, self.strip), (BUSES, self.buses), (MASTER, self.master)

    @cached_property
    def base(self) -> tuple[Values, Values, Values]:
        """Strip, buses and master at rest: shapes (len(STRIP),), (len(BUSES),), (len(MASTER),)."""
        strip, buses, master = (_at_rest(table, names) for table, names in self._free)
        return strip, buses, master

    @cached_property
    def _columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        strip, buses, master = (
            np.array([table.index(name) for name in names], dtype=np.int64)
            for table, names in self._free
        )
        return strip, buses, master

    @cached_property
    def _scales(self) -> tuple[Values, ...]:
        """Of each table's free parameters: low, high, and 0 linear, 1 logarithmic, 2 a switch."""
        return tuple(
            np.array(
                [(p.low, p.high, SCALES.index(p.scale)) for p in (table[name] for name in names)]
            ).reshape(len(names), 3)
            for table, names in self._free
        )

    @cached_property
    def _lit(self) -> list[NDArray[np.int64]]:
        """Per table the switches that are on for good."""
        columns = []
        for table, names in self._free:
            used = {table[name].processor for name in names}
            lit = [
                i
                for i, p in enumerate(table)
                if p.scale == "switch" and p.processor in used and p.name not in names
            ]
            columns.append(np.array(lit, dtype=np.int64))
        return columns

    def genes(self, stems: int) -> int:
        """Length of a vector for a song of so many stems."""
        return stems * len(self.strip) + len(self.buses) + len(self.master)

    def decode(
        self, genomes: Values, stems: int, around: tuple[Values, Values, Values] | None = None
    ) -> tuple[Values, Values, Values]:
        """Vectors to settings.

        Args:
            genomes: shape (mixes, genes): stem by stem, then buses, then master; clipped to
                [-1, 1].
            stems: of the song.
            around: strips (stems, len(STRIP)), buses and master of the mix that gives what is not
                free; neutral if None.

        Returns:
            Physical values (mixes, stems, len(STRIP)), (mixes, len(BUSES)), (mixes, len(MASTER)).

        Raises:
            ValueError: the vectors are not as long as they should be.
        """
        if genomes.ndim != 2 or genomes.shape[1] != self.genes(stems):
            raise ValueError(
                f"genomes has the shape {genomes.shape}, not (mixes, {self.genes(stems)})"
            )
        borders = np.cumsum((stems * len(self.strip), len(self.buses)))
        parts = np.split(genomes, borders, axis=1)
        parts[0] = parts[0].reshape(len(genomes), stems, len(self.strip))
        strips, buses, master = (
            self._placed(k, part, None if around is None else around[k])
            for k, part in enumerate(parts)
        )
        return strips, buses, master

    def _placed(self, k: int, part: Values, around: Values | None) -> Values:
        table, names = self._free[k]
        physical = np.empty((*part.shape[:-1], len(table)))
        physical[...] = self.base[k] if around is None else around
        physical[..., self._lit[k]] = 1.0
        if names:
            rows = np.ascontiguousarray(part).reshape(-1, len(names))
            _decode(rows, self._columns[k], self._scales[k], physical.reshape(-1, len(table)))
        return physical

    def encode(self, strips: Values, buses: Values, master: Values) -> Values:
        """Settings to vectors, (mixes, genes); what is not free is left out. Shapes as `decode`.

        A processor that is switched off is as it is at rest, where its switch is not free.
        """
        parts = [
            self._free[k][0].encode(self._in_use(k, values))[..., self._columns[k]]
            for k, values in enumerate((strips, buses, master))
        ]
        return np.concatenate([part.reshape(len(strips), -1) for part in parts], axis=1)

    def _in_use(self, k: int, values: Values) -> Values:
        """Values of a table with those at rest where a processor is switched off."""
        table, names = self._free[k]
        result = values.copy()
        for i, parameter in enumerate(table):
            switch = f"{parameter.processor}_on"
            if switch in table and switch not in names:
                off = values[..., table.index(switch)] < 0.5
                result[..., i] = np.where(off, self.base[k][i], result[..., i])
        return result

    def rest(self, stems: int) -> Values:
        """The vector that does nothing, (genes,)."""
        strip, buses, master = self.base
        strips = np.tile(strip, (1, stems, 1))
        return np.asarray(self.encode(strips, buses[None], master[None])[0])

    def spread(self, stems: int) -> Values:
        """Standard deviations of the priors, (genes,)."""
        return self._joined(
            [
                [
                    p.prior[1] if p.prior and p.scale != "switch" else 0.25
                    for p in (table[name] for name in names)
                ]
                for table, names in self._free
            ],
            stems,
        )

    def sample(self, rng: np.random.Generator, mixes: int, stems: int) -> Values:
        """Vectors drawn from the priors, (mixes, genes)."""
        return self.encode(
            STRIP.sample(rng, (mixes, stems)),
            BUSES.sample(rng, (mixes,)),
            MASTER.sample(rng, (mixes,)),
        )

    def blocks(self, stems: int) -> list[list[int]]:
        """Genes that belong together: one processor of one stem, or of buses or master."""
        groups: dict[tuple[int, str], list[int]] = {}
        names = [(s, STRIP[name].processor) for s in range(stems) for name in self.strip]
        names += [(-1, BUSES[name].processor) for name in self.buses]
        names += [(-1, MASTER[name].processor) for name in self.master]
        for gene, place in enumerate(names):
            groups.setdefault(place, []).append(gene)
        return list(groups.values())

    @staticmethod
    def _joined(parts: Sequence[Sequence[float]], stems: int) -> Values:
        strip, buses, master = parts
        return np.array([*(list(strip) * stems), *buses, *master])


@kernel(error_model="numpy")
def _decode(encoded: Values, columns: NDArray[np.int64], scales: Values, physical: Values) -> None:
    """`ParameterTable.decode` of some columns: (rows, free) into (rows, parameters)."""
    for j in range(columns.size):
        low, high, scale = scales[j, 0], scales[j, 1], scales[j, 2]
        log_low, log_high = math.log(max(low, 1e-9)), math.log(max(high, 1e-9))
        for i in range(encoded.shape[0]):
            place = encoded[i, j]
            if scale == SWITCH:
                value = 1.0 if place > 0 else 0.0
            elif place <= -1.0:
                value = low
            elif place >= 1.0:
                value = high
            elif scale == LOG:
                value = math.exp(log_low + (place + 1.0) / 2 * (log_high - log_low))
            else:
                value = low + (place + 1.0) / 2 * (high - low)
            physical[i, columns[j]] = min(max(value, low), high)


def _at_rest(table: ParameterTable, free: tuple[str, ...]) -> Values:
    values = table.defaults.copy()
    used = {table[name].processor for name in free}
    for i, parameter in enumerate(table):
        if parameter.processor not in used:
            continue
        if parameter.scale == "switch":
            values[i] = parameter.default if parameter.name in free else 1.0
        elif parameter.neutral is not None:
            values[i] = parameter.neutral
    return values
