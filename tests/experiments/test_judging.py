"""A person's mix, for others to be held against."""

import pytest
import soundfile as sf

from mixgym.console.hear import hear
from mixgym.console.rules import equal_loudness, roles
from mixgym.experiments.judging import person_of
from mixgym.songs import read_song
from mixgym.songs.generate import generate_song, write_song


def test_the_persons_own_mix_is_nearest_to_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "song"
    with generate_song(5, 12.0, stems=4) as song:
        write_song(song, folder)
    with read_song(folder) as song:
        part = song.excerpt(1.0, 8.0)
        assert person_of(folder, part) is None
        (folder / "reference").mkdir()
        _, audio = hear(song, roles(song))
        sf.write(folder / "reference" / "mix.wav", audio.T, song.sample_rate, subtype="FLOAT")
        person = person_of(folder, part)
        start = round(part.start_s * song.sample_rate)
        readings, _ = hear(part, roles(song))
        own = person.judges(audio[:, start : start + part.frames], readings)
        readings, audio = hear(part, equal_loudness(part))
        other = person.judges(audio, readings)
    assert own.pop("levels_db") < 1 < other["levels_db"]
    assert own.keys() < other.keys()
    assert all(value == pytest.approx(0, abs=1e-3) for value in own.values())
