"""Policies in files, and what goes on from their mixes."""

import struct

import numpy as np
import pytest
import torch

from mixgym.agents.network import Sizes, TrackSetNetwork
from mixgym.agents.weights import About, save_weights, table_digest
from mixgym.console.rules import equal_loudness
from mixgym.console.space import Space
from mixgym.errors import MixgymError
from mixgym.experiments.arena.entrants import entrant
from mixgym.experiments.arena.policy import load_policy
from mixgym.rewards import load_reward
from mixgym.rewards.features import FEATURE_VERSION, MIX, STEM, STEM_IN_MIX, size
from mixgym.songs.generate import generate_song

pytest.importorskip("onnxruntime", reason="policies need onnxruntime")

STEMS, MIXED = size(STEM) + size(STEM_IN_MIX), size(MIX)
WIDTHS = {"strips": len(Space().strip), "buses": len(Space().buses), "master": len(Space().master)}


def number(value):
    """A protobuf varint."""
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(tag, value):
    """A protobuf field: a varint, or bytes, text and messages with their length."""
    if isinstance(value, int):
        return number(tag << 3) + number(value)
    content = value.encode() if isinstance(value, str) else value
    return number(tag << 3 | 2) + number(len(content)) + content


def message(*fields):
    return b"".join(field(tag, value) for tag, value in fields)


def tensor(name, values):
    shape = [(1, length) for length in values.shape]
    data = struct.pack(f"<{values.size}f", *values.ravel().tolist())
    return message(*shape, (2, 1), (8, name), (9, data))


def value_info(name, *shape):
    sizes = [(1, message((2, s) if isinstance(s, str) else (1, s))) for s in shape]
    return message((1, name), (2, message((1, message((1, 1), (2, message(*sizes)))))))


def node(kind, inputs, output):
    return message(*((1, i) for i in inputs), (2, output), (4, kind))


def write_policy(path, version=FEATURE_VERSION, seed=0, drop="", scale=0.02, width=0):
    """One layer from the features to settings, tanh(x W), by ONNX's published message numbers."""
    rng = np.random.default_rng(seed)
    parts = []
    for output, count in WIDTHS.items():
        source, features = ("stems", STEMS) if output == "strips" else ("mix", MIXED)
        weights = (scale * rng.standard_normal((features, count + width))).astype(np.float32)
        parts += [
            (1, node("MatMul", (source, f"w_{output}"), f"x_{output}")),
            (1, node("Tanh", (f"x_{output}",), output)),
            (5, tensor(f"w_{output}", weights)),
        ]
    outputs = [
        (12, value_info(name, *((1, "stems") if name == "strips" else (1,)), count + width))
        for name, count in WIDTHS.items()
        if name != drop
    ]
    graph = message(
        *(part for part in parts if part[0] == 1),
        (2, "policy"),
        *(part for part in parts if part[0] == 5),
        (11, value_info("stems", 1, "stems", STEMS)),
        (11, value_info("mix", 1, MIXED)),
        *outputs,
    )
    metadata = message((1, "mixgym_features"), (2, str(version)))
    path.write_bytes(message((1, 8), (7, graph), (8, message((1, ""), (2, 17))), (14, metadata)))
    return path


@pytest.fixture(scope="module")
def excerpt():
    with generate_song(4, 4.0, 24_000, stems=3) as song:
        yield song.excerpt(0.0, 4.0)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))


def test_a_policy_sets_what_its_outputs_say(excerpt, tmp_path):
    path = write_policy(tmp_path / "zero.onnx", scale=0.0)
    mix = load_policy(path)(excerpt, load_reward())
    space = Space()
    strips, _, _ = space.decode(np.zeros((1, space.genes(3))), 3)
    assert np.allclose(mix.strips, strips[0])
    other = load_policy(write_policy(tmp_path / "other.onnx"))(excerpt, load_reward())
    assert not np.allclose(other.strips, mix.strips)
    assert not np.allclose(other.strips[0], other.strips[1])  # it sees that stems differ
    same = load_policy(tmp_path / "other.onnx")(excerpt, load_reward())
    assert np.array_equal(other.strips, same.strips)


def test_a_policy_costs_one_evaluation_and_a_search_goes_on_from_it(excerpt, tmp_path):
    path = write_policy(tmp_path / "policy+1.onnx")
    alone, searched = entrant(f"policy:{path}"), entrant(f"policy:{path}+cma_es")
    assert alone.budgets((0, 1, 10, 100)) == (1,)
    assert searched.budgets((0, 1, 10, 100)) == (1, 10, 100)
    reward = load_reward()
    begin = searched.beginner("balanced")
    start = alone.play(begin, excerpt, reward, 10, 0, "balanced")
    first = searched.play(begin, excerpt, reward, 1, 0, "balanced")
    assert start.evaluations == first.evaluations == 1
    assert np.array_equal(start.mix.strips, first.mix.strips)
    further = searched.play(begin, excerpt, reward, 30, 0, "balanced")
    assert further.evaluations == 30
    seed = searched.play(begin, excerpt, reward, 30, 0, "balanced")
    assert np.array_equal(seed.mix.strips, further.mix.strips)


def test_trained_weights_compete_and_each_of_their_looks_counts(excerpt, tmp_path):
    space = Space()
    sizes = Sizes(
        stem=STEMS,
        mix=MIXED + 1,
        strip=len(space.strip),
        bus=len(space.buses) + len(space.master),
        width=16, blocks=1, heads=2, encoder="features",
    )  # fmt: skip
    torch.manual_seed(0)
    network = TrackSetNetwork(sizes)
    torch.nn.init.normal_(network.strip_head.weight, std=0.1)
    about = About(
        strip=space.strip, buses=space.buses, master=space.master, table=table_digest(space),
        sizes=sizes, control="delta", step_size=0.5, episode_steps=3, reward="balanced", steps=0,
    )  # fmt: skip
    path = tmp_path / "trained.npz"
    arrays = {f"network.{name}": values.numpy() for name, values in network.state_dict().items()}
    save_weights(path, arrays, about)
    mixer = entrant(f"policy:{path}")
    assert mixer.budgets((0, 1, 3, 10)) == (3,)
    played = mixer.play(mixer.beginner("balanced"), excerpt, load_reward(), 10, 0, "balanced")
    assert played.evaluations == 3
    assert not np.allclose(played.mix.strips, equal_loudness(excerpt).strips)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(MixgymError, match="holds no policy"):
        entrant(f"policy:{path}").budgets((1,))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"version": FEATURE_VERSION + 1}, "trained on features of version"),
        ({"drop": "buses"}, "gives master, strips; a policy takes"),
        ({"width": 1}, "strips has the shape"),
        ({"scale": np.nan}, "no number"),
    ],
)
def test_policies_that_do_not_fit_are_refused(excerpt, tmp_path, options, words):
    path = write_policy(tmp_path / "odd.onnx", **options)
    with pytest.raises(MixgymError, match=words) as refusal:
        load_policy(path)(excerpt, load_reward())
    assert str(path) in str(refusal.value)


def test_a_file_that_is_no_policy_is_refused(tmp_path):
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(MixgymError, match=r"text\.onnx is no ONNX file"):
        load_policy(tmp_path / "text.onnx")


def test_a_policy_in_the_arena(mixgym, tmp_path):
    from mixgym.songs.generate import write_song

    with generate_song(4, 5.0, 24_000, stems=3) as song:
        write_song(song, tmp_path / "songs" / "one")
    path = write_policy(tmp_path / "tiny.onnx")
    command = ["compete", "--songs", tmp_path / "songs", "--seconds", 4, "--excerpts", 1]
    command += ["--mixers", f"roles,policy:{path},policy:{path}+sep_cma", "--budgets", "0,1,20"]
    command += ["--seeds", 1, "--mapper", "inline", "--out", tmp_path / "run"]
    ran = mixgym(*command)
    assert ran.status == 0, ran.err
    again = mixgym(*command)
    assert again.out == ran.out
    write_policy(path, seed=1)
    changed = mixgym(*command)
    assert changed.status == 2
    assert "another policy" in changed.err
