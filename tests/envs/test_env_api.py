"""Single environments: Gymnasium's and Stable-Baselines3's rules, and our own."""

import copy
import doctest
import json
import pickle
import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence

import mixgym.envs.mastering
import mixgym.envs.mixing
from mixgym.console.parameters import MASTER, STRIP
from mixgym.rewards import features
from mixgym.rewards.evaluator import Evaluator

IDS = ("mixgym/Mixing-v0", "mixgym/MixingLevels-v0", "mixgym/Mastering-v0")
CHOICES = ({}, {"control": "absolute", "episode_steps": 1}, {"reward": "balanced", "seconds": 5})


def played(env, steps=3, seed=5):
    """An environment after some steps, and its last step."""
    env.reset(seed=seed)
    env.action_space.seed(seed)
    for _ in range(steps):
        last = env.step(env.action_space.sample())
    return last


@pytest.mark.parametrize("choice", CHOICES, ids=str)
@pytest.mark.parametrize("name", IDS)
def test_gymnasium_is_content(name, choice, short, recwarn):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make(name, **{**short, **choice}).unwrapped)


@pytest.mark.parametrize("options", [{"shuffle_stems": True}, {"max_stems": 9}, {"threads": 1}])
def test_gymnasium_is_content_with_options_of_mixing(options, short):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make("mixgym/Mixing-v0", **short, **options).unwrapped)


@pytest.mark.slow
@pytest.mark.parametrize("name", IDS)
def test_rendered_environments_follow_the_rules_too(name, short):
    env = gym.make(name, **short, fidelity="render", episode_steps=2)
    check_env(env.unwrapped, skip_render_check=True, skip_close_check=True)


@pytest.mark.parametrize("name", IDS)
def test_stable_baselines3_is_content(name, short):
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Your observation .* has an unconventional shape")
        checker.check_env(gym.make(name, **short))


@pytest.mark.parametrize("module", [mixgym.envs.mixing, mixgym.envs.mastering])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module, raise_on_error=True).attempted > 5


@pytest.mark.parametrize(
    "code",
    [
        "import gymnasium, mixgym; gymnasium.spec('mixgym/Mixing-v0')",
        "import mixgym, gymnasium; gymnasium.spec('mixgym/Mastering-v0')",
        "import gymnasium; gymnasium.make('mixgym:mixgym/MixingLevels-v0', max_stems=8)",
        "import mixgym, sys; assert 'gymnasium' not in sys.modules",
        "import mixgym, importlib, gymnasium; importlib.reload(mixgym)",
    ],
)
def test_ids_are_registered_in_any_order(code):
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""


def test_works_where_gymnasium_is_not_installed():
    code = (
        "import sys\n"
        "import mixgym\n"
        "sys.path = [p for p in sys.path if 'site-packages' not in p]\n"
        "try:\n    import gymnasium\n"
        "except ModuleNotFoundError:\n    pass\n"
        "else:\n    raise SystemExit('found')\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr + ran.stdout


@pytest.mark.parametrize("name", IDS)
def test_spec_is_json(name):
    spec = gym.make(name, episode_steps=2, max_stems=None, reward="balanced").spec
    assert json.loads(spec.to_json())["id"] == name
    again = gym.envs.registration.EnvSpec.from_json(spec.to_json())
    assert gym.make(again).spec == spec


@pytest.mark.parametrize("again", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize("name", IDS)
def test_copies_go_on_where_the_original_stands(name, again, short):
    env = gym.make(name, **short, episode_steps=4)
    played(env, 2)
    twin = again(env)
    for _ in range(2):
        action = env.action_space.sample()
        assert data_equivalence(env.step(action), twin.step(action), exact=True)
    assert data_equivalence(env.reset(), twin.reset(), exact=True)


@pytest.mark.parametrize("name", IDS)
def test_seeds_reproduce(name, short):
    first, second = (gym.make(name, **short) for _ in range(2))
    assert data_equivalence(played(first), played(second), exact=True)
    titles = {first.reset(seed=seed)[1]["song"] for seed in range(12)}
    assert titles == {"demo-0", "demo-1", "demo-2"}


@pytest.mark.parametrize("control", ["delta", "absolute"])
def test_return_is_the_gain_over_the_first_mix(control, short):
    env = gym.make("mixgym/Mixing-v0", **short, control=control, episode_steps=3)
    _, info = env.reset(seed=1)
    start, total, terminated, steps = info["score"], 0.0, False, 0
    env.action_space.seed(0)
    while not terminated:
        _, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert not truncated
        total += reward
        steps += 1
    assert steps == 3
    assert info["evaluations"] == 3
    assert total == pytest.approx(info["score"] - start, abs=1e-12)


def test_first_mix_is_equal_loudness(short, songs):
    from mixgym.console.mix import Mix

    env = gym.make("mixgym/Mixing-v0", **short)
    for song in songs:
        _, info = env.reset(options={"song": song.title})
        score = Evaluator(song).evaluate_mixes([Mix.neutral(song)]).score[0]
        assert info["song"] == song.title
        assert info["score"] == pytest.approx(score, abs=1e-6)


def test_score_is_the_evaluators(short, songs):
    env = gym.make("mixgym/Mixing-v0", **short)
    *_, info = played(env)
    song = next(song for song in songs if song.title == info["song"])
    to = env.unwrapped.episodes.physical(0)
    stems = len(song.stems)
    scores = Evaluator(song).evaluate(to.strips[:, :stems], to.buses, to.master)
    assert info["score"] == scores.score[0]
    assert info["terms"] == {name: value[0] for name, value in scores.terms.items()}
    assert info["gates"] == {name: value[0] for name, value in scores.gates.items()}


def test_every_evaluation_is_counted(short):
    env = gym.make("mixgym/Mixing-v0", **short, episode_steps=2)
    for _ in range(2):
        env.reset(options={"song": 0})
        for _ in range(2):
            env.step(env.action_space.sample())
    assert env.unwrapped.evaluations == 1 + 4  # the first mix once
    env.reset(options={"song": 1})
    assert env.unwrapped.evaluations == 1 + 4 + 1


def test_absolute_actions_are_the_settings(short):
    env = gym.make("mixgym/MixingLevels-v0", **short, control="absolute")
    env.reset(options={"song": 0})
    action = np.tile(np.array([1.0, -1.0], np.float32), (6, 1))
    observation, *_ = env.step(action)
    settings = env.unwrapped.episodes.physical(0).strips[0]
    assert (settings[:, STRIP.index("fader_db")] == 12).all()
    assert (settings[:, STRIP.index("pan")] == -1).all()
    np.testing.assert_array_equal(observation["settings"][:3], action[:3])
    np.testing.assert_array_equal(observation["settings"][3:], 0)


def test_delta_actions_move_the_settings(short):
    env = gym.make("mixgym/MixingLevels-v0", **short, step_size=0.1)
    before, _ = env.reset(options={"song": 0})
    for count in range(1, 4):
        observation, *_ = env.step(np.full((6, 2), -5.0, np.float32))  # clipped to -1
        moved = before["settings"][:3] - 0.1 * count
        np.testing.assert_allclose(observation["settings"][:3], moved, atol=1e-6)


def test_unused_cells_and_absent_stems_are_ignored(short):
    env = gym.make("mixgym/Mixing-v0", **short)
    mask = env.unwrapped.action_mask
    assert mask.shape == env.action_space.shape == (7, 20)
    assert mask[:6].all() and mask[6].sum() == 15
    action = env.action_space.sample()
    noisy = np.where(mask, action, 1.0).astype(np.float32)
    noisy[3:6] = -1.0
    env.reset(options={"song": 0})
    first = env.step(action)
    env.reset(options={"song": 0})
    assert data_equivalence(first, env.step(noisy), exact=True)


def test_shuffled_rows_are_the_same_mix(short):
    plain = gym.make("mixgym/Mixing-v0", **short)
    shuffled = gym.make("mixgym/Mixing-v0", **short, shuffle_stems=True)
    orders = set()
    for seed in range(6):
        straight, _ = plain.reset(seed=0, options={"song": 1})
        mixed, _ = shuffled.reset(seed=seed, options={"song": 1})
        order = [int(np.flatnonzero((straight["stems"] == row).all(axis=1))[0])
                 for row in mixed["stems"][mixed["mask"] > 0]]  # fmt: skip
        orders.add(tuple(order))
        action = plain.action_space.sample()
        moved = action.copy()
        moved[np.flatnonzero(mixed["mask"])] = action[order]
        a, b = plain.step(action), shuffled.step(moved)
        assert a[1] == b[1]
        np.testing.assert_array_equal(b[0]["stems"][mixed["mask"] > 0], a[0]["stems"][order])
        np.testing.assert_array_equal(
            b[0]["settings"][:6][mixed["mask"] > 0], a[0]["settings"][order]
        )
        np.testing.assert_array_equal(b[0]["mix"], a[0]["mix"])
    assert len(orders) > 1


def test_chosen_parameters_alone_are_set(short):
    env = gym.make(
        "mixgym/Mixing-v0", **short, strip_parameters=["bell_1_db"], bus_parameters=[],
        master_parameters=[],
    )  # fmt: skip
    assert env.action_space.shape == (6, 1)
    played(env, 2)
    to = env.unwrapped.episodes.physical(0)
    changed = (to.strips[0] != STRIP.defaults).any(axis=0)
    assert {STRIP.names[i] for i in np.flatnonzero(changed)} == {"bell_1_db", "eq_on"}
    np.testing.assert_array_equal(to.master[0], MASTER.defaults)


def test_delivery_follows_the_style(short, tmp_path):
    path = tmp_path / "loud.yaml"
    path.write_text("terms:\n  loudness: {weight: 1, target_lufs: -9}\n  spectrum: {weight: 1}\n")
    env = gym.make("mixgym/Mastering-v0", **short, reward=str(path))
    env.reset(seed=0)
    to = env.unwrapped.episodes.physical(0)
    assert to.master[0, MASTER.index("target_lufs")] == -9
    assert to.master[0, MASTER.index("limiter_on")] == 1


def test_observations_fit_their_tables(short):
    env = gym.make("mixgym/Mixing-v0", **short)
    observation, _ = env.reset(seed=0)
    stem = features.size(features.STEM) + features.size(features.STEM_IN_MIX)
    assert observation["stems"].shape == (6, stem)
    assert observation["mix"].shape == (features.size(features.MIX) + 1,)
    assert observation["mix"][-1] == 1.0
    assert played(env, 8)[0]["mix"][-1] == -1.0


def test_silent_stems_are_masked(short):
    env = gym.make("mixgym/Mixing-v0", **short)
    observation, _ = env.reset(options={"song": 1})
    np.testing.assert_array_equal(observation["mask"], [1, 1, 1, 1, 1, 0])
    assert not observation["stems"][5].any()


@pytest.mark.parametrize("name", IDS)
def test_render_modes(name, short):
    shown = {}
    for mode in ("ansi", "rgb_array", "audio"):
        env = gym.make(name, **short, render_mode=mode)
        played(env, 1)
        evaluations = env.unwrapped.evaluations
        shown[mode] = env.render()
        assert env.unwrapped.evaluations == evaluations
    assert "step 1 of 8" in shown["ansi"] and "LUFS" in shown["ansi"]
    assert shown["rgb_array"].dtype == np.uint8 and shown["rgb_array"].shape[2] == 3
    assert shown["rgb_array"].std() > 10
    assert shown["audio"].shape == (2, 96_000) and shown["audio"].dtype == np.float32
    assert 0.05 < np.abs(shown["audio"]).max() <= 1.0


@pytest.mark.slow
def test_simulated_and_rendered_scores_are_near(short):
    pair = [gym.make("mixgym/Mixing-v0", **short, fidelity=f) for f in ("simulate", "render")]
    simulated, rendered = (played(env, 2)[4] for env in pair)
    assert rendered["score"] == pytest.approx(simulated["score"], abs=0.05)
    assert rendered["song"] == simulated["song"]
