"""Faders that follow a song's sections: found by the policy, played, kept and refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf

from mixgym import AutoMixer
from mixgym.console.hear import hear
from mixgym.console.levels import stem_levels
from mixgym.console.mix import Mix
from mixgym.console.preset import load_preset
from mixgym.errors import MixgymError
from mixgym.runtime.automation import MOST_DB, automate
from mixgym.runtime.mixers import open_policy
from mixgym.songs import Song, read_song
from mixgym.songs.generate import generate_song

PARTS_S = 12
RATE = 16_000
IN_PARTS = ([1, 1], [1, 0], [0, 1], [1, 1])  # where each of four stems plays


def in_parts():
    """Stems of a generated song of which two play in one half alone."""
    frames = 2 * PARTS_S * RATE
    with generate_song(5, 2.0 * PARTS_S, stems=4, sample_rate=RATE) as whole:
        arrays, roles = {}, {}
        for stem, parts in zip(whole.stems, IN_PARTS, strict=True):
            audio = stem.read(0, frames) * np.repeat(parts, PARTS_S * RATE)
            arrays[stem.name], roles[stem.name] = audio.astype(np.float32), stem.role
    return Song.from_arrays(arrays, RATE, roles=roles, title="in parts")


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, in_parts() as made:
        patch.setenv("MIXGYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield made


@pytest.fixture(scope="module")
def unbalanced(song):
    """A mix that a section has to put right."""
    mix = Mix.neutral(song)
    for stem, fader_db in zip(mix.stems, (6.0, -9.0, 6.0, -9.0), strict=True):
        mix = mix.with_strip(stem, fader_db=fader_db)
    return mix


@pytest.fixture(scope="module")
def automated(song, unbalanced):
    return automate(open_policy(None, 2), song, unbalanced)


def test_moves_where_it_scores_higher(automated):
    assert [(s.start_s, s.end_s) for s in automated.sections] == [(0, 12), (12, 24)]
    static, moved = automated.scores
    assert moved > static + 0.01
    for section in automated.sections:
        assert section.moved >= section.static
    assert "2 of 2 sections" in automated.note and f"{moved:.4f}" in automated.note


def test_moves_are_bounded_and_in_place_before_a_stem_comes_in(automated):
    moves = automated.mix.moves
    np.testing.assert_array_equal(moves.times_s, [11.0, 13.0])
    for row, parts in zip(moves.gains_db, IN_PARTS, strict=True):
        if 0 in parts:
            assert row[0] == row[1] != 0.0
    spread = moves.gains_db - moves.gains_db.mean(axis=0)
    assert np.abs(spread).max() <= 2 * MOST_DB


def test_the_balance_moves_and_loudness_stays(song, unbalanced, automated):
    """On `render`: each half is as loud as it was."""
    for start_s in (0.0, 12.0):
        excerpt = song.excerpt(start_s + 1, 10.0)
        levels = [level.loudness_lufs for level in stem_levels(song)]
        own = [level.loudness_lufs for level in stem_levels(excerpt)]
        mix = replace(unbalanced, moves=None)
        for name, here, there in zip(mix.stems, own, levels, strict=True):
            if np.isfinite(here):
                fader_db = mix.strip(name)["fader_db"] + here - there
                mix = mix.with_strip(name, fader_db=fader_db)
        moves = automated.mix.moves
        moves = replace(moves, times_s=moves.times_s - start_s - 1, duration_s=10.0)
        still, moving = (hear(excerpt, m)[0] for m in (mix, replace(mix, moves=moves)))
        assert moving.bus_lufs[0] == pytest.approx(still.bus_lufs[0], abs=0.7)


def test_one_section_does_not_move():
    with generate_song(2, 12.0, stems=3, sample_rate=RATE) as song:
        result = automate(open_policy(None, 2), song, Mix.neutral(song))
    assert result.mix.moves is None and "throughout" in result.note


def test_a_silent_section(song):
    arrays = {
        stem.name: np.concatenate((stem.read(0, song.frames), np.zeros((1, 10 * RATE))), axis=1)
        for stem in song.stems
        if stem.channels == 1
    }
    with Song.from_arrays(arrays, RATE) as longer:
        result = automate(open_policy(None, 2), longer, Mix.neutral(longer))
    assert np.isnan(result.sections[-1].static) and np.isfinite(result.scores).all()


@pytest.fixture(scope="module")
def parts_folder(song, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    for stem in song.stems:
        sf.write(folder / f"{stem.name}.wav", stem.read(0, stem.frames).T, RATE, subtype="FLOAT")
    return folder


def test_command_and_preset(mixgym, parts_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))
    one, preset = tmp_path / "one.wav", tmp_path / "p.json"
    ran = mixgym("mix", parts_folder, "-o", one, "--automation", "--save-preset", preset, "--json")
    assert ran.status == 0, ran.err
    assert any(note.startswith("Automation: ") for note in json.loads(ran.out)["notes"])
    ran = mixgym("mix", parts_folder, "-o", tmp_path / "two.wav", "--preset", preset, "--json")
    assert ran.status == 0, ran.err
    assert one.read_bytes() == (tmp_path / "two.wav").read_bytes()


def test_from_python_as_from_the_command(parts_folder, song, unbalanced, tmp_path, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))
    mixer = AutoMixer(automation=True)
    with read_song(parts_folder) as opened, mixer.mix(opened) as mixed:
        assert any(note.startswith("Automation: ") for note in mixed.notes)
        mixed.save_preset(tmp_path / "p.json")
        again = mixer.mix(opened, preset=load_preset(tmp_path / "p.json"))
        assert not any(note.startswith("Automation: ") for note in again.notes)
        np.testing.assert_array_equal(again.audio(), mixed.audio())
    with pytest.raises(MixgymError, match="policy's"):
        AutoMixer(automation=True, mixer="roles")


def test_moves_of_another_song_are_left_out(mixgym, stems, parts_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))
    document = {
        "format": "mixgym-preset",
        "version": 2,
        "stems": [{"name": "Kick", "role": "kick"}],
        "moves": {"duration_s": 99.0, "times_s": [1.0], "gains_db": {"Kick": [3.0]}},
    }
    (tmp_path / "p.json").write_text(json.dumps(document))
    preset = ("--preset", tmp_path / "p.json")
    ran = mixgym("mix", stems, "-o", tmp_path / "m.wav", *preset, "--json")
    assert ran.status == 0, ran.err
    assert any("another song" in note for note in json.loads(ran.out)["notes"])
