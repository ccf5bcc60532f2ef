"""Rewards from YAML, references from tracks, and what is refused."""

import pickle

import numpy as np
import pytest
import soundfile as sf

from mixgym.console.rules import equal_loudness, roles
from mixgym.console.styles import STYLES
from mixgym.errors import MixgymError
from mixgym.rewards.evaluator import Evaluator
from mixgym.rewards.reference import Reference, learn_reference, load_reference
from mixgym.rewards.reward import Reward, load_reward, styles
from mixgym.songs.generate import generate_song

HEADER = "terms:\n  loudness: {weight: 1}\n"


@pytest.fixture(scope="module")
def song():
    with generate_song(5, 6.0, 24_000, stems=5) as made:
        yield made


@pytest.fixture
def write(tmp_path):
    def made(text: str):
        path = tmp_path / "reward.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return made


def noise(path, seconds=4.0, slope=0.0, width=0.3, rate=24_000):
    rng = np.random.default_rng(1)
    mid, side = rng.standard_normal((2, int(seconds * rate)))
    spectrum = np.fft.rfft(mid)
    spectrum *= np.maximum(1, np.arange(len(spectrum))) ** slope
    mid = np.fft.irfft(spectrum, len(mid))
    mid /= np.abs(mid).max()
    sf.write(path, 0.3 * np.stack([mid + width * side / 4, mid - width * side / 4], axis=1), rate)
    return path


def test_every_style_has_a_reward_that_wants_what_the_style_says():
    assert set(styles()) == set(STYLES)
    for name, style in STYLES.items():
        reward = load_reward(name)
        assert reward.about == style.about
        loudness, spectrum = (reward._terms[term].keywords for term in ("loudness", "spectrum"))
        assert loudness["target_lufs"] == style.master.get("target_lufs", -14)
        assert spectrum.get("tilt_db_per_octave", 0.0) == style.tilt_db_per_octave
        audibility = reward._terms["audibility"].keywords
        assert audibility.get("lead_db", 0.0) == style.levels_db.get("lead_vocal", 0.0)
        assert audibility.get("backing_db", 0.0) == style.levels_db.get("backing_vocal", 0.0)


def test_a_style_prefers_its_own_mix(song):
    for name in ("loud", "dynamic"):
        evaluator = Evaluator(song, load_reward(name))
        own, other = evaluator.evaluate_mixes(
            [roles(song, lean=STYLES[name]), roles(song, lean=STYLES["balanced"])]
        ).score
        assert own > other


def test_a_file_is_what_it_says(write, song):
    reward = load_reward(
        write(
            "about: loud\nterms:\n  loudness: {weight: 2, target_lufs: -9}\n"
            "  stereo: {weight: 0}\ngates:\n  silence: {drop_db: 20}\n"
        )
    )
    assert reward.about == "loud"
    assert reward.weights == {"loudness": 2.0, "stereo": 0.0}
    mix = equal_loudness(song)
    scores = Evaluator(song, reward).evaluate_mixes([mix.with_master(target_lufs=-9), mix])
    assert set(scores.gates) == {"silence"}
    assert scores.score == pytest.approx(scores.terms["loudness"] * scores.gates["silence"])
    assert scores.score[0] > scores.score[1]
    copied = pickle.loads(pickle.dumps(reward))
    again = Evaluator(song, copied).evaluate_mixes([mix.with_master(target_lufs=-9), mix])
    assert np.array_equal(again.score, scores.score)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("terms:\n  loudnes: {weight: 1}\n", ("loudnes", "loudness")),
        ("terms:\n  loudness: {weight: -1}\n", ("terms.loudness.weight", "greater than or equal")),
        ("terms:\n  loudness: {weight: .nan}\n", ("terms.loudness.weight",)),
        ("terms:\n  loudness: {weight: many}\n", ("terms.loudness.weight", "number")),
        ("terms:\n  loudness: {weight: 0}\n  stereo: {weight: 0}\n", ("All weights are 0",)),
        ("terms: {}\n", ("All weights are 0",)),
        ("about: nothing\n", ("terms", "required")),
        ("- loudness\n", ("the file",)),
        ("", ("the file",)),
        ("terms: [\n", ("not a reward's YAML", "line")),
        ("terms: {loudness: {weight: 1, target: -9}}\n", ("'target'", "target_lufs")),
        ("terms: {masking: {weight: 1, depth: 2}}\n", ("'depth'", "none")),
        ("terms: {loudness: {target_lufs: soft.json}}\n", ("soft.json",)),
        ("terms: {loudness: {target_lufs: true}}\n", ("target_lufs", "number")),
        ("terms: {loudness: {target_lufs: .inf}}\n", ("target_lufs",)),
        ("terms: {loudness: {falloff_lu: 0}}\n", ("falloff_lu", "above 0")),
        ("terms: {spectrum: {reference_curve: 3}}\n", ("reference_curve", ".json")),
        ("terms: {reference: {weight: 1}}\n", ("track", ".json")),
        (HEADER + "gates: {noise: {}}\n", ("noise", "silence")),
        (HEADER + "gates: {silence: {drop: 3}}\n", ("'drop'", "drop_db")),
        (HEADER + "style: warm\n", ("style",)),
        ("terms: !!python/object/apply:os.system ['true']\n", ("not a reward's YAML",)),
        ("\x00", ("not a reward's YAML",)),
    ],
)
def test_what_is_wrong_is_named_in_one_sentence(write, text, words):
    path = write(text)
    with pytest.raises(MixgymError) as error:
        load_reward(path)
    message = str(error.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert message.endswith(".")
    for word in words:
        assert word in message


def test_yaml_that_would_fill_the_memory_is_refused_at_once(write):
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
    )
    for text in (bomb, "terms: " + "[" * 20_000, "terms: " + "{a: " * 20_000):
        with pytest.raises(MixgymError, match="not a reward's YAML"):
            load_reward(write(text))
    with pytest.raises(MixgymError, match="larger than"):
        load_reward(write("#" * 200_000))


def test_no_such_style_or_file(tmp_path):
    with pytest.raises(MixgymError, match=r"cosy.*balanced"):
        load_reward("cosy")
    with pytest.raises(MixgymError, match=r"missing\.yaml"):
        load_reward(tmp_path / "missing.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(MixgymError, match=r"folder\.yaml"):
        load_reward(tmp_path / "folder.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"about: \xff")
    with pytest.raises(MixgymError, match=r"latin\.yaml"):
        load_reward(tmp_path / "latin.yaml")


def test_rewards_made_in_code_are_checked_too():
    with pytest.raises(MixgymError, match="-1"):
        Reward({"loudness": -1.0})
    with pytest.raises(MixgymError, match="noise"):
        Reward({"loudness": 1.0}, gates=("noise",))


def test_a_reference_is_learned_saved_and_used(tmp_path, write, song):
    folder = tmp_path / "tracks"
    folder.mkdir()
    for i, slope in enumerate((-0.6, -0.5, -0.4)):
        noise(folder / f"{i}.wav", slope=slope)
    (folder / "notes.txt").write_text("not audio", encoding="utf-8")
    learned = learn_reference(folder)
    middle = learn_reference(folder / "1.wav")
    assert learned.tracks == 3
    assert learned.levels_db == pytest.approx(middle.levels_db, abs=0.5)
    learned.save(tmp_path / "curve.json")
    assert load_reference(tmp_path / "curve.json") == learned
    reward = load_reward(
        write(
            "terms:\n  spectrum: {weight: 1, reference_curve: curve.json}\n"
            "  reference: {weight: 1, track: curve.json}\n"
        )
    )
    scores = Evaluator(song, reward).evaluate_mixes([equal_loudness(song)])
    assert 0 < scores.score[0] < 1
    assert list(tmp_path.glob("*.partial")) == []


def test_references_that_cannot_be_used_are_refused(tmp_path):
    good = learn_reference(noise(tmp_path / "track.wav"))
    for change, word in (
        ('"tracks":1', "tracks"),
        ('"version":1', "version"),
        ('"plr_db":', "plr_db"),
    ):
        text = good.model_dump_json().replace(
            change, f"{change[:-1]}9999" if "1" in change else '"p":'
        )
        (tmp_path / "bad.json").write_text(text, encoding="utf-8")
        with pytest.raises(MixgymError, match=word):
            load_reference(tmp_path / "bad.json")
    (tmp_path / "bad.json").write_text("[" * 90_000, encoding="utf-8")
    with pytest.raises(MixgymError, match="no reference"):
        load_reference(tmp_path / "bad.json")
    (tmp_path / "bad.json").write_text(" " * 200_000, encoding="utf-8")
    with pytest.raises(MixgymError, match="larger"):
        load_reference(tmp_path / "bad.json")
    with pytest.raises(MixgymError, match="cannot be read"):
        load_reference(tmp_path / "missing.json")
    with pytest.raises(MixgymError, match="no audio files"):
        learn_reference([])
    sf.write(tmp_path / "silent.wav", np.zeros((24_000, 2)), 24_000)
    with pytest.raises(MixgymError, match="silent"):
        learn_reference(tmp_path / "silent.wav")
    with pytest.raises(ValueError, match="rise"):
        Reference.model_validate({**good.model_dump(), "centres_hz": good.centres_hz[::-1]})
