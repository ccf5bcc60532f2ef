"""Mixes that no ear would want, made to find the holes of a reward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..console.mix import Mix
from ..console.parameters import BUSES, MASTER, STRIP
from ..console.table import ParameterTable

Hack = Callable[[Mix], Mix]
RANDOM_DRAWS = 5


def muted(mix: Mix) -> Mix:
    """Every fader down; delivery brings the loudness back."""
    return _set(mix, fader_db=STRIP["fader_db"].low)


def one_stem(stem: int) -> Hack:
    """One fader up, all others down."""

    def hack(mix: Mix) -> Mix:
        faders = np.full(len(mix.stems), STRIP["fader_db"].low)
        faders[stem] = 0.0
        return _set(mix, fader_db=faders)

    return hack


def highs_up(mix: Mix) -> Mix:
    """Upper bells and high shelves of stems and master at their highest."""
    top = {"bell_2_db": 9.0, "high_shelf_db": 9.0, "high_shelf_hz": 4000.0}
    return _set(
        mix, eq_on=1.0, **top, master_eq_on=1.0, master_bell_2_db=6.0, master_high_shelf_db=6.0
    )


def stem_highs_up(mix: Mix) -> Mix:
    """High shelves of the stems at their highest."""
    return _set(mix, eq_on=1.0, high_shelf_db=9.0)


def lows_up(mix: Mix) -> Mix:
    """Lower bells and low shelves of stems and master at their highest."""
    top = {"bell_1_db": 9.0, "low_shelf_db": 9.0, "low_shelf_hz": 300.0}
    return _set(
        mix, eq_on=1.0, **top, master_eq_on=1.0, master_bell_1_db=6.0, master_low_shelf_db=6.0
    )


def stem_lows_up(mix: Mix) -> Mix:
    """Low shelves of the stems at their highest."""
    return _set(mix, eq_on=1.0, low_shelf_db=9.0)


def rumble(mix: Mix) -> Mix:
    """All there is of the lowest band."""
    low = {"low_shelf_db": 9.0, "low_shelf_hz": 60.0, "high_shelf_db": -9.0}
    return _set(
        mix, eq_on=1.0, **low, master_eq_on=1.0, master_low_shelf_db=6.0, master_low_shelf_hz=40.0
    )


def rails_low(mix: Mix) -> Mix:
    """Every parameter of stems, buses and master at its lowest."""
    return _rails(mix, low=True)


def rails_high(mix: Mix) -> Mix:
    """Every parameter of stems, buses and master at its highest."""
    return _rails(mix, low=False)


def gains_high(mix: Mix) -> Mix:
    """Every fader, equaliser and send at its highest."""
    tops = {
        p.name: p.high for p in STRIP if p.unit == "dB" and p.component in ("level", "eq", "space")
    }
    return _set(mix, eq_on=1.0, **tops)


def hard_left(mix: Mix) -> Mix:
    """Every stem on the left."""
    return _set(mix, pan=-1.0)


def hard_right(mix: Mix) -> Mix:
    """Every stem on the right."""
    return _set(mix, pan=1.0)


def drowned(mix: Mix) -> Mix:
    """Every send open, the largest room."""
    return _set(mix, reverb_send_db=0.0, reverb_return_db=6.0, reverb_size=1.0)


def echoing(mix: Mix) -> Mix:
    """Every delay send open, echoes that hardly end."""
    return _set(mix, delay_send_db=0.0, delay_return_db=6.0, delay_feedback=0.8)


def crushed(mix: Mix) -> Mix:
    """Every compressor at its hardest, and the ceiling far down."""
    from .perturbations import STRONG, crushed_master, crushed_peaks, crushed_stems

    rng = np.random.default_rng(0)
    for spoil in (crushed_stems, crushed_master, crushed_peaks):
        mix = spoil(mix, STRONG, rng)
    return mix


def overdriven(mix: Mix) -> Mix:
    """As loud as the limiter lets it get."""
    return _set(
        mix, target_lufs=-6.0, saturation_on=1.0, saturation_drive_db=4.0, saturation_mix=0.5
    )


def thinned(mix: Mix) -> Mix:
    """Every high-pass at its highest."""
    return _set(mix, high_pass_on=1.0, high_pass_hz=400.0)


def hollow(mix: Mix) -> Mix:
    """Everything as wide as it goes."""
    return _set(mix, width=1.5, image_on=1.0, master_width=1.5)


def leads_buried(sounding: NDArray[np.bool_]) -> Hack:
    """Whatever leads, the first stem that sounds where nothing does, far down."""

    def hack(mix: Mix) -> Mix:
        leads = np.array([role == "lead_vocal" for role in mix.roles]) & sounding
        if not leads.any():
            leads[np.argmax(sounding)] = True
        return _set(mix, fader_db=np.where(leads, -18.0, 0.0))

    return hack


HACKS: dict[str, Hack] = {
    hack.__name__: hack
    for hack in (
        muted,
        highs_up,
        stem_highs_up,
        lows_up,
        stem_lows_up,
        rumble,
        rails_low,
        rails_high,
        gains_high,
        hard_left,
        hard_right,
        drowned,
        echoing,
        crushed,
        overdriven,
        thinned,
        hollow,
    )
}


def random_extremes(mix: Mix, rng: np.random.Generator) -> Mix:
    """Every parameter of the stems and the buses at one of its ends, drawn by chance."""
    return replace(
        mix,
        strips=_ends(STRIP, rng, (len(mix.stems),)),
        buses=_ends(BUSES, rng),
        master=_kept_delivery(_ends(MASTER, rng), mix.master),
    )


def hacked(mix: Mix, sounding: NDArray[np.bool_], rng: np.random.Generator) -> dict[str, list[Mix]]:
    """Every case of the red team: the mixes it tries, of which the best one counts.

    Args:
        mix: equal loudness.
        sounding: which stems are not silent, (stems,).
        rng: draws the random extremes.
    """
    cases = {name: [hack(mix)] for name, hack in HACKS.items()}
    cases["leads_buried"] = [leads_buried(sounding)(mix)]
    cases["one_stem"] = [one_stem(i)(mix) for i in np.flatnonzero(sounding).tolist()]
    cases["random_extremes"] = [random_extremes(mix, rng) for _ in range(RANDOM_DRAWS)]
    return cases


def _rails(mix: Mix, *, low: bool) -> Mix:
    strip, buses, master = (t.low if low else t.high for t in (STRIP, BUSES, MASTER))
    return replace(
        mix,
        strips=np.tile(strip, (len(mix.stems), 1)),
        buses=buses.copy(),
        master=_kept_delivery(master.copy(), mix.master),
    )


def _ends(
    table: ParameterTable, rng: np.random.Generator, shape: tuple[int, ...] = ()
) -> NDArray[np.float64]:
    return np.where(rng.random((*shape, len(table))) < 0.5, table.low, table.high)


def _kept_delivery(master: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
    """A master whose delivery is as it was: on target, so that nothing is lost on the way out."""
    for i, parameter in enumerate(MASTER):
        if parameter.component == "delivery":
            master[i] = before[i]
    return master


def _set(mix: Mix, **values: NDArray[np.float64] | float) -> Mix:
    """The mix with parameters of any of the three tables replaced, on every stem."""
    strips, buses, master = mix.strips.copy(), mix.buses.copy(), mix.master.copy()
    for name, value in values.items():
        for table, array in ((STRIP, strips), (BUSES, buses), (MASTER, master)):
            if name in table:
                array[..., table.index(name)] = value
    return replace(mix, strips=strips, buses=buses, master=master)
