"""Preset files: kept to the last bit, applied to other songs, and refused in one sentence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.console.mix import Mix
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.preset import MAX_BYTES, Preset, apply_preset, dumps, load_preset, preset_of
from mixgym.errors import MixgymError
from mixgym.songs import Song

RATE = 8000


def made(**roles: str) -> Song:
    """A song with a second of noise per stem."""
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(0, 0.1, RATE) for name in roles}
    return Song.from_arrays(arrays, RATE, roles=roles)


def drawn(song: Song, seed: int) -> Mix:
    rng = np.random.default_rng(seed)
    names = tuple(stem.name for stem in song.stems)
    return Mix(
        stems=names,
        roles=tuple(stem.role for stem in song.stems),
        strips=STRIP.sample(rng, (len(names),)),
        buses=BUSES.sample(rng),
        master=MASTER.sample(rng),
        side_chains=(None, *names[:-1]),
        made_by="dice",
        reasons={names[0]: ("because ü.",), "buses": ("why not",)},
    )


BAND = made(Kick="kick", Bass="bass", Vox="lead_vocal")


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_saved_and_loaded_is_the_same_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    mix = drawn(BAND, seed)
    path = tmp_path_factory.mktemp("preset") / "mix.json"
    path.write_text(dumps(mix), encoding="utf-8")
    applied = apply_preset(load_preset(path), BAND).mix
    for part in ("strips", "buses", "master"):
        np.testing.assert_array_equal(getattr(applied, part), getattr(mix, part))
    assert applied.side_chains == mix.side_chains
    assert applied.stems == mix.stems
    assert applied.roles == mix.roles
    assert applied.reasons == mix.reasons
    assert applied.made_by == "preset (dice)"


def loaded(tmp_path: Path, document: object) -> Preset:
    path = tmp_path / "mix.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return load_preset(path)


def stem_preset(*stems: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format": "mixgym-preset", "version": 1, "stems": list(stems), **more}


def test_settings_go_by_name_then_role_then_family_then_defaults(tmp_path: Path) -> None:
    preset = loaded(
        tmp_path,
        stem_preset(
            {"name": "Bass", "role": "bass", "settings": {"fader_db": -1}},
            {"name": "BD", "role": "kick", "settings": {"fader_db": -2}},
            {"name": "Guit 1", "role": "guitar", "settings": {"fader_db": -3}},
            {"name": "Guit 2", "role": "guitar", "settings": {"fader_db": -4}},
        ),
    )
    song = made(
        Bass="other", Kick="kick", Left="guitar", Right="guitar", More="guitar", Pad="pad", Fx="fx"
    )
    applied = apply_preset(preset, song)
    assert {name: applied.mix.strip(name)["fader_db"] for name in applied.mix.stems} == {
        "Bass": -1,
        "Kick": -2,
        "Left": -3,
        "Right": -4,
        "More": -3,
        "Pad": -3,
        "Fx": 0,
    }
    assert applied.mix.roles[0] == "other"
    assert applied.matches["Bass"] == "Bass (by name)"
    assert applied.matches["Kick"] == "BD (by role kick)"
    assert applied.matches["Pad"] == "Guit 1 (nearest to role pad)"
    assert applied.matches["Fx"] == "defaults"


def test_what_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    mix = apply_preset(loaded(tmp_path, stem_preset({"name": "Kick"})), BAND).mix
    np.testing.assert_array_equal(mix.strips, Mix.neutral(BAND).strips)
    np.testing.assert_array_equal(mix.buses, BUSES.defaults)
    np.testing.assert_array_equal(mix.master, MASTER.defaults)


def test_a_side_chain_follows_the_stem_that_took_the_settings(tmp_path: Path) -> None:
    document = stem_preset(
        {"name": "Bass", "role": "bass", "side_chain": "Kick"}, {"name": "Kick", "role": "kick"}
    )
    preset = loaded(tmp_path, document)
    applied = apply_preset(preset, made(**{"01_KIK": "kick", "02_KIK": "kick", "03_DI": "bass"}))
    assert applied.mix.side_chains == (None, None, "01_KIK")
    assert "not here" not in applied.matches["03_DI"]
    alone = apply_preset(preset, made(DI="bass"))
    assert alone.mix.side_chains == (None,)
    assert alone.matches["DI"] == "Bass (by role bass; what drove its compressor is not here)"


def test_presets_of_presets_do_not_grow(tmp_path: Path) -> None:
    preset = loaded(tmp_path, stem_preset({"name": "Bass"}) | {"made_by": "policy x"})
    for _ in range(3):
        mix = apply_preset(preset, made(Bass="bass")).mix
        assert mix.made_by == "preset (policy x)"
        preset = preset_of(mix)


def test_a_side_chain_to_a_stem_the_song_lacks_is_dropped(tmp_path: Path) -> None:
    document = stem_preset({"name": "Bass", "side_chain": "Kick"}, {"name": "Kick"})
    preset = loaded(tmp_path, document)
    assert apply_preset(preset, BAND).mix.side_chains == (None, "Kick", None)
    assert apply_preset(preset, made(Bass="bass")).mix.side_chains == (None,)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "mix.json"
    path.write_text(dumps(drawn(BAND, 1)), encoding="utf-8-sig")
    assert load_preset(path).made_by == "dice"


KICK = {"name": "Kick"}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (stem_preset(version=3), "newer mixgym"),
        (stem_preset(version=0), "version"),
        (stem_preset(version="1"), "version"),
        (stem_preset(version=None), "version"),
        (stem_preset(buses={"reverb_sise": 1}), "did you mean 'reverb_size'"),
        (stem_preset(master={"wurst": 1}), "no parameter 'wurst'."),
        (stem_preset({**KICK, "settings": {"pann": 0}}), "stem 'Kick'.*did you mean 'pan'"),
        (stem_preset({**KICK, "settings": {"pan": -1.01}}), "pan is -1.01, its range is -1 to 1"),
        (stem_preset(master={"loudness_on": 0.5}), "1 switches it on, 0 off"),
        (stem_preset(buses={"reverb_size": float("nan")}), "reverb_size.*finite"),
        (stem_preset(buses={"reverb_size": float("inf")}), "reverb_size.*finite"),
        (stem_preset(buses={"reverb_size": 10**400}), "reverb_size"),
        (stem_preset(buses={"reverb_size": "1"}), "reverb_size.*number"),
        (stem_preset(buses={"reverb_size": True}), "reverb_size.*number"),
        (stem_preset(buses={"reverb_size": None}), "reverb_size.*number"),
        (stem_preset(buses={"reverb_size": [[1]]}), "reverb_size.*number"),
        (stem_preset(buses={"k" * 1_000_000: 1}), "at most 100"),
        (stem_preset(buses={str(i): 1 for i in range(1001)}), "buses"),
        (stem_preset(buses=[]), "buses.*dictionary"),
        (stem_preset(KICK, KICK), "two stems are called 'Kick'"),
        (stem_preset({**KICK, "side_chain": "Drum"}), "side-chained to 'Drum'"),
        (stem_preset({"role": "kick"}), "stems.0.name"),
        (stem_preset({**KICK, "colour": "red"}), "stems.0.colour"),
        (stem_preset({"name": "x" * 501}), "stems.0.name.*at most 500"),
        (stem_preset(*({"name": str(i)} for i in range(257))), "at most 256"),
        (stem_preset(solo="Kick"), "solo"),
        ({"format": "mixgym-preset"}, "stems"),
        ({**stem_preset(), "stems": {}}, "stems.*list"),
        ({"stems": []}, 'lacks "format"'),
        ({"format": 1, "stems": []}, 'lacks "format"'),
        ([], 'lacks "format"'),
        ("mixgym-preset", 'lacks "format"'),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_a_bad_document_is_refused_in_one_short_sentence(
    tmp_path: Path, document: object, says: str
) -> None:
    with pytest.raises(MixgymError, match=says) as refusal:
        loaded(tmp_path, document)
    message = str(refusal.value)
    assert message.startswith(str(tmp_path / "mix.json"))
    assert "\n" not in message
    assert len(message) < len(str(tmp_path)) + 300


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0",
        b"\xff\xfe{",
        b"{",
        b'{"format": "mixgym-preset", "stems": [',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"format": "mixgym-preset", "stems": [], "version": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "nul", "utf-16", "brace", "cut", "deep list", "deep dict", "long number"],
)
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mix.json"
    path.write_bytes(content)
    with pytest.raises(MixgymError, match=r"mix\.json is not JSON"):
        load_preset(path)


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mix.json"
    path.write_bytes(b" " * 10_000_000)
    with pytest.raises(MixgymError, match=rf"mix\.json is larger than {MAX_BYTES} bytes"):
        load_preset(path)


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MixgymError, match=r"Cannot read the preset .*none\.json"):
        load_preset(tmp_path / "none.json")
    with pytest.raises(MixgymError, match="Cannot read the preset"):
        load_preset(tmp_path)


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mix.json"
    path.write_text(
        '{"format": "mixgym-preset", "stems": [], "buses": {"reverb_size": 1, "reverb_size": 0}}'
    )
    with pytest.raises(MixgymError, match="'reverb_size' stands twice"):
        load_preset(path)


def test_a_role_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MixgymError, match=r"stem 'Kick': there is no role 'kik'; did you.*'kick'"):
        loaded(tmp_path, stem_preset({**KICK, "role": "kik"}))


def test_a_wrong_value_is_named_with_its_stem(tmp_path: Path) -> None:
    with pytest.raises(MixgymError, match=r"stems\.1\.settings\.pan \(stem 'Kick'\)"):
        loaded(tmp_path, stem_preset({"name": "Bass"}, {**KICK, "settings": {"pan": "left"}}))


def test_a_slip_of_the_keyboard_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mix.json"
    path.write_text('{"format": "mixgym-preset",\n "stems": [],\n "buses" {}}')
    with pytest.raises(MixgymError, match="line 3"):
        load_preset(path)
