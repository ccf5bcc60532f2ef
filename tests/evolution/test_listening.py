"""Evolution by ear: a client with a hidden preference plays the person."""

import io
import json
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile as sf

from mixgym.console.meters import LoudnessMeter
from mixgym.console.mix import Mix
from mixgym.console.parameters import MASTER, STRIP
from mixgym.console.preset import load_preset
from mixgym.evolution.preference import PairwiseSearch, axes_of, moved
from mixgym.runtime import evolving
from mixgym.runtime.listening import Listening
from mixgym.runtime.listening_page import served
from mixgym.songs.generate import generate_song


@pytest.fixture(scope="module")
def song():
    with generate_song(1, 4.0, 22_050, 4) as made:
        yield made


@pytest.fixture
def axes(song):
    return axes_of(Mix.neutral(song), [True] * len(song.stems))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mistakes", [0.0, 0.1])
def test_it_comes_near_to_what_a_person_likes(axes, seed, mistakes):
    rng = np.random.default_rng(seed)
    units = np.array([axis.step for axis in axes])
    liked = rng.uniform(-1.5, 1.5, len(axes))  # in first steps

    def distance(place):
        return np.linalg.norm(place / units - liked)

    search = PairwiseSearch(axes, seed)
    for _ in range(100):
        better = distance(search.challenger) < distance(search.best)
        search.tell(better ^ (rng.random() < mistakes))
    assert distance(search.best) < (0.2 if not mistakes else 0.5) * distance(0 * liked)


def test_a_person_who_never_prefers_a_challenger_keeps_the_mix(axes):
    search = PairwiseSearch(axes, 0)
    count = 0
    while not search.settled:
        search.tell(False)
        count += 1
    assert not search.best.any()
    assert count <= 2 * 3 * len(axes)


def test_no_pair_is_twice_the_same_and_all_stay_in_range(axes):
    search = PairwiseSearch(axes, 1)
    limits = np.array([axis.limit for axis in axes])
    for _ in range(200):  # always more: every axis runs into its end
        challenger = search.challenger
        assert not np.array_equal(challenger, search.best)
        assert (np.abs(challenger) <= limits).all()
        search.tell(True)


def test_axes_move_what_they_say(song, axes):
    mix = Mix.neutral(song)
    by_name = {axis.name: i for i, axis in enumerate(axes)}
    assert "bass level" in by_name and "reverb" in by_name

    def with_(name, amount):
        place = np.zeros(len(axes))
        place[by_name[name]] = amount
        return moved(mix, axes, place)

    assert moved(mix, axes, np.zeros(len(axes))) is mix
    louder = with_("bass level", 3.0)
    fader = STRIP.index("fader_db")
    assert {
        role for role, f in zip(mix.roles, louder.strips[:, fader], strict=True) if f == 3.0
    } == {"bass"}
    assert with_("highs", -2.0).master[MASTER.index("master_high_shelf_db")] == -2.0
    assert with_("width", 0.5).master[MASTER.index("master_width")] == pytest.approx(2**0.5)
    sends = with_("reverb", 6.0).strips[:, STRIP.index("reverb_send_db")]
    wet = np.array([role not in ("kick", "bass") for role in mix.roles])
    assert (sends[wet] == -30.0).all() and (sends[~wet] == -60.0).all()


def call(url, name="", body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + name, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.read()


def heard(url, number, side):
    audio, rate = sf.read(io.BytesIO(call(url, f"{number}/{side}.wav")), dtype="float32")
    return np.ascontiguousarray(audio.T), rate


def treble_db(audio, rate):
    spectrum = np.square(np.abs(np.fft.rfft(audio.mean(axis=0))))
    hz = np.fft.rfftfreq(audio.shape[1], 1 / rate)
    return 10 * np.log10(spectrum[hz > 3000].sum() / spectrum[hz < 3000].sum())


def play(url, liked_db, most=60):
    """A person who likes so much treble; returns how far off the better of each pair was."""
    off = []
    for _ in range(most):
        pair = json.loads(call(url, "pair"))
        if pair["settled"]:
            break
        a, b = (abs(treble_db(*heard(url, pair["number"], side)) - liked_db) for side in ("a", "b"))
        off.append(min(a, b))
        answer = "same" if abs(a - b) < 0.02 else "a" if a < b else "b"
        call(url, "answer", {"number": pair["number"], "answer": answer})
    return off


def test_a_client_with_a_hidden_preference_is_understood(song):
    listening = Listening(song, Mix.neutral(song), 2)
    with served(listening) as page:
        audio, rate = heard(page.url, 1, "a")
        liked_db = treble_db(audio, rate) + 6.0
        off = play(page.url, liked_db)
        assert not page.done.is_set()
        call(page.url, "done", {})
        assert page.done.wait(5)
    assert off[0] > 3.0
    assert off[-1] < 0.5
    assert listening.answers == len(off)
    assert not np.array_equal(listening.mix.master, Mix.neutral(song).master)


def test_both_sides_are_equally_loud(song):
    listening = Listening(song, Mix.neutral(song).with_master(loudness_on=0), 0)
    with served(listening) as page:
        for number in (1, 2, 3):
            loudness = []
            for side in ("a", "b"):
                audio, rate = heard(page.url, number, side)
                meter = LoudnessMeter(rate, 2)
                meter.push(audio)
                loudness.append(meter.integrated_lufs)
            assert loudness[0] == pytest.approx(loudness[1], abs=0.05)
            call(page.url, "answer", {"number": number, "answer": "b"})


def status(function):
    with pytest.raises(urllib.error.HTTPError) as error:
        function()
    return error.value.code


def test_only_its_own_page_may_ask(song):
    listening = Listening(song, Mix.neutral(song), 0)
    with served(listening) as page:
        parts = urlsplit(page.url)
        origin = f"http://{parts.netloc}/"
        assert parts.hostname == "127.0.0.1"
        assert b"<html" in call(page.url)
        assert status(lambda: call(origin)) == 404
        assert status(lambda: call(origin + "guess/", "pair")) == 404
        assert status(lambda: call(page.url, "pair", Host="evil.example")) == 404
        assert status(lambda: call(page.url, "../../etc/passwd")) == 404
        assert status(lambda: call(origin + "guess/", "done", {})) == 404
        for body in ({}, [], {"number": 1, "answer": "c"}, {"number": True, "answer": "a"}):
            assert status(lambda body=body: call(page.url, "answer", body)) == 400
        assert status(lambda: call(page.url, "answer", {"number": 1, "x": "y" * 2000})) == 400
        connection = HTTPConnection(parts.netloc, timeout=10)
        connection.putrequest("POST", parts.path + "answer")
        connection.putheader("Content-Length", "-1")
        connection.endheaders()
        assert connection.getresponse().status == 400
        assert listening.answers == 0 and not page.done.is_set()
        call(page.url, "answer", {"number": 1, "answer": "same"})
        call(page.url, "answer", {"number": 1, "answer": "same"})  # pressed twice
        assert listening.answers == 1


def test_the_command_writes_what_was_chosen(mixgym, stems, tmp_path, monkeypatch):
    """Whoever always finds the brighter side better gets a mix with more highs."""
    found = []

    @contextmanager
    def watched(listening, port=0):
        with served(listening, port) as page:
            found.append(page.url)
            yield page

    monkeypatch.setattr("mixgym.runtime.listening_page.served", watched)
    monkeypatch.setattr(evolving, "POLL_S", 0.02)

    def person():
        while not found:
            time.sleep(0.01)
        play(found[0], 100.0, most=12)
        call(found[0], "done", {})

    thread = threading.Thread(target=person)
    thread.start()
    preset = tmp_path / "p.json"
    ran = mixgym(
        "evolve", stems, "-o", tmp_path / "m.wav", "--save-preset", preset, "--listen",
        "--evaluations", 50, "--seconds", 3, "--refine", 0, "-q",
    )  # fmt: skip
    thread.join()
    assert ran.status == 0, ran.err
    assert found[0] in ran.err
    made = load_preset(preset)
    assert made.made_by == "ga and a listener"
    assert (tmp_path / "m.wav").stat().st_size > 100_000
