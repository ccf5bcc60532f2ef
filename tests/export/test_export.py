"""Policies as files: the same settings as the network's, whatever runs them."""

import json

import numpy as np
import onnx
import pytest

from mixgym.agents.load import TrainedPolicy, read_network
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.space import CHAIN_PARAMETERS, Space
from mixgym.errors import MixgymError
from mixgym.export.deployed import MixingPolicy
from mixgym.export.export import Wanted, describe, export_policy
from mixgym.export.onnx_file import described_as
from mixgym.export.parity import TOLERANCE, differences, random_inputs, reference_of
from mixgym.export.precisions import shrunk
from mixgym.export.writers import writer
from mixgym.rewards import load_reward
from mixgym.runtime.policy.backends import open_policy
from mixgym.runtime.policy.mixer import PolicyMixer
from mixgym.songs import Song
from mixgym.songs.generate import generate_song

TABLES = {"strips": STRIP, "buses": BUSES, "master": MASTER}


@pytest.fixture(autouse=True, scope="module")
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXGYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def reference(policy_files):
    network, about = read_network(policy_files[".npz"])
    return reference_of(network, Space(about.strip, about.buses, about.master), "mixing")


@pytest.mark.parametrize("suffix", [".onnx", ".pt", ".pt2"])
def test_a_file_gives_what_the_network_gives(suffix, policy_files, reference):
    assert max(differences(open_policy(policy_files[suffix]), reference).values()) <= TOLERANCE


def test_absent_stems_change_nothing_and_stay_neutral(policy_files):
    backend = open_policy(policy_files[".onnx"])
    inputs = random_inputs("mixing", 1, 5, seed=3)
    inputs["mask"][:] = 1.0
    alone = backend.run(inputs)
    wider = {
        "stems": np.pad(inputs["stems"], ((0, 0), (0, 3), (0, 0)), constant_values=np.nan),
        "mask": np.array([[1, 1, 1, 1, 1, 0, 0, 0]], np.float32),
        "mix": inputs["mix"],
    }
    beside = backend.run(wider)
    for name, table in TABLES.items():
        given = beside[name][:, :5] if name == "strips" else beside[name]
        span = table.high - table.low
        assert np.abs((given - alone[name]) / span).max() < 1e-6
    assert np.allclose(beside["strips"][0, 5:], STRIP.defaults)


def test_the_order_of_stems_is_the_order_of_rows(policy_files):
    backend = open_policy(policy_files[".onnx"])
    inputs = random_inputs("mixing", 2, 6, seed=1)
    order = np.random.default_rng(0).permutation(6)
    turned = {**inputs, "stems": inputs["stems"][:, order], "mask": inputs["mask"][:, order]}
    one, other = backend.run(inputs), backend.run(turned)
    span = STRIP.high - STRIP.low
    assert np.abs((one["strips"][:, order] - other["strips"]) / span).max() < 1e-6


def test_switches_and_ends_of_ranges(policy_weights, tmp_path):
    space = Space(
        strip=("eq_on", "bell_1_db", "high_pass_hz"),
        buses=(),
        master=("master_eq_on", "target_lufs"),
    )
    path = policy_weights(space=space)
    network, about = read_network(path)
    described = describe(path, about, Wanted())
    network.strip_head.weight.data *= 10.0  # well beyond the ends
    network.strip_head.bias.data.zero_()
    made = tmp_path / "p.onnx"
    writer(made, "fp32")(MixingPolicy(network, space), described, [], made)
    given = open_policy(made).run(random_inputs("mixing", 64, 8, seed=0))
    strips = given["strips"]
    assert set(np.unique(strips[..., STRIP.index("eq_on")])) == {0.0, 1.0}
    assert {-9.0, 9.0} <= set(np.unique(strips[..., STRIP.index("bell_1_db")]))
    assert strips[..., STRIP.index("high_pass_hz")].max() == pytest.approx(400.0)
    fixed = [i for i, p in enumerate(BUSES) if p.name not in space.buses]
    assert np.allclose(given["buses"][:, fixed], BUSES.defaults[fixed])
    reference = reference_of(network, space, "mixing")
    assert max(differences(open_policy(made), reference).values()) <= TOLERANCE


def test_a_mixer_of_a_file_mixes_as_the_weights_do(policy_files):
    with generate_song(4, 4.0, 24_000, stems=4) as song:
        wanted = TrainedPolicy(policy_files[".npz"]).mix(song, load_reward("balanced"))
        for suffix in (".onnx", ".pt", ".pt2"):
            mix = PolicyMixer(policy_files[suffix]).mix(song, "balanced")
            for name, table in TABLES.items():
                apart = (getattr(mix, name) - getattr(wanted, name)) / (table.high - table.low)
                assert np.abs(apart).max() < 1e-4  # features are rounded to float32 too
            assert mix.made_by == f"policy policy{suffix}"


def test_smaller_weights_stay_near(policy_files, reference, tmp_path):
    model = onnx.load(policy_files[".onnx"])
    examples = [random_inputs("mixing", 1, stems, seed=stems) for stems in (2, 4, 8, 16)]
    size = policy_files[".onnx"].stat().st_size
    described = open_policy(policy_files[".onnx"]).described
    mean = {}
    for precision in ("fp16", "int8", "int8-static"):
        path = tmp_path / f"{precision}.onnx"
        small = described_as(shrunk(model, precision, examples), described)
        path.write_bytes(small.SerializeToString())
        assert path.stat().st_size < size
        inputs = random_inputs("mixing", 8, 6, seed=9)
        given, wanted = open_policy(path).run(inputs), reference(inputs)
        apart = np.abs(given["strips"] - wanted["strips"]) / (STRIP.high - STRIP.low)
        mean[precision] = float(apart.mean())
    assert mean["fp16"] < 1e-3
    assert mean["int8"] < 0.05
    assert mean["int8-static"] < 0.1


@pytest.mark.slow
def test_the_command_writes_a_file_and_its_card(policy_weights, mixgym, tmp_path):
    weights = policy_weights(styles=("balanced", "warm"), gains={"balanced": 0.05}, steps=7)
    path = tmp_path / "policy.onnx"
    ran = mixgym("export", weights, "-o", path, "--precision", "int8", "--json")
    assert ran.status == 0, ran.err
    result = json.loads(ran.out)
    assert result["worth"]["looks"] == 6  # three generated songs, two styles
    assert abs(result["worth"]["lost"]) < 0.1
    described = open_policy(path).described
    assert described.styles == ("balanced", "warm") and described.precision == "int8"
    assert described.scores == {"balanced": 0.05} and described.steps == 7
    card = (tmp_path / "policy.onnx.md").read_text(encoding="utf-8")
    for words in ("balanced, warm", "Apache-2.0", "int8", "lost by the file", "`fader_db`"):
        assert words in card
    content = path.read_bytes()
    assert b"/agents/" not in content and b"deployed.py" not in content
    again = mixgym("export", weights, "-o", path)
    assert again.status == 2 and "exists" in again.err
    assert path.read_bytes() == content


@pytest.mark.slow
def test_a_policy_that_masters(policy_weights, tmp_path):
    weights = policy_weights(space=Space(strip=(), buses=(), master=CHAIN_PARAMETERS))
    path = tmp_path / "master.onnx"
    result = export_policy(weights, path, Wanted(), lambda what, share: None)
    assert result.described.task == "mastering"
    assert max(result.parity.values()) <= TOLERANCE
    mixer = PolicyMixer(path)
    with generate_song(4, 4.0, 24_000, stems=2) as song:
        with pytest.raises(MixgymError, match="mix them first"):
            mixer.mix(song)
        track = Song.from_arrays({"track": song.stems[0].read(0, song.frames)}, 24_000)
        wanted = TrainedPolicy(weights).mix(track, load_reward())
        mix = mixer.mix(track)
    assert np.abs((mix.master - wanted.master) / (MASTER.high - MASTER.low)).max() < 1e-4
    assert np.array_equal(mix.strips, wanted.strips)


@pytest.mark.slow
def test_litert_has_room_for_so_many_stems(policy_files, reference, tmp_path):
    pytest.importorskip("litert_torch", reason="its environment is one of its own")
    weights, path = policy_files[".npz"], tmp_path / "policy.tflite"
    network, about = read_network(weights)
    described = describe(weights, about, Wanted())
    writer(path, "fp32")(MixingPolicy(network, described.space), described, [], path)
    backend = open_policy(path)
    assert backend.described.stems == 64 and backend.runs_on == "LiteRT on CPU"
    assert max(differences(backend, reference).values()) <= TOLERANCE
    with pytest.raises(MixgymError, match="room for 64 stems, and the song has 65"):
        backend.run(random_inputs("mixing", 1, 65, seed=0))
