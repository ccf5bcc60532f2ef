"""A preset saved from one song, edited by hand, applied to another."""

import json

import pytest

from mixgym.songs.generate import generate_song, write_song


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Another song, with fewer stems and other names."""
    folder = tmp_path_factory.mktemp("other") / "stems"
    with generate_song(8, 4.0, stems=4) as song:
        write_song(song, folder)
    for file in list(folder.glob("*.wav")):
        file.rename(file.with_name(f"my {file.name}"))
    (folder / "song.json").unlink()
    return folder


def test_save_edit_apply(mixgym, stems, other, tmp_path):
    saved, edited, applied = (tmp_path / f"{name}.json" for name in ("saved", "edited", "applied"))
    made = mixgym("mix", stems, "-o", tmp_path / "a.wav", "--save-preset", saved, "-q")
    assert made.status == 0
    preset = json.loads(saved.read_text())
    kick = next(stem for stem in preset["stems"] if stem["role"] == "kick")
    kick["settings"] = {"fader_db": -6, "pan": 0.25}
    preset["master"]["target_lufs"] = -20
    edited.write_text(json.dumps(preset, indent=4))
    ran = mixgym(
        "mix", other, "-o", tmp_path / "b.wav", "--preset", edited, "--save-preset", applied,
        "--json",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    result = json.loads(ran.out)
    assert result["loudness_lufs"] == pytest.approx(-20, abs=0.1)
    assert any("Kick: settings from Kick (by role kick)" in note for note in result["notes"])
    settings = {stem["name"]: stem["settings"] for stem in json.loads(applied.read_text())["stems"]}
    (name,) = [name for name in settings if "Kick" in name]
    assert (settings[name]["fader_db"], settings[name]["pan"]) == (-6, 0.25)
    compared = json.loads(mixgym("diff", edited, applied, "--json").out)
    assert compared["differences"] == []
    told = json.loads(mixgym("diff", saved, edited, "--json").out)
    assert {d["where"] for d in told["differences"]} == {kick["name"], "master"}


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ('"fader_db": ', '"fader_db" ', ["edited.json", "line", "delimiter"]),
        ('"fader_db"', '"fader"', ["stem", "'fader'", "fader_db"]),
        ('"role": "kick"', '"role": "kik"', ["role 'kik'", "'kick'"]),
        ('"pan": 0.0', '"pan": "left"', ["settings.pan", "number"]),
        ('"pan": 0.0', '"pan": -3', ["pan is -3", "-1 to 1"]),
        ('"pan": 0.0', '"pan": 0.0, "pan": 0.5', ["'pan' stands twice"]),
        ('"buses"', '"busses"', ["busses"]),
        ('"eq_on": 0.0', '"eq_on": 0.5', ["eq_on", "switches it on"]),
        ('"version": 1', '"version": 9', ["newer mixgym"]),
        ('"mixgym-preset"', '"mixgym"', ["no mixgym preset"]),
    ],
)
def test_slips_of_the_hand(mixgym, refused, stems, tmp_path, was, becomes, words):
    saved, edited = tmp_path / "saved.json", tmp_path / "edited.json"
    command = ("mix", stems, "-o", tmp_path / "a.wav", "--mixer", "equal_loudness", "-q")
    assert mixgym(*command, "--save-preset", saved).status == 0
    text = saved.read_text()
    assert was in text
    edited.write_text(text.replace(was, becomes, 1))
    refused("mix", stems, "-o", tmp_path / "b.wav", "--preset", edited, words=words)
    refused("diff", saved, edited, words=words)
