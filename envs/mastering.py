"""MasteringEnv."""

from __future__ import annotations

from typing import ClassVar

from .options import MASTERING, Task
from .single import ConsoleEnv


class MasteringEnv(ConsoleEnv):
    """
    ## Description

    A finished stereo track goes through a mastering chain: compressor, four-band equaliser, three
    bands of compression, saturation, width with mono bass, then delivery at the loudness that the
    style asks for under a true-peak limiter. The agent sets the chain.

    ## Action Space

    `Box(-1, 1, (parameters,), float32)`: a number for each of `master_parameters`. -1 and 1 are
    the ends of a parameter's range, on a logarithmic scale where the parameter has one.

    | Num   | Parameters                                                                         |
    |-------|------------------------------------------------------------------------------------|
    | 0-4   | compressor: threshold, ratio, knee, attack, release                                |
    | 5-14  | low shelf (Hz, dB), bells 1 and 2 (Hz, dB, Q), high shelf (Hz, dB)                 |
    | 15-28 | crossovers (Hz); low, mid, high band: threshold, ratio, attack, release            |
    | 29-32 | saturation: drive, mix; image: width, mono below                                   |

    `control="delta"`: an action moves the settings by `step_size` times itself. `"absolute"`: it
    is the settings. Actions beyond [-1, 1] are clipped.

    ## Observation Space

    A `Dict` of float32 `Box`es, scaled about [-1, 1] and clipped at 3. `mixgym.rewards.features`
    lists every number (`TRACK`, `MIX`).

    | Key        | Shape         | What                                                           |
    |------------|---------------|----------------------------------------------------------------|
    | `track`    | (26,)         | spectrum, width and dynamics of the track as it came           |
    | `mix`      | (features,)   | what the master reads, as `MixingEnv`'s; last, the time left   |
    | `settings` | (parameters,) | where all parameters stand                                     |

    ## Rewards

    The score after the step less the score before it: see `MixingEnv`.

    ## Starting State

    A track drawn at random, delivered and nothing else done: every processor that is set is
    switched on where it does nothing. `reset(options={"song": ...})` chooses a track by its number
    or title.

    ## Episode End

    Terminated after `episode_steps` steps; never truncated.

    ## Arguments

    ```python
    >>> import gymnasium as gym
    >>> import mixgym
    >>> env = gym.make("mixgym/Mastering-v0", master_parameters=["master_low_shelf_db"])
    >>> env.action_space
    Box(-1.0, 1.0, (1,), float32)
    >>> observation, info = env.reset(seed=0)
    >>> observation["settings"], info["evaluations"]
    (array([0.], dtype=float32), 0)

    ```

    | Parameter           | Default | Description                                                   |
    |---------------------|---------|---------------------------------------------------------------|
    | `songs`             | `None`  | an audio file, a folder of them, each a track, or whatever `MixingEnv` takes: stems are summed at the levels of their roles |
    | `spoiled`           | 0       | how many versions with faults (tone, resonance, width, wandering levels, pumping, clipping, gain) are played beside every track; those of stems are mixed by the rules of their roles, each setting a little off |
    | `master_parameters` | `None`  | names of the master's table, in place of the above            |

    The others are those of `MixingEnv` that do not speak of stems.

    ## Version History

    * v0: initial version.
    """  # noqa: E501

    task: ClassVar[Task] = MASTERING
