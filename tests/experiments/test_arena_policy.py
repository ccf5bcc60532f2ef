"""Policies in files, and what goes on from their mixes."""

import numpy as np
import pytest
import torch
from onnx import helper, numpy_helper

from mixgym.agents.network import Sizes, TrackSetNetwork
from mixgym.agents.weights import About, save_weights, table_digest
from mixgym.console.parameters import BUSES, MASTER, STRIP, tables_digest
from mixgym.console.rules import equal_loudness
from mixgym.console.space import Space
from mixgym.errors import MixgymError
from mixgym.experiments.arena.entrants import entrant
from mixgym.experiments.arena.policy import load_policy
from mixgym.rewards import load_reward
from mixgym.rewards.features import FEATURE_VERSION, MIX, STEM, STEM_IN_MIX, size
from mixgym.runtime.policy.contract import TASKS, Described, metadata, sizes
from mixgym.songs.generate import generate_song

STEMS, MIXED = size(STEM) + size(STEM_IN_MIX), size(MIX)


TABLES = {"strips": STRIP, "buses": BUSES, "master": MASTER}


def write_policy(path, version=FEATURE_VERSION, seed=0, drop="", scale=0.02, width=0):
    """One layer from features to faders, pans and a few of what is shared, held within ranges."""
    rng = np.random.default_rng(seed)
    space, task = Space(), TASKS["mixing"]
    nodes, constants = [], []
    for output, table in TABLES.items():
        source = "stems" if output == "strips" else "mix"
        shape = (task.inputs[source][-1], len(table) + width)
        weights = np.zeros(shape)
        weights[:, :2] = scale * rng.standard_normal((shape[0], 2))
        rest = np.pad(table.defaults, (0, width))
        low, high = (np.pad(end, (0, width)) for end in (table.low, table.high))
        for name, values in (("w", weights), ("rest", rest), ("low", low), ("high", high)):
            constants.append(numpy_helper.from_array(values.astype(np.float32), f"{name}_{output}"))
        for kind, first, second, out in (
            ("MatMul", source, f"w_{output}", f"x_{output}"),
            ("Add", f"x_{output}", f"rest_{output}", f"y_{output}"),
            ("Max", f"y_{output}", f"low_{output}", f"z_{output}"),
            ("Min", f"z_{output}", f"high_{output}", output),
        ):
            nodes.append(helper.make_node(kind, [first, second], [out]))
    inputs, outputs = (
        [
            helper.make_tensor_value_info(
                name, 1, [*axes[:-1], axes[-1] + extra] if isinstance(axes[-1], int) else axes
            )
            for name, axes in shapes.items()
            if name != drop
        ]
        for shapes, extra in ((task.inputs, 0), (task.outputs, width))
    )
    graph = helper.make_graph(nodes, "policy", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    described = Described(
        mixgym="0", tables=tables_digest(), features=version, sizes=sizes("mixing"),
        strip=space.strip, buses=space.buses, master=space.master, styles=("balanced",),
        licence="CC0-1.0",
    )  # fmt: skip
    helper.set_model_props(model, metadata(described))
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="module")
def excerpt():
    with generate_song(4, 4.0, 24_000, stems=3) as song:
        yield song.excerpt(0.0, 4.0)


def test_a_policy_sets_what_its_outputs_say(excerpt, tmp_path):
    path = write_policy(tmp_path / "zero.onnx", scale=0.0)
    mix = load_policy(path)(excerpt, load_reward())
    at_rest = [place for place, p in enumerate(STRIP) if p.scale != "switch"]  # some are on, idle
    assert np.allclose(mix.strips[:, at_rest], equal_loudness(excerpt).strips[:, at_rest])
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
        sizes=sizes, control="delta", step_size=0.5, episode_steps=3, styles=("balanced",), steps=0,
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
        ({"drop": "buses"}, "takes or gives other things"),
        ({"width": 1}, "takes or gives other things"),
        ({"scale": np.nan}, "beyond its range"),
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
