"""`mixgym bench env`: steps per second of the environments, beside what they stand on."""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MixgymError
from .machine import describe_machine

if TYPE_CHECKING:
    from ..envs.vector import ConsoleVectorEnv
    from ..songs import Song

NAME = "mixgym/Mixing-v0"
RATE, SECONDS, STEMS, SONGS = 44_100, 10.0, 8, 3
BATCHES = (1, 4, 16, 64, 256, 1024)
BATCH = 64  # that goals are held against
LEAST_STEPS = 512  # of one timing
RENDERED_ENVS, PPO_ENVS, PPO_STEPS, PPO_BATCH = 2, 128, 64, 1024
SHARE_GOAL, RATIO_GOAL, PPO_GOAL = 0.8, 500.0, 2000.0

Tell = Callable[[str, float], None]


def bench_env(
    songs: Path | None = None, repeats: int = 5, tell: Tell | None = None
) -> dict[str, Any]:
    """Steps per second of `mixgym/Mixing-v0` for 8 stems of 10 s, in wall-clock time.

    All ways take turns; medians over the repetitions. All processors are used, and one thread for
    what PPO learns. Actions are random; `simulate` is given the settings that they lead to.

    Args:
        songs: a folder of song folders; their stems are taken eight at a time. None takes songs of
            the generator.
        repeats: of everything but rendering and PPO.
        tell: told what is being done and the share of it that is done.

    Returns:
        Keys `benchmark`, `machine`, `inputs`; `env` and `simulate`, steps per second by batch, and
        `share`, the one over the other; `singles` (Gymnasium's vector environment of single ones),
        `render` (the native one, rendered) and `ppo` (Stable-Baselines3's, rollouts and learning
        together; None where it is not installed); `ratio`, env over render; `goals`.

    Raises:
        MixgymError: too few stems in the folder, or Gymnasium is not installed.
    """
    if importlib.util.find_spec("gymnasium") is None:
        raise MixgymError("This benchmark needs gymnasium: pip install 'mixgym[train]'.")
    tell = tell or (lambda what, share: None)
    options: dict[str, Any] = {"songs": _songs(songs, tell) if songs else None}
    env, simulate = _by_batch(options, repeats, tell)
    share = {batch: env[batch] / simulate[batch] for batch in env}
    tell("Singles", 0.0)
    singles = _singles(options)
    tell("Rendering", 0.0)
    render = _rendered(options)
    tell("PPO", 0.0)
    ppo = _ppo(options) if importlib.util.find_spec("stable_baselines3") else None
    tell("PPO", 1.0)
    ratio = env[str(BATCH)] / render
    return {
        "benchmark": "env",
        "machine": describe_machine(),
        "inputs": (
            f"{NAME}, {SONGS} songs of {STEMS} stems x {SECONDS:g} s at {RATE} Hz, "
            f"{'of the generator' if songs is None else songs.name}"
        ),
        "env": env,
        "simulate": simulate,
        "share": share,
        "singles": singles,
        "render": render,
        "ratio": ratio,
        "ppo": ppo,
        "goals": {
            "share": {"goal": SHARE_GOAL, "met": share[str(BATCH)] >= SHARE_GOAL},
            "ratio": {"goal": RATIO_GOAL, "met": ratio >= RATIO_GOAL},
            "ppo": {"goal": PPO_GOAL, "met": ppo is not None and ppo >= PPO_GOAL},
        },
    }


def _songs(folder: Path, tell: Tell) -> list[Song]:
    """Songs of eight sounding stems each, in the order in which the folder holds them."""
    from ..console.levels import stem_levels
    from ..songs import Song, most_active_excerpt, read_song

    folders = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    found: list[tuple[str, np.ndarray[Any, np.dtype[np.float32]]]] = []
    for number, path in enumerate(folders):
        with read_song(path, sample_rate=RATE) as song:
            excerpt = most_active_excerpt(song, SECONDS)
            levels = stem_levels(excerpt)
            found += [
                (stem.role, stem.read(0, excerpt.frames))
                for stem, level in zip(excerpt.stems, levels, strict=True)
                if not level.silent
            ]
        tell("Reading", (number + 1) / len(folders))
        if len(found) >= SONGS * STEMS:
            break
    if len(found) < SONGS * STEMS:
        raise MixgymError(
            f"{folder} holds {len(found)} stems, too few: give a folder of song folders with "
            f"{SONGS * STEMS} among them."
        )
    songs = []
    for first in range(0, SONGS * STEMS, STEMS):
        part = dict(enumerate(found[first : first + STEMS]))
        arrays = {f"{i}": audio for i, (_, audio) in part.items()}
        roles = {f"{i}": role for i, (role, _) in part.items()}
        songs.append(Song.from_arrays(arrays, RATE, title=f"{first}", roles=roles))
    return songs


def _make(count: int, options: dict[str, Any], **more: Any) -> ConsoleVectorEnv:
    from ..envs.vector import MixingVectorEnv

    envs = MixingVectorEnv(count, seconds=SECONDS, sample_rate=RATE, **options, **more)
    envs.reset(seed=0)
    return envs


def _by_batch(
    options: dict[str, Any], repeats: int, tell: Tell
) -> tuple[dict[str, float], dict[str, float]]:
    """Steps per second of the environment and of `simulate` on the settings of the same steps."""
    env, simulate = {}, {}
    for number, batch in enumerate(BATCHES):
        envs = _make(batch, options)
        step = _stepping(envs)
        for _ in range(4):
            step()
        pairs = [_pair(envs, step) for _ in range(repeats * max(2, LEAST_STEPS // batch))]
        env[str(batch)], simulate[str(batch)] = (
            batch / statistics.median(times) for times in zip(*pairs, strict=True)
        )
        tell("Timing", (number + 1) / len(BATCHES))
    return env, simulate


def _pair(envs: ConsoleVectorEnv, step: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of a step and of simulating what it led to."""
    while True:
        stepped = _seconds(step)
        if envs.episodes.taken.any():  # else they have begun anew, with other settings
            return stepped, _seconds(_bare(envs))


def _stepping(envs: Any) -> Callable[[], Any]:
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, envs.action_space.shape).astype(np.float32)
    return lambda: envs.step(np.roll(actions, 1))


def _bare(envs: ConsoleVectorEnv) -> Callable[[], Any]:
    """`simulate` alone, song by song, for the settings as they stand."""
    from ..console.simulate import Simulator
    from ..rewards.listeners import SimulatedSong

    episodes = envs.episodes
    places: dict[int, list[int]] = {}
    for place, song in enumerate(episodes.songs.tolist()):
        places.setdefault(song, []).append(place)
    calls = []
    for rows in places.values():
        listener = episodes.listener(rows[0])
        assert isinstance(listener, SimulatedSong)
        settings = [episodes.physical(place) for place in rows]
        calls.append(
            (
                Simulator(listener.analysis),
                np.concatenate([physical.strips for physical in settings]),
                np.concatenate([physical.buses for physical in settings]),
                np.concatenate([physical.master for physical in settings]),
            )
        )
    return lambda: [simulator(*arrays) for simulator, *arrays in calls]


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _rate(run: Callable[[], Any], count: int, batch: int) -> float:
    return count * batch / sum(_seconds(run) for _ in range(count))


def _singles(options: dict[str, Any]) -> float:
    from gymnasium.vector import AutoresetMode, SyncVectorEnv

    from ..envs.mixing import MixingEnv

    def make() -> MixingEnv:
        return MixingEnv(seconds=SECONDS, sample_rate=RATE, **options)

    envs = SyncVectorEnv([make] * BATCH, autoreset_mode=AutoresetMode.SAME_STEP)
    envs.reset(seed=0)
    step = _stepping(envs)
    step()
    return _rate(step, 4, BATCH)


def _rendered(options: dict[str, Any]) -> float:
    envs = _make(RENDERED_ENVS, options, fidelity="render", threads=None)
    step = _stepping(envs)
    step()
    return _rate(step, 3, RENDERED_ENVS)


def _ppo(options: dict[str, Any]) -> float:
    """Steps per second of rollouts and learning together, Stable-Baselines3's own networks."""
    import torch
    from stable_baselines3 import PPO

    from ..envs.sb3 import SB3VecEnv

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        envs = SB3VecEnv(_make(PPO_ENVS, options))
        model = PPO("MultiInputPolicy", envs, n_steps=PPO_STEPS, batch_size=PPO_BATCH, seed=0)
        model.learn(PPO_ENVS)  # one rollout and its learning, to warm up
        start = time.perf_counter()
        model.learn(2 * PPO_ENVS * PPO_STEPS, reset_num_timesteps=False)
        return 2 * PPO_ENVS * PPO_STEPS / (time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
