"""A policy in a file as a mixer: weights of `mixgym train`, or what `mixgym export` makes of them.

Reading the mix that it is shown is one evaluation, and so is each further look.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...console.mix import Mix
from ...errors import MixgymError
from ...runtime.policy.mixer import LOOKS, PolicyMixer

if TYPE_CHECKING:
    from ...agents.load import TrainedPolicy
    from ...rewards import Reward
    from ...songs import Song

WEIGHTS = ".npz"


def looks(path: Path) -> int:
    """How many mixes a policy looks at before it is done.

    Raises:
        MixgymError: weights (.npz) that hold no policy.
    """
    return _trained(path).about.episode_steps if path.suffix == WEIGHTS else LOOKS


def load_policy(path: Path) -> Callable[[Song, Reward], Mix]:
    """A mixer that asks a policy: `mixer(excerpt, reward)`.

    Args:
        path: weights of `mixgym train` (.npz), or a file of `mixgym export`.

    Raises:
        MixgymError: the file holds no policy of these features and parameters, or what runs it is
            not installed.
    """
    return _trained(path).mix if path.suffix == WEIGHTS else PolicyMixer(path).mix


def _trained(path: Path) -> TrainedPolicy:
    try:
        from ...agents.load import TrainedPolicy
    except ImportError as error:
        raise MixgymError(
            f"{path} needs PyTorch: install it with pip install 'mixgym[train]'."
        ) from error
    return TrainedPolicy(path)
