"""Terms and gates: bounded, monotone, and the same for any batch, order and padding of stems."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.console.meters.spectrum import third_octave_centres
from mixgym.console.mix_readings import MixReadings
from mixgym.console.targets import target_spectrum_db
from mixgym.rewards.effort import effort
from mixgym.rewards.facts import Facts
from mixgym.rewards.gates import GATES
from mixgym.rewards.reference import Reference
from mixgym.rewards.reward import Reward
from mixgym.rewards.scene import Scene
from mixgym.rewards.terms import TERMS, within
from mixgym.songs.roles import ROLES

CENTRES_HZ = third_octave_centres(48_000)
BANDS = len(CENTRES_HZ)
TRACK = Reference(
    tracks=1,
    centres_hz=tuple(CENTRES_HZ.tolist()),
    levels_db=tuple(target_spectrum_db(CENTRES_HZ).tolist()),
    width=(0.2,) * BANDS,
    plr_db=13.0,
    loudness_range_lu=4.0,
)
EVERYTHING = Reward(dict.fromkeys(TERMS, 1.0), {"reference": {"track": TRACK}})
PER_STEM = ("stem_lufs", "stem_powers")


def make(seed: int, mixes: int = 3, stems: int = 4) -> tuple[MixReadings, Scene]:
    """Readings that a good mix might give, each mix a little different."""
    rng = np.random.default_rng(seed)
    target = 10 ** (target_spectrum_db(CENTRES_HZ) / 10)

    def drawn(low: float, high: float, *shape: int) -> np.ndarray:
        return rng.uniform(low, high, (mixes, *shape)).astype(np.float32)

    readings = MixReadings(
        integrated_lufs=drawn(-16, -12),
        bus_lufs=drawn(-24, -14),
        bus_peak_dbtp=drawn(-8, -3),
        loudness_range_lu=drawn(0, 10),
        true_peak_dbtp=drawn(-3, -0.5),
        mono_fold_loss_db=drawn(0, 3),
        drive_db=drawn(0, 9),
        mean_reduction_db=drawn(0, 2),
        short_term_lufs=drawn(-20, -12, 5),
        stem_lufs=drawn(-40, -18, stems),
        stem_powers=drawn(0, 1, stems, BANDS) * target.astype(np.float32),
        powers=drawn(0.1, 1, 4, BANDS) * target.astype(np.float32),
        width=drawn(0, 0.5, BANDS),
        correlation=drawn(0, 1, BANDS),
        balance=drawn(-0.3, 0.3, BANDS),
        seconds=np.array([10, 10, 10, 5], dtype=np.float32),
    )
    scene = Scene(
        rng.integers(0, len(ROLES), (mixes, stems)),
        rng.random((mixes, stems)) < 0.8,
        CENTRES_HZ,
        rng.random(mixes),
    )
    return readings, scene


def pick(readings: MixReadings, scene: Scene, rows: object) -> tuple[MixReadings, Scene]:
    kept = {
        f.name: getattr(readings, f.name)
        if f.name == "seconds"
        else getattr(readings, f.name)[rows]
        for f in fields(MixReadings)
    }
    picked = Scene(scene.roles[rows], scene.present[rows], scene.centres_hz, scene.effort[rows])
    return MixReadings(**kept), picked


def everything(readings: MixReadings, scene: Scene) -> np.ndarray:
    scores = EVERYTHING(readings, scene)
    return np.stack([scores.score, *scores.terms.values(), *scores.gates.values()])


def term(name: str, readings: MixReadings, scene: Scene, **options: object) -> np.ndarray:
    return {**TERMS, **GATES}[name](Facts(readings, scene), **options)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**16),
    st.sampled_from([f.name for f in fields(MixReadings) if f.name != "seconds"]),
    st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -1e30, 1e30, 1e-30, -200.0]),
    st.booleans(),
)
def test_whatever_is_read_terms_stay_within_bounds(seed, field, value, everywhere):
    readings, scene = make(seed)
    array = getattr(readings, field).copy()
    array[... if everywhere else 0] = value
    values = everything(replace(readings, **{field: array}), scene)
    assert ((values >= 0) & (values <= 1)).all()
    if not np.isfinite(value) and field in ("powers", "width", "true_peak_dbtp"):
        assert values[0, 0] == 0.0
    if not everywhere:
        assert np.array_equal(values[:, 1:], everything(readings, scene)[:, 1:])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 9), st.integers(1, 12))
def test_a_batch_gives_the_bits_of_singles(seed, mixes, stems):
    readings, scene = make(seed, mixes, stems)
    batch = everything(readings, scene)
    for i in range(mixes):
        assert np.array_equal(
            everything(*pick(readings, scene, slice(i, i + 1)))[:, 0], batch[:, i]
        )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 12), st.integers(1, 12))
def test_stems_that_are_not_there_change_no_bit(seed, stems, more):
    readings, scene = make(seed, 3, stems)
    rng = np.random.default_rng(seed)
    padded = {
        name: np.concatenate(
            [array := getattr(readings, name), np.zeros_like(array[:, :1]).repeat(more, axis=1)],
            axis=1,
        )
        for name in PER_STEM
    }
    padded["stem_lufs"][:, stems:] = -np.inf
    wider = Scene(
        np.concatenate([scene.roles, rng.integers(0, len(ROLES), (3, more))], axis=1),
        np.concatenate([scene.present, np.zeros((3, more), dtype=bool)], axis=1),
        CENTRES_HZ,
        scene.effort,
    )
    assert np.array_equal(
        everything(replace(readings, **padded), wider), everything(readings, scene)
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.permutations(range(6)))
def test_the_order_of_stems_does_not_matter(seed, order):
    readings, scene = make(seed, 3, 6)
    shuffled = {name: getattr(readings, name)[:, order] for name in PER_STEM}
    other = replace(scene, roles=scene.roles[:, order], present=scene.present[:, order])
    assert everything(replace(readings, **shuffled), other) == pytest.approx(
        everything(readings, scene), abs=1e-6
    )


@given(st.floats(-50, 50), st.floats(0, 20), st.floats(0.1, 10), st.floats(0, 30))
def test_within_falls_with_distance(low, length, falloff, distance):
    high = low + length
    assert within(np.array([low, high, low + length / 2]), low, high, falloff) == pytest.approx(1.0)
    outside = within(np.array([high + distance, high + 2 * distance]), low, high, falloff)
    assert outside[0] >= outside[1]
    assert within(np.array([high + falloff]), low, high, falloff) == pytest.approx(0.5)


GETS_WORSE = [
    ("loudness", "integrated_lufs", (-14, -16, -20, -40)),
    ("loudness", "integrated_lufs", (-14, -12, -8, 0)),
    ("dynamics", "mean_reduction_db", (1, 3, 6, 12)),
    ("dynamics", "loudness_range_lu", (10, 16, 25)),
    ("dynamics", "bus_peak_dbtp", (-6, -14, -20)),
    ("stereo", "mono_fold_loss_db", (0, 3, 6)),
    ("silence", "bus_lufs", (-20, -36, -41, -80)),
    ("clipping", "true_peak_dbtp", (-1, 0.05, 0.2)),
    ("mono_collapse", "mono_fold_loss_db", (0, 5, 7, 9)),
]


@pytest.mark.parametrize(("name", "field", "values"), GETS_WORSE)
def test_the_further_off_the_worse(name, field, values):
    readings, scene = make(5, 1)
    readings = replace(readings, bus_lufs=np.full(1, -20.0, dtype=np.float32))
    scene = replace(scene, present=np.ones_like(scene.present))
    found = [
        term(name, replace(readings, **{field: np.full(1, v, dtype=np.float32)}), scene)[0]
        for v in values
    ]
    assert found == sorted(found, reverse=True)
    assert found[-1] < found[0]


def test_spectrum_looks_at_the_shape_only():
    readings, scene = make(1, 1)
    target = 10 ** (target_spectrum_db(CENTRES_HZ) / 10)

    def score(curve: np.ndarray, **options: object) -> float:
        powers = np.tile(curve.astype(np.float32), (1, 4, 1))
        return float(term("spectrum", replace(readings, powers=powers), scene, **options)[0])

    octaves = np.log2(CENTRES_HZ / 1000)
    assert score(target) == score(1e-3 * target) == 1.0
    tilted = [score(target * 10 ** (tilt * octaves / 10)) for tilt in (0, 1, 2, 4)]
    assert tilted == sorted(tilted, reverse=True)
    assert tilted[3] < 0.7
    warm = target * 10 ** (-2 * octaves / 10)
    assert score(warm, tilt_db_per_octave=-2.0) == 1.0 > score(warm)
    learned = TRACK.model_copy(update={"levels_db": tuple((10 * np.log10(warm)).tolist())})
    assert score(warm, reference_curve=learned) == pytest.approx(1.0)


def test_audibility_wants_the_balance_of_the_roles():
    readings, scene = make(2, 1, 4)
    scene = replace(
        scene,
        roles=np.array([[ROLES.index(r) for r in ("lead_vocal", "kick", "pad", "pad")]]),
        present=np.ones((1, 4), dtype=bool),
    )
    expected = Facts(readings, scene).expected_lu

    def score(moves: list[float], offset: float = -30.0) -> float:
        levels = (expected + offset + np.array([moves])).astype(np.float32)
        return float(term("audibility", replace(readings, stem_lufs=levels), scene)[0])

    assert score([0, 0, 0, 0]) == score([0, 0, 0, 0], -20.0) == pytest.approx(1.0)
    assert score([0, 0, 0, 0]) > score([-6, 0, 0, 0]) > score([-12, 0, 0, 0])
    assert score([-12, 0, 0, 0]) < score([0, 0, -12, 0])
    assert score([6, -6, 6, -6]) > score([12, -12, 12, -12])


def test_a_stem_far_down_is_lost_and_the_rest_is_heard():
    readings, scene = make(3, 1, 4)
    scene = replace(scene, present=np.ones((1, 4), dtype=bool), roles=np.zeros((1, 4), dtype=int))
    levels = np.full((1, 4), -20.0, dtype=np.float32)
    assert term("lost_stems", replace(readings, stem_lufs=levels), scene)[0] == 1.0
    levels[0, 0] = -60.0
    assert term("lost_stems", replace(readings, stem_lufs=levels), scene)[0] == pytest.approx(
        (3 / 4) ** 2
    )


def test_sides_must_weigh_the_same():
    readings, scene = make(4, 1)
    found = []
    for balance in (0.0, 0.3, 0.6, 0.9, 1.0):
        tipped = replace(readings, balance=np.full((1, BANDS), balance, dtype=np.float32))
        mirrored = replace(readings, balance=np.full((1, BANDS), -balance, dtype=np.float32))
        assert term("stereo", tipped, scene) == pytest.approx(term("stereo", mirrored, scene))
        found.append((term("stereo", tipped, scene)[0], term("one_sided", tipped, scene)[0]))
    assert found == sorted(found, reverse=True)
    assert found[0][1] == 1.0
    assert found[-1][1] == 0.0


def test_reference_is_whole_where_everything_agrees():
    readings, scene = make(6, 1)
    target = 10 ** (target_spectrum_db(CENTRES_HZ) / 10)
    same = replace(
        readings,
        powers=np.tile(target.astype(np.float32), (1, 4, 1)),
        integrated_lufs=np.full(1, -14.0, dtype=np.float32),
        true_peak_dbtp=np.full(1, -1.0, dtype=np.float32),
        loudness_range_lu=np.full(1, 4.0, dtype=np.float32),
        width=np.full((1, BANDS), 0.2, dtype=np.float32),
    )
    assert term("reference", same, scene, track=TRACK)[0] == pytest.approx(1.0, abs=1e-6)
    for change in (
        {"loudness_range_lu": np.full(1, 14.0, dtype=np.float32)},
        {"true_peak_dbtp": np.full(1, -8.0, dtype=np.float32)},
        {"width": np.full((1, BANDS), 0.01, dtype=np.float32)},
        {"powers": readings.powers ** np.float32(2)},
    ):
        assert term("reference", replace(same, **change), scene, track=TRACK)[0] < 0.97


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**16))
def test_effort_grows_with_what_is_done(seed):
    from mixgym.console.parameters import MASTER, STRIP

    rng = np.random.default_rng(seed)
    strips, master = STRIP.sample(rng, (4, 3)), MASTER.sample(rng, (4,))
    present = rng.random((4, 3)) < 0.7
    amount = effort(strips, master, present)
    assert ((amount >= 0) & (amount <= 1)).all()
    neutral = np.tile(STRIP.defaults, (4, 3, 1)), np.tile(MASTER.defaults, (4, 1))
    assert (effort(*neutral, present) == 0).all()
    louder = strips.copy()
    louder[:, :, STRIP.index("fader_db")] = 12
    louder[:, :, STRIP.index("pan")] = 1
    assert np.array_equal(effort(louder, master, present), amount)
    for name in ("low_shelf_db", "reverb_send_db", "compressor_ratio"):
        more = strips.copy()
        more[:, :, [STRIP.index("eq_on"), STRIP.index("compressor_on")]] = 1
        before = effort(more, master, present)
        more[:, :, STRIP.index(name)] = STRIP[name].high
        assert (effort(more, master, present) >= before - 1e-12).all()
    absent = strips.copy()
    absent[~present] = np.nan
    assert np.array_equal(effort(absent, master, present), amount)
