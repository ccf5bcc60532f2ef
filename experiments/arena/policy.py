"""A policy in a file as a mixer: weights of `mixgym train`, or an ONNX file.

An ONNX file's graph takes and gives float32; `1` is the batch, `stems` a free axis:

    stems    (1, stems, features)   what every stem is like and how it stands in the neutral mix:
                                    `rewards.features.STEM`, then `STEM_IN_MIX`
    mix      (1, features)          what the neutral mix reads: `rewards.features.MIX`
    strips   (1, stems, parameters) settings in [-1, 1]: `Space().strip` of each stem
    buses    (1, parameters)        `Space().buses`
    master   (1, parameters)        `Space().master`

Its metadata hold `mixgym_features`, the `FEATURE_VERSION` that it was trained on. Reading the
neutral mix is one evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...console.mix import Mix
from ...console.space import Space
from ...errors import MixgymError
from ...rewards import Evaluator
from ...rewards.facts import Facts
from ...rewards.features import FEATURE_VERSION, mix_state, stem_features, stem_state

if TYPE_CHECKING:
    from ...agents.load import TrainedPolicy
    from ...rewards import Reward
    from ...songs import Song

INPUTS, OUTPUTS = ("stems", "mix"), ("strips", "buses", "master")
VERSION_KEY = "mixgym_features"
MOST_BYTES = 1_000_000_000
WEIGHTS = ".npz"


def looks(path: Path) -> int:
    """How many mixes a policy looks at before it is done.

    Raises:
        MixgymError: weights (.npz) that hold no policy.
    """
    return _trained(path).about.episode_steps if path.suffix == WEIGHTS else 1


def load_policy(path: Path) -> Callable[[Song, Reward], Mix]:
    """A mixer that asks a policy: `mixer(excerpt, reward)`.

    Args:
        path: an ONNX file, or weights of `mixgym train` (.npz).

    Raises:
        MixgymError: onnxruntime or PyTorch is not installed, or the file holds no policy of these
            features.
    """
    return _trained(path).mix if path.suffix == WEIGHTS else _exported(path)


def _trained(path: Path) -> TrainedPolicy:
    try:
        from ...agents.load import TrainedPolicy
    except ImportError as error:
        raise MixgymError(
            f"{path} needs PyTorch: install it with pip install 'mixgym[train]'."
        ) from error
    return TrainedPolicy(path)


def _exported(path: Path) -> Callable[[Song, Reward], Mix]:
    session = _session(path)
    names = ({i.name for i in session.get_inputs()}, {o.name for o in session.get_outputs()})
    if names != (set(INPUTS), set(OUTPUTS)):
        raise MixgymError(
            f"{path} takes {', '.join(sorted(names[0]))} and gives {', '.join(sorted(names[1]))}; "
            f"a policy takes {', '.join(INPUTS)} and gives {', '.join(OUTPUTS)}."
        )
    version = session.get_modelmeta().custom_metadata_map.get(VERSION_KEY)
    if version != str(FEATURE_VERSION):
        raise MixgymError(
            f"{path} was trained on features of version {version or 'unknown'}, and these are of "
            f"version {FEATURE_VERSION}; train and export it again."
        )

    def mixer(excerpt: Song, reward: Reward) -> Mix:
        neutral, inputs = _look(excerpt, reward)
        try:
            given = session.run(list(OUTPUTS), inputs)
        except Exception as error:  # onnxruntime has no class of its own for all that can go wrong
            raise MixgymError(f"{path} cannot run on {excerpt.title!r}: {error}") from error
        return _mix_of(path, neutral, dict(zip(OUTPUTS, given, strict=True)))

    return mixer


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MixgymError(
            "A policy needs onnxruntime: install it with pip install onnxruntime."
        ) from error
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MixgymError(f"{path} is larger than a policy can be; check the name.")
        content = path.read_bytes()  # rather than its path, so that it reads no further files
    except OSError as error:
        raise MixgymError(f"The policy {path} cannot be read ({error.strerror}).") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise MixgymError(f"{path} is no ONNX file that can be run; export it again.") from error


def _look(excerpt: Song, reward: Reward) -> tuple[Mix, dict[str, np.ndarray]]:
    """The neutral mix, and what the policy sees of it."""
    neutral = Mix.neutral(excerpt)
    evaluator = Evaluator(excerpt, reward)
    strips, master = neutral.strips[None], neutral.master[None]
    readings = evaluator.read(strips, neutral.buses[None], master)
    facts = Facts(readings, evaluator.scene(strips, master))
    still = stem_features(evaluator.analysis, evaluator.roles)
    stems = np.concatenate((still, stem_state(facts)[0]), axis=1)
    return neutral, {"stems": stems[None], "mix": mix_state(facts, reward.score(facts), reward)}


def _mix_of(path: Path, neutral: Mix, given: dict[str, np.ndarray]) -> Mix:
    space, stems = Space(), len(neutral.stems)
    shapes = {
        "strips": (1, stems, len(space.strip)),
        "buses": (1, len(space.buses)),
        "master": (1, len(space.master)),
    }
    for name, shape in shapes.items():
        if given[name].shape != shape:
            raise MixgymError(f"{path}: {name} has the shape {given[name].shape}, not {shape}.")
        if not np.isfinite(given[name]).all():
            raise MixgymError(f"{path}: {name} holds what is no number; train it again.")
    genome = np.concatenate([given[name].reshape(1, -1) for name in shapes], axis=1)
    around = (neutral.strips, neutral.buses, neutral.master)
    strips, buses, master = space.decode(genome.astype(np.float64), stems, around)
    return replace(
        neutral, strips=strips[0], buses=buses[0], master=master[0], made_by=f"policy {path.name}"
    )
