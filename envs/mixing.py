"""MixingEnv and MixingLevelsEnv."""

from __future__ import annotations

from typing import ClassVar

from .options import LEVELS, MIXING, Task
from .single import ConsoleEnv


class MixingEnv(ConsoleEnv):
    """
    ## Description

    A song's stems lie on a mixing console: a strip for each stem (high-pass, four-band equaliser,
    compressor, fader, width, pan, sends), a reverb and a delay that all share, a compressor on the
    mix bus, and delivery at the loudness that the style asks for. The agent sets the console; the
    reward is how much better the mix reads to a console's meters. Mixes are simulated from the
    stems' band powers (`fidelity="simulate"`), some thousand a second, or rendered and measured
    (`fidelity="render"`), a few a second.

    ## Action Space

    `Box(-1, 1, (stems + 1, columns), float32)`. Row i sets stem i, the last row what all stems
    share. A stem's row has a column for each of `strip_parameters`, then of the insert's; the last
    row one for each of `bus_parameters`, then `master_parameters`. The rows are as wide as the
    wider kind; `action_mask` says which cells count, the others and rows of absent stems are
    ignored. Where nothing shared is set there is no last row. -1 and 1 are the ends of a
    parameter's range, on a logarithmic scale where the parameter has one.

    | Row    | Columns | Parameters                                                               |
    |--------|---------|--------------------------------------------------------------------------|
    | a stem | 0-3     | `fader_db`, `pan`, `width`, `high_pass_hz`                               |
    |        | 4-13    | low shelf (Hz, dB), bells 1 and 2 (Hz, dB, Q), high shelf (Hz, dB)       |
    |        | 14-17   | compressor: threshold, ratio, attack, release                            |
    |        | 18-19   | `reverb_send_db`, `delay_send_db`                                        |
    | shared | 0-5     | reverb: size, damping, width, pre-delay, low cut, return                 |
    |        | 6-10    | delay: time, feedback, low cut, high cut, return                         |
    |        | 11-14   | mix-bus compressor: threshold, ratio, attack, release                    |

    `control="delta"`: an action moves the settings by `step_size` times itself. `"absolute"`: it
    is the settings. Actions beyond [-1, 1] are clipped.

    ## Observation Space

    A `Dict` of float32 `Box`es, scaled about [-1, 1] and clipped at 3. `mixgym.rewards.features`
    lists every number (`STEM`, `STEM_IN_MIX`, `MIX`).

    | Key        | Shape            | What                                                          |
    |------------|------------------|---------------------------------------------------------------|
    | `stems`    | (stems, 78)      | role, spectrum, width, dynamics of each stem; how loud it is in the mix, how far from what its role asks for, how much is covered, its share of every third octave |
    | `mask`     | (stems,)         | 1 where there is a stem that sounds                           |
    | `mix`      | (features,)      | spectrum against the target, image by octave, loudness, dynamics, terms, gates and weights of the reward; last, the time left, 1 to -1 |
    | `settings` | as the action    | where all parameters stand; 0 where nothing is set            |

    ## Rewards

    The score after the step less the score before it, so that an episode's return is the gain over
    the mix that it began with. The score, from 0 to 1, is the weighted mean of the reward's terms
    times its gates: see `mixgym.rewards`.

    ## Starting State

    A song drawn at random, all stems equally loud and nothing else done: every processor that is
    set is switched on where it does nothing. `reset(options={"song": ...})` chooses a song by its
    number or title.

    ## Episode End

    Terminated after `episode_steps` steps; never truncated.

    ## Information

    `score`, `terms` and `gates` (by name), `evaluations` (mixes evaluated in this episode, one a
    step) and `song` (its title). The attribute `evaluations` counts over all episodes, the first
    mix of each song once.

    ## Arguments

    ```python
    >>> import gymnasium as gym
    >>> import mixgym
    >>> env = gym.make("mixgym/Mixing-v0", episode_steps=2, control="absolute")
    >>> env.action_space
    Box(-1.0, 1.0, (9, 20), float32)
    >>> observation, info = env.reset(seed=0)
    >>> sorted(observation), observation["stems"].shape
    (['mask', 'mix', 'settings', 'stems'], (8, 78))
    >>> observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    >>> info["evaluations"], terminated
    (1, False)

    ```

    | Parameter           | Default       | Description                                             |
    |---------------------|---------------|---------------------------------------------------------|
    | `songs`             | `None`        | a `Song`, a folder of stems, a folder of such folders, the `manifest.jsonl` of `mixgym songs build`, or a list of these; `None` is three songs of the built-in generator |
    | `split`             | `"train"`     | which part of a manifest's songs                        |
    | `seconds`           | `10.0`        | every song is cut to its most active excerpt of this length; shorter ones end in silence |
    | `sample_rate`       | `44100`       | in Hz; all songs are read at it                         |
    | `reward`            | `"balanced"`  | a style, the path of a YAML file, or a `Reward`         |
    | `control`           | `"delta"`     | or `"absolute"`                                         |
    | `step_size`         | `0.25`        | of delta control; the range of a parameter is 2         |
    | `episode_steps`     | `8`           | at least 1                                              |
    | `max_stems`         | `None`        | rows for stems; `None` is the most that any song has    |
    | `shuffle_stems`     | `False`       | rows in random order in every episode                   |
    | `strip_parameters`  | `None`        | names of the strip's table, in place of the above       |
    | `bus_parameters`    | `None`        | names of the buses' table                               |
    | `master_parameters` | `None`        | names of the master's table                             |
    | `insert`            | `None`        | a plug-in in every strip (`mixgym.console.insert.Insert`); needs `fidelity="render"` |
    | `fidelity`          | `"simulate"`  | or `"render"`                                           |
    | `threads`           | `None`        | among which a batch is shared out; `None` is all        |
    | `render_mode`       | `None`        | `"ansi"`: text; `"rgb_array"`: a picture; `"audio"`: the excerpt, float32 (2, frames) |

    ## Vectorized environment

    ```python
    >>> envs = gym.make_vec("mixgym/Mixing-v0", num_envs=3)
    >>> envs
    MixingVectorEnv(mixgym/Mixing-v0, num_envs=3)
    >>> envs.metadata["autoreset_mode"]
    <AutoresetMode.SAME_STEP: 'SameStep'>

    ```

    ## Version History

    * v0: initial version.
    """  # noqa: E501

    task: ClassVar[Task] = MIXING


class MixingLevelsEnv(ConsoleEnv):
    """
    ## Description

    `mixgym/Mixing-v0` with faders and pan alone: the first lesson of a curriculum. All else is as
    there.

    ## Action Space

    `Box(-1, 1, (stems, 2), float32)`: a row for each stem, `fader_db` from -24 to 12 dB around
    equal loudness, `pan` from left to right.

    ## Observation Space

    As `MixingEnv`'s; `settings` has the action's shape.

    ## Rewards

    As `MixingEnv`'s.

    ## Starting State

    All stems equally loud, in the centre.

    ## Episode End

    Terminated after `episode_steps` steps; never truncated.

    ## Arguments

    ```python
    >>> import gymnasium as gym
    >>> import mixgym
    >>> env = gym.make("mixgym/MixingLevels-v0", max_stems=12)
    >>> env.action_space
    Box(-1.0, 1.0, (12, 2), float32)
    >>> observation, info = env.reset(seed=0)
    >>> observation["mask"]
    array([1., 1., 1., 1., 1., 1., 1., 1., 0., 0., 0., 0.], dtype=float32)

    ```

    Those of `MixingEnv` but `strip_parameters`, `bus_parameters`, `master_parameters`, `insert`.

    ## Version History

    * v0: initial version.
    """

    task: ClassVar[Task] = LEVELS
