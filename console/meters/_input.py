"""What every meter asks of its arguments."""

import numpy as np
from numpy.typing import NDArray

from ...errors import MixgymError

LOWEST_RATE_HZ = 8_000
HIGHEST_RATE_HZ = 192_000


def check_format(sample_rate: int, channels: int, readable: tuple[int, ...] = (1, 2)) -> None:
    """Raise `MixgymError` unless a meter can read audio of this rate (Hz) and channel count."""
    if not LOWEST_RATE_HZ <= sample_rate <= HIGHEST_RATE_HZ:
        raise MixgymError(
            f"a sample rate of {sample_rate} Hz cannot be measured; "
            f"resample to {LOWEST_RATE_HZ}-{HIGHEST_RATE_HZ} Hz"
        )
    if channels not in readable:
        raise MixgymError(f"{channels} channels cannot be measured; give mono or stereo audio")


def checked(audio: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """`audio` as C-contiguous float32 of shape `(channels, frames)`.

    Raises `MixgymError` when the shape differs or a sample is NaN or infinite.
    """
    if audio.ndim != 2 or audio.shape[0] != channels:
        raise MixgymError(
            f"audio of shape {audio.shape} was given to a meter of {channels} channel(s); "
            f"give an array of shape ({channels}, frames)"
        )
    audio = np.ascontiguousarray(audio, dtype=np.float32)
    # The extremes are finite exactly when every sample is: NumPy's min and max propagate NaN.
    if audio.size and not (np.isfinite(audio.min()) and np.isfinite(audio.max())):
        raise MixgymError("the audio holds NaN or infinite samples; repair or drop them first")
    return audio
