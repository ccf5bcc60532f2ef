"""Two presets in words."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.console.compare import compare
from mixgym.console.mix import Mix
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.preset import Preset, StemSettings, preset_of


def preset(stems, buses=None, master=None):
    return Preset(
        stems=[
            StemSettings(name=name, role=role, settings=settings)
            for name, (role, settings) in stems.items()
        ],
        buses=buses or {},
        master=master or {},
    )


def words(before, after):
    return {d.where: [c.words for c in d.changes] for d in compare(before, after).differences}


def one(before, after):
    """What is said of one stem's settings."""
    return words(preset({"Vox": ("lead_vocal", before)}), preset({"Vox": ("lead_vocal", after)}))


COMPRESSOR = {"compressor_on": 1.0, "compressor_ratio": 3.0}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"fader_db": -3}, {"fader_db": -1}, ["fader −3.0 dB → −1.0 dB"]),
        ({"fader_db": 0}, {"fader_db": 2}, ["fader 0 dB → +2.0 dB"]),
        ({"pan": -0.3}, {"pan": 0.0}, ["pan 30 % left → centre"]),
        ({"width": 0.5}, {"width": 1.0}, ["width 50 % → 100 %"]),
        ({"reverb_send_db": -60}, {"reverb_send_db": -18}, ["now reverb send −18 dB"]),
        (
            {"eq_on": 1, "bell_1_db": -3, "bell_1_hz": 300},
            {"eq_on": 1, "bell_1_db": -3, "bell_1_hz": 450},
            ["EQ: bell 1 300 Hz → 450 Hz"],
        ),
        (
            COMPRESSOR,
            {**COMPRESSOR, "compressor_ratio": 4.0, "compressor_threshold_db": -10},
            ["compressor ratio 3:1 → 4:1, threshold −6 dB → −10 dB"],
        ),
        (
            {},
            COMPRESSOR,
            ["now compressor 3:1, threshold −6 dB re its loudness, attack 15 ms, release 150 ms"],
        ),
    ],
)
def test_phrases(before, after, expected):
    assert one(before, after) == {"Vox": expected}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"eq_on": 0, "bell_1_db": -3}, {"eq_on": 0, "bell_1_db": 5}),
        ({"compressor_on": 1, "compressor_ratio": 1}, {"compressor_on": 0}),
        ({"eq_on": 1, "bell_1_db": 0, "bell_1_hz": 300}, {"eq_on": 1, "bell_1_hz": 900}),
        ({"fader_db": -3}, {"fader_db": -3.01}),
    ],
)
def test_what_cannot_be_heard_is_not_worth_a_word(before, after):
    assert one(before, after) == {}


def test_the_biggest_change_comes_first():
    before = preset({"Kick": ("kick", {}), "Bass": ("bass", {"fader_db": 1.0, "pan": 0.2})})
    after = preset(
        {"Kick": ("kick", {"fader_db": -1.0}), "Bass": ("bass", {"fader_db": 2.0, "pan": -0.9})},
        master={"target_lufs": -29.0},
    )
    assert list(words(before, after)) == ["master", "Bass", "Kick"]
    assert words(before, after)["Bass"][0].startswith("pan")


def test_stems_of_another_song_are_matched_as_presets_apply():
    before = preset({"BD": ("kick", {"fader_db": -2.0}), "Oboe": ("winds", {})})
    after = preset({"Kick": ("kick", {"fader_db": 1.0}), "Riser": ("fx", {"fader_db": -5.0})})
    result = compare(before, after)
    assert {d.where: d.matched for d in result.differences} == {
        "Kick": "BD (by role kick)",
        "Riser": None,
    }
    assert result.gone == ("Oboe",)
    assert words(before, after)["Riser"] == ["fader 0 dB → −5.0 dB"]


def test_buses_count_only_where_something_is_sent():
    dry, wet = ({"Vox": ("lead_vocal", {"reverb_send_db": level})} for level in (-60.0, -20.0))
    sizes = {"reverb_size": 0.2}, {"reverb_size": 0.8}
    assert words(preset(dry, sizes[0]), preset(dry, sizes[1])) == {}
    assert words(preset(wet, sizes[0]), preset(wet, sizes[1])) == {
        "buses": ["reverb: size 20 % → 80 %"]
    }


def test_side_chains():
    stems = {"Kick": ("kick", {}), "Bass": ("bass", COMPRESSOR)}
    before, after = preset(stems), preset(stems)
    after.stems[1].side_chain = "Kick"
    assert words(before, after) == {"Bass": ["compressor driven by itself → Kick"]}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_two_presets_compare_and_a_preset_is_like_itself(seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    one, other = (
        preset_of(
            Mix(
                ("Kick", "Vox"),
                ("kick", "lead_vocal"),
                STRIP.sample(rng, (2,)),
                BUSES.sample(rng),
                MASTER.sample(rng),
                (None, "Kick"),
            )
        )
        for _ in range(2)
    )
    assert compare(one, one).differences == ()
    result = compare(one, other)
    json.dumps(result.to_json(), allow_nan=False)
    for difference in result.differences:
        shares = [change.share for change in difference.changes]
        assert shares == sorted(shares, reverse=True)
        assert all(0 <= share <= 1 for share in shares)
        assert all(change.words for change in difference.changes)


def test_command(mixgym, stems, tmp_path, refused):
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    assert mixgym("mix", stems, "-o", tmp_path / "a.wav", "--save-preset", first, "-q").status == 0
    edited = json.loads(first.read_text())
    edited["stems"][0]["settings"]["fader_db"] = -17.0
    second.write_text(json.dumps(edited))
    ran = mixgym("diff", first, second)
    assert ran.status == 0
    assert "→ −17.0 dB" in ran.out and edited["stems"][0]["name"] in ran.out
    report = json.loads(mixgym("diff", first, second, "--json").out)
    (difference,) = report["differences"]
    (change,) = difference["changes"]
    assert change["values"]["fader_db"][1] == -17.0
    assert "alike" in mixgym("diff", first, first).out
    assert mixgym("diff", first, second, "-q").out == ""
    refused("diff", first, tmp_path / "no.json", words=["no.json"])
    (tmp_path / "c.json").write_text(first.read_text().replace('"fader_db"', '"fadr_db"', 1))
    refused("diff", first, tmp_path / "c.json", words=["fadr_db", "fader_db", "stem"])
