"""Policies from strangers: data, refused in one sentence within bounded time and memory."""

import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mixgym.errors import MixgymError
from mixgym.export.parity import random_inputs
from mixgym.rewards.features import FEATURE_VERSION
from mixgym.runtime.policy.backends import MOST_BYTES, open_policy
from mixgym.runtime.policy.contract import FORMAT_KEY, POLICY_KEY
from mixgym.runtime.policy.mixer import PolicyMixer
from mixgym.songs.generate import generate_song

MUTANTS = 200
SECONDS = 5.0  # that a refusal may take on a busy machine; most take milliseconds
TRY_ALL = """
import sys
from pathlib import Path

import numpy as np

from mixgym.errors import MixgymError
from mixgym.export.parity import random_inputs
from mixgym.runtime.policy.backends import open_policy

try:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))
except ImportError:
    pass
inputs = random_inputs("mixing", 1, 5, seed=0)
for path in sorted(Path(sys.argv[1]).iterdir()):
    print(path.name, end=" ", flush=True)
    try:
        open_policy(path).run(inputs)
    except MixgymError as error:
        assert str(error).count("\\n") == 0, error
        print("refused", flush=True)
    else:
        print("ran", flush=True)
"""


@pytest.fixture
def model(policy_files):
    return onnx.load(policy_files[".onnx"])


@pytest.fixture
def refused(tmp_path):
    """See that a model is refused, soon and in one sentence with these words."""

    def check(model, words):
        path = tmp_path / "odd.onnx"
        path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        started = time.perf_counter()
        with pytest.raises(MixgymError, match=words) as refusal:
            open_policy(path)
        assert time.perf_counter() - started < SECONDS
        assert str(refusal.value).startswith(str(path))
        assert "\n" not in str(refusal.value)

    return check


def mutant(content, other, rng):
    """A file with bytes changed, cut off, or spliced with itself or another."""
    data = bytearray(content)
    kind = rng.integers(5)
    if kind == 0:  # anywhere, most often in weights
        for place in rng.integers(len(data), size=rng.integers(1, 20)):
            data[place] = rng.integers(256)
    elif kind == 1:  # a bit among the first bytes of a stretch of structure
        start = rng.integers(max(1, len(data) - 4000))
        for place in start + rng.integers(2000, size=3):
            data[min(place, len(data) - 1)] ^= 1 << rng.integers(8)
    elif kind == 2:
        del data[rng.integers(len(data)) :]
    elif kind == 3:
        cut, paste = np.sort(rng.integers(len(data), size=2))
        data[cut:paste] = other[: rng.integers(1, 500)]
    else:  # the graph lies at the front, shapes and metadata at the back
        front = rng.random() < 0.5
        for _ in range(rng.integers(1, 4)):
            place = rng.integers(3000)
            data[place if front else -1 - place] = rng.integers(256)
    return bytes(data)


@pytest.mark.slow
def test_no_mutant_crashes(policy_files, tmp_path):
    content = policy_files[".onnx"].read_bytes()
    rng = np.random.default_rng(7)
    for number in range(MUTANTS):
        changed = mutant(content, content[::-1], rng)
        (tmp_path / f"{number:03}.onnx").write_bytes(changed)
    ran = subprocess.run(
        [sys.executable, "-c", TRY_ALL, str(tmp_path)], capture_output=True, text=True, timeout=300
    )
    endings = ran.stdout.split("\n")
    assert ran.returncode == 0, f"{endings[-1]} {ran.stderr[-2000:]}"
    ended = [line.split()[1] for line in endings if line]
    assert len(ended) == MUTANTS
    assert ended.count("refused") > MUTANTS / 4
    assert ended.count("ran") > MUTANTS / 20  # a changed weight is a policy still


def test_another_format_table_or_version(model, refused):
    def changed(key, old, new):
        other = onnx.ModelProto()
        other.CopyFrom(model)
        for entry in other.metadata_props:
            if entry.key == key:
                assert old in entry.value
                entry.value = entry.value.replace(old, new)
        return other

    (said,) = [e.value for e in model.metadata_props if e.key == POLICY_KEY]
    tables = said.partition('"tables":"')[2][:32]
    refused(changed(FORMAT_KEY, "1", "2"), "of another format")
    refused(changed(POLICY_KEY, tables, "0" * 32), "another table of parameters")
    version = f'"features":{FEATURE_VERSION}'
    refused(changed(POLICY_KEY, version, '"features":1'), "features of version 1")
    refused(changed(POLICY_KEY, '"mix":', '"blend":'), "features of other sizes")
    refused(changed(POLICY_KEY, '"licence":', '"license":'), "describes itself wrongly")
    refused(changed(POLICY_KEY, '"fader_db"', '"fader_dB"'), "no parameter 'fader_dB'")
    del model.metadata_props[:]
    refused(model, "no policy")


def test_other_shapes(model, refused):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value -= 1
    refused(model, "takes or gives other things")


def test_outputs_that_are_not_as_large_as_they_say(model, refused):
    node = next(n for n in model.graph.node if n.output[0] == "master")
    node.output[0] = "narrow"
    model.graph.initializer.append(numpy_helper.from_array(np.arange(10), "some"))
    model.graph.node.append(helper.make_node("Gather", ["narrow", "some"], ["master"], axis=1))
    refused(model, "in another shape than it says")


def with_nodes(model, *nodes, **constants):
    for name, values in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(values, name))
    model.graph.node.extend(nodes)
    return model


def doubled(name, times):
    """A chain of joins, each twice as long as the one before."""
    names = [name, *(f"{name}_{i}" for i in range(times))]
    return [helper.make_node("Concat", [old, old], [new], axis=0) for old, new in pairwise(names)]


BODY = helper.make_graph([], "body", [], [])
ONES = np.ones((1, 2**16), np.float32)
BOMBS = {
    "a huge constant": (
        [helper.make_node("ConstantOfShape", ["shape"], ["y"])],
        {"shape": np.array([2**40])},
        "operator 'ConstantOfShape'",
    ),
    "a huge copy": (
        [helper.make_node("Expand", ["one", "shape"], ["y"])],
        {"one": np.ones(1, np.float32), "shape": np.array([2**40])},
        "more memory or time",
    ),
    "a huge product": (
        [
            helper.make_node("Transpose", ["row"], ["column"]),
            helper.make_node("MatMul", ["column", "row"], ["y"]),
        ],
        {"row": ONES},
        "more memory or time",
    ),
    "a huge sum": (
        [
            helper.make_node("Transpose", ["row"], ["c"]),
            helper.make_node("Add", ["c", "row"], ["y"]),
        ],
        {"row": ONES},
        "more memory or time",
    ),
    "doublings": (doubled("row", 60), {"row": ONES}, "more memory or time"),
    "doublings of a shape": (
        doubled("shape", 60),
        {"shape": np.array([2, 2])},
        "more memory or time",
    ),
    "long work": (
        [
            helper.make_node("MatMul", ["square" if i == 0 else f"s{i}", "square"], [f"s{i + 1}"])
            for i in range(2000)
        ],
        {"square": np.ones((1024, 1024), np.float32)},
        "more memory or time",
    ),
    "a loop": (
        [helper.make_node("Loop", ["", "", "mix"], ["y"], body=BODY)],
        {},
        "field 6|attributes that no policy needs|should not",
    ),
    "an operator of others": (
        [helper.make_node("Gelu", ["mix"], ["y"], domain="com.microsoft")],
        {},
        "not of ONNX itself",
    ),
    "a shape made of weights": (
        [
            helper.make_node("Cast", ["size"], ["shape"], to=TensorProto.INT64),
            helper.make_node("Expand", ["mix", "shape"], ["y"]),
        ],
        {"size": np.full(2, 1e9, np.float32)},
        "not known before it runs",
    ),
    "a row joined to a matrix": (
        [helper.make_node("Concat", ["matrix", "shape"], ["y"], axis=1)],
        {"matrix": np.ones((2, 3), np.int64), "shape": np.array([2, 2])},
        "shapes that do not fit",
    ),
    "a negative axis": (
        [helper.make_node("Softmax", ["mix"], ["y"], axis=-7)],
        {},
        "axis that is not there",
    ),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs(kind, model, refused):
    nodes, constants, words = BOMBS[kind]
    refused(with_nodes(model, *nodes, **constants), words)


@pytest.mark.parametrize(
    ("odd", "target", "words"),
    [(2**40, "y", "more memory or time"), (2, "master", "in another shape than it says")],
    ids=["huge", "two songs"],
)
def test_what_is_large_for_one_number_of_stems_alone(odd, target, words, model, tmp_path):
    lengths = np.ones(64, np.int64)  # a slice ends where the table does, so 256 stems read its last
    lengths[29] = odd
    given = "mix"
    if target == "master":
        node = next(n for n in model.graph.node if n.output[0] == "master")
        node.output[0] = given = "narrow"
    nodes = [
        helper.make_node("Shape", ["mask"], ["stems_in_all"], start=1, end=2),
        helper.make_node("Slice", ["lengths", "first", "stems_in_all"], ["told"]),
        helper.make_node("Gather", ["told", "last"], ["times"]),
        helper.make_node("Concat", ["times", "one"], ["wanted"], axis=0),
        helper.make_node("Expand", [given, "wanted"], [target]),
    ]
    constants = {"first": np.array([0]), "last": np.array([-1]), "one": np.array([1])}
    path = tmp_path / "odd.onnx"
    path.write_bytes(with_nodes(model, *nodes, lengths=lengths, **constants).SerializeToString())
    policy = open_policy(path)
    assert policy.run(random_inputs("mixing", 1, 29, seed=0))["strips"].shape[1] == 29
    with pytest.raises(MixgymError, match=words) as refusal:
        policy.run(random_inputs("mixing", 1, 30, seed=0))
    assert str(refusal.value).startswith(str(path))


def test_a_function(model, refused):
    model.functions.append(
        helper.make_function("own", "f", ["x"], ["y"], [], [helper.make_opsetid("", 18)])
    )
    refused(model, "field 25 that it should not")


def test_weights_in_other_files(model, refused, tmp_path):
    (tmp_path / "secret.bin").write_bytes(bytes(1_000_000))
    tensor = next(t for t in model.graph.initializer if len(t.raw_data) > 1000)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "secret.bin"), ("offset", "0")):
        tensor.external_data.add(key=key, value=value)
    refused(model, "should not")
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")
    refused(model, "another size than they say")


def test_two_graphs_in_one_file(model, refused):
    extra = onnx.ModelProto(graph=helper.make_graph([], "more", [], []))
    refused(model.SerializeToString() + extra.SerializeToString(), "graph is there twice")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it has no graph"),
        (b"hello", "is no ONNX file of a policy"),
        (b"\x08\x08" * 3_000_000, "there twice"),
        (b"\x42\x00" * 3_000_000, "too many fields"),
        (b"\xff" * 3_000_000, "a number is too long"),
        (bytes(MOST_BYTES + 1), "more than a policy can be"),
    ],
    ids=["empty", "text", "one field often", "many fields", "endless number", "too long"],
)
def test_files_that_are_something_else(content, words, refused):
    refused(content, words)


def test_numbers_that_are_none(model, policy_files, tmp_path):
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 2:
            weights = numpy_helper.to_array(tensor) * np.float32(np.nan)
            tensor.CopyFrom(numpy_helper.from_array(weights, tensor.name))
    path = tmp_path / "nan.onnx"
    path.write_bytes(model.SerializeToString())
    words = r"nan\.onnx sets .* beyond its range"
    with generate_song(4, 4.0, 24_000, stems=2) as song, pytest.raises(MixgymError, match=words):
        PolicyMixer(path).mix(song)
