"""The benchmark of rewards, on songs of a few seconds."""

import json

import numpy as np
import pytest
import soundfile as sf

from mixgym.console.analysis import analyse
from mixgym.console.mix import Mix
from mixgym.console.parameters import MASTER, STRIP
from mixgym.errors import MixgymError
from mixgym.experiments import bench_reward as module
from mixgym.experiments import order
from mixgym.experiments.bench_reward import bench_reward
from mixgym.experiments.people import finished_mix, person_faders_db, person_mix, written_gains_db
from mixgym.experiments.perturbations import SIZES, SPOILS
from mixgym.experiments.red_team import HACKS, hacked
from mixgym.experiments.tables import print_table
from mixgym.songs import read_song
from mixgym.songs.generate import generate_song

GAINS_DB = {"Kick": 4.0, "Bass": -2.0, "Keys": -8.0}
RATE = 24_000


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Two songs; the first with a person's mix in `reference`, the second without."""
    folder = tmp_path_factory.mktemp("songs")
    for seed in range(2):
        at = folder / f"song {seed}"
        (at / "reference").mkdir(parents=True)
        with generate_song(seed, 6.0, RATE) as song:
            total = np.zeros((2, song.frames), np.float32)
            for stem in song.stems:
                if stem.name in GAINS_DB:
                    audio = stem.read(0, song.frames)
                    sf.write(at / f"{stem.name}.wav", audio.T, RATE, subtype="FLOAT")
                    total += audio * np.float32(10 ** (GAINS_DB[stem.name] / 20))
            if seed == 0:
                sf.write(at / "reference" / "author_mix.wav", 0.3 * total.T, RATE, subtype="FLOAT")
    return folder


def differences(values):
    return np.asarray(values) - values[0]


def test_faders_are_heard_in_the_finished_mix(songs):
    folder = songs / "song 0"
    assert finished_mix(folder) == folder / "reference" / "author_mix.wav"
    assert finished_mix(songs / "song 1") is None
    with read_song(folder) as song:
        excerpt = song.excerpt(0.5, 5.0)
        analysis = analyse(excerpt)
        faders = person_faders_db(folder, excerpt, analysis)
        wanted = [GAINS_DB[stem.name] for stem in song.stems] + analysis.loudness_lufs
        assert differences(faders) == pytest.approx(differences(wanted), abs=0.5)
        held, mix = person_mix(excerpt, np.array([0.0, -np.inf, 20.0]))
        assert [stem.name for stem in held.stems] == [song.stems[0].name, song.stems[2].name]
        assert mix.strips[:, STRIP.index("fader_db")].tolist() == [-8.0, 12.0]
    with read_song(songs / "song 1") as song:
        assert person_faders_db(songs / "song 1", song.excerpt(0, 5), analyse(song)) is None


def test_faders_that_are_written_down_are_read(songs, tmp_path):
    with read_song(songs / "song 0") as song:
        names = [stem.name for stem in song.stems]

        def read(stems, **more):
            (tmp_path / "song.json").write_text(json.dumps({"stems": stems, **more}))
            return written_gains_db(tmp_path, song)

        plain = [{"file": f"{name}.wav", "fader_db": i} for i, name in enumerate(names)]
        assert read(plain).tolist() == [0.0, 1.0, 2.0]
        assert read(plain[:2]) is None
        assert read([{"file": name, "fader_db": "loud"} for name in names]) is None
        lmms = [{"file": n, "lmms_track": n, "applied_gain_db": -6.0} for n in names]
        console = {
            "tracks": [{"name": n, "vol": 100.0, "fxch": 1.0} for n in names],
            "mixer": [{"num": "1", "volume": 0.5}],
        }
        assert read(lmms, author_console=console) == pytest.approx([6 - 6.0206] * 3, abs=1e-3)
        console["tracks"][0]["name"] = names[1]
        assert read(lmms, author_console=console) is None
    assert written_gains_db(tmp_path / "nowhere", song) is None


def test_perturbations_and_hacks_stay_within_the_tables(songs):
    with read_song(songs / "song 0") as song:
        mix = Mix.neutral(song)
    rng = np.random.default_rng(0)
    mixes = [spoil(mix, size, rng) for spoil in SPOILS.values() for size in SIZES.values()]
    cases = hacked(mix, np.array([True, False, True]), rng)
    assert {*HACKS, "one_stem", "leads_buried", "random_extremes"} == set(cases)
    assert len(cases["one_stem"]) == 2
    for changed in [*mixes, *(m for tried in cases.values() for m in tried)]:
        for table, array in ((STRIP, changed.strips), (MASTER, changed.master)):
            assert ((array >= table.low) & (array <= table.high)).all()
        assert not (
            np.array_equal(changed.strips, mix.strips)
            and np.array_equal(changed.master, mix.master)
        )
        assert changed.master[MASTER.index("loudness_on")] == 1
    assert (mix.strips == STRIP.defaults).all()
    small, large = (SPOILS["levels"](mix, size, np.random.default_rng(1)) for size in (0.5, 1.0))
    fader = STRIP.index("fader_db")
    assert (2 * small.strips[:, fader] == large.strips[:, fader]).all()
    assert set(np.abs(large.strips[:, fader])) == {0.0, 6.0}


def test_shares_of_pairs():
    first = {"levels": {"strong": [True, True], "mild": [False, True]}}
    second = {
        "levels": {"strong": [True, False], "mild": [False, False]},
        "narrow": {"strong": [True], "mild": [True]},
    }
    assert order.shares([first, second]) == {"strong": 0.875, "mild": 0.625}
    assert order.shares_by_kind([first])["levels"] == {"strong": 1.0, "mild": 0.5}
    assert order.shares_by_kind([first])["narrow"] == {"strong": None, "mild": None}
    assert order.shares([]) == {"strong": None, "mild": None}


@pytest.mark.slow
def test_the_benchmark(songs, tmp_path, monkeypatch, capsys):
    for name, value in {"BALANCES": 20, "SEARCHED": 1}.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(order, "DRAWS", 2)
    told = []
    result = bench_reward(
        songs, 1, 5.0, plots=tmp_path / "plots", evaluations=80,
        tell=lambda what, share: told.append(share),
    )  # fmt: skip
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert told == sorted(told)
    assert told[-1] == 1.0
    for case, leaves in result["red_team"].items():
        assert set(leaves) == {"song 0", "song 1"}, case
        for leaf in leaves.values():
            assert 0 <= leaf["score"] <= 1
            assert leaf["rendered"] == pytest.approx(leaf["score"], abs=0.15)
    assert result["red_team_held"]["simulate"] == 1.0
    assert set(result["people"]) == {"song 0"}
    assert 0 <= result["people"]["song 0"] <= 1
    assert result["order"]["strong"] >= result["order"]["mild"] >= 0.5
    for kind, changes in result["curves"]["change"].items():
        assert changes[0] == 0.0, kind
        assert changes[-1] < 0, kind
    found = result["search"]["song 0"]
    assert found["greedy"]["score"] >= found["greedy"]["equal_loudness"]
    assert set(found["adversary"]["judges"]) == set(found["adversary"]["rules_judges"])
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {
        "curves.png", "red_team.png", "people.png",
    }  # fmt: skip
    print_table(result)
    printed = capsys.readouterr().out
    assert "muted" in printed
    assert "song 0" in printed


def test_no_songs(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(MixgymError, match="song folders"):
            bench_reward(folder)


def test_the_command_refuses_what_is_not_there(refused, tmp_path):
    refused("bench", "reward", "--songs", tmp_path / "none", words=("none", "song folders"))
    refused("bench", "reward", "--songs", tmp_path, "--style", "cosy", words=("cosy", "balanced"))
