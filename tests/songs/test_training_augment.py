"""Recipes, what they do to audio, keys and beats."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.songs.training.alignment import beat_delay_s, delayed
from mixgym.songs.training.effects import EFFECTS, apply_effects
from mixgym.songs.training.excerpts import Track
from mixgym.songs.training.keys import UNPITCHED, estimate_key, semitones_between, transposed
from mixgym.songs.training.manifest import ManifestRow
from mixgym.songs.training.recipe import draw_recipe
from mixgym.songs.training.windows import busiest_windows

RATE = 44_100
ROLES = ("kick", "snare", "bass", "keys", "lead_vocal", "guitar")


def excerpt(number, tempo_bpm=100.0, key="C major", roles=ROLES):
    stems = [
        {"file": f"{i:02d}-{role}.flac", "name": role, "role": role, "sha256": f"{i:064x}"}
        for i, role in enumerate(roles)
    ]
    return ManifestRow(
        id=f"e{number}", sha256="0" * 64, kind="stems", source=f"s{number}", song=f"song {number}",
        split="train", seconds=10, sample_rate=RATE, tempo_bpm=tempo_bpm, key=key, stems=stems,
    )  # fmt: skip


POOL = [
    excerpt(0),
    excerpt(1, 104.0, "A minor"),
    excerpt(2, 51.0, "D major"),
    excerpt(3, 97.0, "F# major"),
    excerpt(4, None, None),
    excerpt(5, 140.0),
]


def drawn(seed, pool=POOL):
    return draw_recipe(np.random.default_rng(seed), pool)


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(0, 0.1, (2, RATE)).astype(np.float32)


def rms_db(audio):
    return 10 * np.log10(np.mean(np.square(audio, dtype=np.float64)))


# Recipes


@given(seed=st.integers(0, 2**31))
def test_a_recipe_keeps_to_what_there_is(seed):
    recipe = drawn(seed)
    by_id = {row.id: row for row in POOL}
    assert recipe.parents()[0] == recipe.base
    assert len(recipe.parts) >= 1
    for part in recipe.parts:
        assert part.file in {stem.file for stem in by_id[part.parent].stems}
        assert part.speed <= 1.0
        assert part.role not in UNPITCHED or part.semitones == 0


@given(seed=st.integers(0, 2**31))
def test_borrowed_stems_fit_in_tempo_and_key(seed):
    recipe = drawn(seed)
    by_id = {row.id: row for row in POOL}
    for part in recipe.parts:
        parent = by_id[part.parent]
        if parent.tempo_bpm and recipe.tempo_bpm:
            heard = parent.tempo_bpm * part.speed / recipe.tempo_bpm
            assert min(abs(np.log2(heard) - octave) for octave in (-1, 0, 1)) < 1e-3
        if part.parent != recipe.base and part.role not in UNPITCHED:
            to = transposed(by_id[recipe.base].key, recipe.semitones)
            assert semitones_between(to, parent.key) == pytest.approx(part.semitones, abs=0.2)
            assert abs(part.semitones) <= 4.2


@given(seed=st.integers(0, 2**31))
def test_songs_without_tempo_lend_and_borrow_nothing(seed):
    parents = drawn(seed).parents()
    assert parents == ["e4"] or "e4" not in parents


@given(seed=st.integers(0, 2**31))
def test_there_is_one_kick_and_one_lead(seed):
    parts = [part for part in drawn(seed).parts if not part.name.endswith("double")]
    roles = [part.role for part in parts]
    assert max(roles.count(role) for role in ("kick", "snare", "bass", "lead_vocal")) <= 1


def test_every_kind_of_change_occurs():
    recipes = [drawn(seed) for seed in range(200)]
    effects = {e["type"] for r in recipes for part in r.parts for e in part.effects}
    assert effects == set(EFFECTS) - {"resonate", "widen", "wander", "clip"}  # these of tracks
    assert any(len(r.parents()) > 1 for r in recipes)
    assert any(r.semitones for r in recipes)
    assert any(part.speed < 1 for r in recipes for part in r.parts)
    assert any(len(r.parts) < len(ROLES) for r in recipes)
    assert any(part.name.endswith("double") for r in recipes for part in r.parts)


def test_the_same_seed_draws_the_same():
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def test_a_pool_of_one():
    assert {p for seed in range(50) for p in drawn(seed, POOL[:1]).parents()} == {"e0"}


# Effects


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), channels=st.sampled_from([1, 2]))
def test_effects_keep_length_and_stay_finite(seed, channels):
    audio = np.random.default_rng(1).normal(0, 0.1, (channels, RATE // 4)).astype(np.float32)
    before = audio.copy()
    for part in drawn(seed).parts:
        out = apply_effects(audio, part.effects, RATE)
        assert out.dtype == np.float32
        assert out.shape[0] in (1, 2) and out.shape[1] == audio.shape[1]
        assert np.isfinite(out).all()
    assert np.array_equal(audio, before)


def test_gain_and_polarity(noise):
    out = apply_effects(noise, [{"type": "gain", "gain_db": -6.0}, {"type": "polarity"}], RATE)
    np.testing.assert_allclose(out, -noise * 10 ** (-6 / 20), rtol=1e-5)


def test_noise_lies_as_far_below_as_asked(noise):
    added = EFFECTS["noise"](noise, RATE, below_rms_db=30.0, tilt_db=-6.0, seed=3) - noise
    assert rms_db(added) == pytest.approx(rms_db(noise) - 30, abs=0.1)


def level_spread_db(audio):
    levels = [rms_db(block) for block in np.array_split(audio, 50, axis=1)]
    return np.ptp(levels)


def test_compression_narrows_and_expansion_widens(noise):
    swell = noise * np.linspace(0.05, 1.0, RATE, dtype=np.float32)
    knobs = {"below_rms_db": 6.0, "ratio": 4.0, "release_ms": 60.0}
    assert level_spread_db(EFFECTS["compress"](swell, RATE, **knobs)) < level_spread_db(swell) - 3
    assert level_spread_db(EFFECTS["expand"](swell, RATE, **knobs)) > level_spread_db(swell) + 3


def test_flattening_undoes_an_equaliser(noise):
    bent = EFFECTS["equalise"](
        noise, RATE, low_hz=100, low_db=0, bell_hz=1000, bell_db=9, bell_q=1.4, high_hz=9000,
        high_db=0,
    )  # fmt: skip

    def bump_db(audio):
        power = np.square(np.abs(np.fft.rfft(audio[0])))
        return 10 * np.log10(power[900:1100].mean() / power[3000:5000].mean())

    flat = EFFECTS["flatten"](bent, RATE, share=1.0)
    assert bump_db(bent) > 6
    assert abs(bump_db(flat)) < 3


def test_a_double_is_late_and_to_one_side():
    click = np.zeros((1, RATE), np.float32)
    click[0, 100] = 0.5
    out = EFFECTS["double"](click, RATE, late_ms=20.0, side=1.0)
    assert out.shape == (2, RATE)
    assert np.argmax(np.abs(out[1])) == 100 + 882
    assert not out[0].any()


# Keys and beats


def chord(*pitches):
    time_s = np.arange(3 * RATE) / RATE
    tones = [np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * time_s) for p in pitches]
    return np.sum(tones, axis=0, dtype=np.float32)[np.newaxis] * np.float32(0.1)


@pytest.mark.parametrize("shift", [0, 5, 9])
def test_key_of_a_cadence(shift):
    chords = [(60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67)]
    audio = np.concatenate([chord(*(p + shift for p in c)) for c in chords], axis=1)
    wanted = transposed("C major", shift)
    assert estimate_key([Track("Keys", "keys", audio)], RATE) == wanted


def test_drums_have_no_key(noise):
    assert estimate_key([Track("Kit", "drums", noise)], RATE) is None


@pytest.mark.parametrize(
    ("key", "other", "semitones"),
    [("C major", "C major", 0), ("C major", "A minor", 0), ("C major", "B major", 1),
     ("Bb major", "G minor", 0), ("C major", "Db major", -1), ("E minor", "D minor", 2)],
)  # fmt: skip
def test_semitones_between_keys(key, other, semitones):
    assert semitones_between(key, other) == semitones


@pytest.mark.parametrize("delay_s", [0.0, 0.13, 0.4])
def test_beats_are_found(delay_s):
    clicks = np.zeros((1, 8 * RATE), np.float32)
    for beat in range(16):
        clicks[0, beat * RATE // 2 : beat * RATE // 2 + 500] = 0.5
    late = delayed(clicks, round(delay_s * RATE))
    assert beat_delay_s([clicks], [late], RATE, 0.5) == pytest.approx(delay_s, abs=0.011)


# Windows


@given(
    activity=st.lists(st.integers(0, 8), min_size=1, max_size=80),
    window_s=st.sampled_from([4.0, 7.5, 10.0]),
    count=st.integers(1, 6),
)
def test_windows_do_not_overlap_and_the_busiest_is_among_them(activity, window_s, count):
    length = int(np.ceil(window_s))
    starts = busiest_windows(np.array(activity, float), window_s, count)
    assert len(starts) <= count
    assert all(b - a >= length for a, b in pairwise(starts))
    sums = [sum(activity[s : s + length]) for s in range(max(len(activity) - length, 0) + 1)]
    if max(sums) == 0:
        assert starts == []
    else:
        assert max(sum(activity[s : s + length]) for s in starts) == max(sums)
        assert all(s + length <= len(activity) for s in starts if s)
