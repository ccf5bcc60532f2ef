"""A run of the arena: which rows there are, that none is lost or doubled, and what is refused."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from mixgym.errors import MixgymError
from mixgym.experiments.arena.parquet import read_rows
from mixgym.experiments.arena.pieces import find_pieces
from mixgym.experiments.arena.run import chunks_of, compete
from mixgym.experiments.arena.settings import make_settings
from mixgym.experiments.arena.store import Store, key_of
from mixgym.experiments.mapper import InlineMapper, make_mapper
from mixgym.experiments.results_page import write_page
from mixgym.songs.generate import generate_song

RATE = 24_000
MIXERS = ["equal_loudness", "random", "plain_sum+sep_cma"]
BUDGETS = [0, 1, 20]
MEASURED = ("seconds", "workers", "commit")  # what differs from run to run


def write_stems(folder, seed, seconds=5.0, human=False):
    folder.mkdir(parents=True)
    with generate_song(seed, seconds, RATE, stems=3) as song:
        total = np.zeros((2, song.frames), np.float32)
        for stem in song.stems:
            audio = stem.read(0, song.frames)
            sf.write(folder / f"{stem.name}.wav", audio.T, RATE, subtype="FLOAT")
            total += 0.3 * audio
        if human:
            (folder / "reference").mkdir()
            sf.write(folder / "reference" / "mix.wav", total.T, RATE, subtype="FLOAT")


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Two songs; the first with a person's mix."""
    folder = tmp_path_factory.mktemp("songs")
    write_stems(folder / "one", 0, human=True)
    write_stems(folder / "two", 1)
    return folder


def settings_of(songs, **given):
    given = {"mixers": MIXERS, "budgets": BUDGETS, "seeds": 2, "excerpts": 1, "seconds": 4} | given
    return make_settings(songs=[songs], **given)


def run(settings, folder, mapper="inline"):
    with make_mapper(mapper) as workers:
        return compete(settings, folder, workers, lambda what, share: None)[0]


def plain(rows):
    return [{k: v for k, v in row.items() if k not in MEASURED} for row in rows]


@pytest.fixture(scope="module")
def played(songs, tmp_path_factory):
    """The rows of a run, and its folder."""
    folder = tmp_path_factory.mktemp("run")
    return run(settings_of(songs), folder), folder


def arguments(songs, out, *more):
    words = ["compete", "--songs", songs, "--mixers", ",".join(MIXERS), "--seeds", 2]
    words += ["--budgets", ",".join(map(str, BUDGETS)), "--excerpts", 1, "--seconds", 4]
    return [*words, "--out", out, *more]


def test_every_mixer_song_seed_and_budget_has_one_row(played):
    rows, _ = played
    keys = [key_of(row) for row in rows]
    expected = [("equal_loudness", song, 0, 0, 0) for song in ("one", "two")]
    expected += [
        (mixer, song, 0, seed, budget)
        for mixer in MIXERS[1:]
        for song in ("one", "two")
        for seed in range(2)
        for budget in BUDGETS
    ]
    assert sorted(keys) == sorted(expected)


def test_nobody_spends_more_than_the_budget_and_searches_spend_it(played):
    for row in played[0]:
        assert row["evaluations"] <= row["budget"]
        assert row["evaluations"] == row["budget"] or row["budget"] < 10
        assert 0 <= row["score"] <= 1
        assert row["terms"].keys() >= {"loudness", "spectrum", "audibility"}


def test_without_evaluations_a_search_is_its_start(played):
    rows = {key_of(row): row for row in played[0]}
    for seed in range(2):
        start = rows["random", "one", 0, seed, 0]
        assert start["score"] == rows["equal_loudness", "one", 0, 0, 0]["score"]


def test_seeds_draw_apart_and_judges_need_a_persons_mix(played):
    rows = {key_of(row): row for row in played[0]}
    drawn = [rows["plain_sum+sep_cma", "one", 0, seed, 1]["score"] for seed in range(2)]
    assert drawn[0] != drawn[1]
    for row in rows.values():
        assert bool(row["judges"]) == (row["song"] == "one")


def test_the_parquet_file_holds_the_rows_and_the_settings(songs, played):
    rows, folder = played
    read, about = read_rows(folder / "scores.parquet")
    assert read == rows
    assert about["settings"]["seeds"] == 2
    assert all(row["cpu"] and row["cores"] for row in read)


@pytest.mark.slow
def test_processes_play_the_same(songs, played, tmp_path):
    assert plain(run(settings_of(songs), tmp_path / "run", "processes:2")) == plain(played[0])


@pytest.mark.slow
def test_a_cluster_plays_the_same_though_a_node_is_lost(songs, played, tmp_path, cluster):
    ray_cluster, other = cluster
    done = []

    def tell(what, share):
        done.append(what)
        if done.count("Competing") == 1:
            ray_cluster.remove_node(other, allow_graceful=False)

    with make_mapper(f"ray:{ray_cluster.address}") as mapper:
        rows, _ = compete(settings_of(songs), tmp_path / "run", mapper, tell)
    assert plain(rows) == plain(played[0])


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_killed_and_run_again_no_row_is_lost_or_doubled(mixgym, songs, played, tmp_path):
    out = tmp_path / "run"
    command = list(map(str, arguments(songs, out, "--mapper", "inline", "-q")))
    process = subprocess.Popen([sys.executable, "-m", "mixgym", *command], stderr=subprocess.PIPE)
    ends = time.monotonic() + 300
    while not list(out.glob("parts/*.jsonl")) and time.monotonic() < ends:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {part: part.read_bytes() for part in out.glob("parts/*.jsonl")}
    assert 1 <= len(before) < 4
    assert not (out / "scores.parquet").exists()
    (out / "parts" / ".half.jsonl.1.partial").write_text('{"mixer": "ran')
    assert mixgym(*command).status == 0
    assert all(part.read_bytes() == content for part, content in before.items())
    rows, _ = read_rows(out / "scores.parquet")
    assert plain(rows) == plain(played[0])


def test_a_run_grows_by_what_is_new(songs, played, tmp_path):
    first = settings_of(songs, mixers=MIXERS[:2], budgets=[0, 20], seeds=1)
    rows = run(first, tmp_path / "run")
    store, pieces = Store(tmp_path / "run"), find_pieces(first, InlineMapper(), lambda *_: None)
    assert chunks_of(first, pieces, store.rows(), 1) == []
    left = chunks_of(settings_of(songs), pieces, store.rows(), 1)
    tasks = {(c.piece.song, t.mixer, t.seed): t.budgets for c in left for t in c.tasks}
    assert tasks["one", "random", 0] == (1,)
    assert tasks["one", "random", 1] == (0, 1, 20)
    assert ("one", "equal_loudness", 0) not in tasks
    assert len(rows) == 2 * 3


def test_songs_of_a_split_and_of_a_set(tmp_path, mixgym):
    for seed, name in enumerate(("Greippi-KremKaakkuja", "lithium")):
        write_stems(tmp_path / "songs" / name, seed)
    assert [p.song for p in pieces_of(tmp_path / "songs")] == ["Greippi-KremKaakkuja", "lithium"]
    (held_out,) = pieces_of(tmp_path / "songs", split="test")
    assert (held_out.song, held_out.artist, held_out.split) == (
        "Greippi-KremKaakkuja", "Greippi", "test",
    )  # fmt: skip
    with pytest.raises(MixgymError, match="no songs of the split validation"):
        pieces_of(tmp_path / "songs", split="validation")
    built = mixgym("songs", "build", tmp_path / "set", "--generate", 2, "--seconds", 4,
                   "--sample-rate", RATE, "--jobs", 1, "-q")  # fmt: skip
    assert built.status == 0
    pieces = pieces_of(tmp_path / "set")
    assert len(pieces) == 2
    assert all((piece.folder / "song.json").is_file() for piece in pieces)


def test_several_excerpts_of_a_song_do_not_overlap(tmp_path):
    write_stems(tmp_path / "songs" / "long", 2, seconds=14.0)
    pieces = pieces_of(tmp_path / "songs", excerpts=3)
    starts = [piece.start_s for piece in pieces]
    assert [piece.excerpt for piece in pieces] == list(range(len(starts)))
    assert len(starts) > 1
    assert all(later - earlier >= 4 for earlier, later in pairwise(starts))


def pieces_of(folder, **given):
    return find_pieces(settings_of(folder, **given), InlineMapper(), lambda what, share: None)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--mixers", "roles,cma_se", ["cma_se", "cma_es"]),
        ("--mixers", "roles+nothing", ["roles+nothing"]),
        ("--mixers", "policy:none.onnx", ["none.onnx"]),
        ("--mixers", ",", ["mixers"]),
        ("--budgets", "0", ["random", "at least 1"]),
        ("--budgets", "-3", ["budgets", "greater than or equal to 0"]),
        ("--budgets", "ten", ["budgets"]),
        ("--seeds", "0", ["seeds"]),
        ("--split", "tset", ["split"]),
        ("--style", "cosy", ["cosy", "balanced"]),
        ("--mapper", "cloud", ["cloud", "processes"]),
        ("--songs", "nowhere", ["nowhere"]),
        ("--json", "nowhere/rows.json", ["nowhere"]),
    ],
)
def test_what_cannot_be_played_is_refused(refused, songs, tmp_path, option, value, words):
    given = [*map(str, arguments(songs, tmp_path / "run")), "--mapper", "inline"]
    if option in given:
        given[given.index(option) + 1] = value
    else:
        given += [option, value]
    refused(*given, words=words)


def test_no_songs(refused, tmp_path):
    refused("compete", "--out", tmp_path / "run", words=["--songs"])
    (tmp_path / "songs").mkdir()
    refused("compete", "--songs", tmp_path / "songs", "--mapper", "inline", "--out",
            tmp_path / "run", words=["songs"])  # fmt: skip


def test_settings_from_a_file(refused, tmp_path, monkeypatch):
    path = tmp_path / "arena.yaml"
    path.write_text("songs: here\nmixers: [roles]\nseeds: 3\n")
    settings = make_settings(path, seeds=None, budgets=["5", "1", "5"])
    assert settings.songs == (tmp_path / "here",)
    assert (settings.seeds, settings.budgets) == (3, (1, 5))
    for text, words in (
        ("songs: $NO_SUCH_PLACE/songs", ["$NO_SUCH_PLACE", "not set"]),
        ("songs: here\nseed: 3", ["seed", "arena.yaml"]),
        ("songs: here\nseeds: many", ["seeds", "arena.yaml"]),
        ("[1, 2", ["not YAML"]),
        ("- 3", ["no settings"]),
    ):
        path.write_text(text)
        refused("compete", path, "--out", tmp_path / "run", words=words)
    refused("compete", tmp_path / "none.yaml", words=["none.yaml"])


def test_damaged_and_foreign_folders(refused, songs, played, tmp_path):
    out = tmp_path / "run"
    run(settings_of(songs, mixers=["equal_loudness"], budgets=[0]), out)
    command = [*arguments(songs, out), "--mixers", "equal_loudness", "--mapper", "inline"]
    refused(*command, "--seconds", 5, words=[out, "seconds 4", "not 5", "--out"])
    part = next(out.glob("parts/*.jsonl"))
    whole = part.read_text()
    part.write_text(whole[:-40])
    refused(*command, words=[part, "damaged", "remove it"])
    part.unlink()
    assert len(run(settings_of(songs, mixers=["equal_loudness"], budgets=[0]), out)) == 2
    (out / "run.json").write_text('{"format": "other"}')
    refused(*command, words=["run.json", "damaged"])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear")
    refused(*arguments(songs, tmp_path / "mine"), words=["mine", "other things"])


@pytest.mark.parametrize("written", [0, 1, 2])
def test_a_full_disk_ends_in_a_sentence_and_is_gone_on_from(
    mixgym, songs, tmp_path, monkeypatch, check_sentence, written
):
    fsync, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) > written:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    out = tmp_path / "run"
    command = ["compete", "--songs", songs, "--out", out, "--mixers", "equal_loudness,roles"]
    command += ["--seconds", 4, "--excerpts", 1, "--mapper", "inline"]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        ran = mixgym(*command)
    assert ran.status == 2
    check_sentence(ran.err, [out, "is full", "goes on"])
    assert len(list(out.rglob("*.json*"))) == written
    assert mixgym(*command, "-q").status == 0
    rows, _ = read_rows(out / "scores.parquet")
    assert len({key_of(row) for row in rows}) == len(rows) == 4


def test_compete_prints_tables_and_writes_what_is_asked(mixgym, songs, played, tmp_path):
    rows, folder = played
    json_file, results = tmp_path / "rows.json", tmp_path / "RESULTS.md"
    command = arguments(songs, folder, "--mapper", "inline", "--json", json_file)
    ran = mixgym(*command, "--results", results, "--report")
    assert ran.status == 0, ran.err
    assert "plain_sum+sep_cma" in ran.out
    written = json.loads(json_file.read_text())
    assert len(written) == len(rows)
    assert written[0].keys() == {
        "mixer", "song", "excerpt", "seed", "budget", "seconds", "evaluations", "score", "terms",
        "judges",
    }  # fmt: skip
    page = results.read_text()
    assert "mixgym compete --songs SONGS" in page
    assert all(f"| {mixer} |" in page for mixer in MIXERS)
    report = (folder / "report.html").read_text()
    assert report.count("data:audio/mpeg") >= 6
    assert report.count('class="card player"') == 3
    assert "http://" not in report.replace("http://www.w3.org", "")
    assert "https://" not in report
    assert len(report) < 5_000_000


def test_the_page_of_results_shows_curves_by_both_axes(played, tmp_path):
    _, folder = played
    write_page([folder / "scores.parquet"], tmp_path / "RESULTS.md")
    page = (tmp_path / "RESULTS.md").read_text()
    assert "### Score on render by evaluations" in page and "### Seconds by evaluations" in page
    for axis in ("evaluations", "seconds"):
        (name,) = re.findall(rf"!\[Score by {axis}\]\((.*)\)", page)
        assert (tmp_path / name).read_text().startswith("<svg")


def test_evaluate_one_mixer_on_songs_of_ones_own(mixgym, refused, songs, tmp_path):
    command = ["evaluate", "--songs", songs, "--seconds", 4, "--mapper", "inline"]
    ran = mixgym(*command, "--mixer", "roles", "--json")
    assert ran.status == 0, ran.err
    result = json.loads(ran.out)
    assert set(result["songs"]) == {"one", "two"}
    assert result["songs"]["one"]["judges"] and not result["songs"]["two"]["judges"]
    shown = mixgym(*command, "--mixer", "roles").out
    assert "Distance to the person's mix" in shown and "two" in shown
    refused(*command, "--mixer", "ga", "--budget", 0, words=["ga", "at least 1"])
    refused(*command, "--mixer", "nobody", words=["nobody"])


def test_gradients_compete_from_any_start(songs, tmp_path):
    settings = settings_of(
        songs,
        mixers=("equal_loudness", "gradient", "equal_loudness+gradient"),
        budgets=(60,),
        seeds=1,
    )
    rows = run(settings, tmp_path / "run")
    scores = {(row["song"], row["mixer"]): row for row in rows}
    for song in ("one", "two"):
        plain = scores[song, "equal_loudness"]["score"]
        for mixer in settings.mixers[1:]:
            row = scores[song, mixer]
            assert row["score"] > plain + 0.005, (song, mixer)
            assert 0 < row["evaluations"] <= 60


def test_the_shipped_arena_can_be_read(monkeypatch):
    import mixgym

    monkeypatch.setenv("MIXGYM_DATA", "/data")
    settings = make_settings(Path(mixgym.__file__).parent / "experiments" / "arena.yaml")
    assert settings.songs == (Path("/data/songs"),)
    assert {"random", "equal_loudness", "map_elites"} <= set(settings.mixers)
