"""Experiments: benchmarks, each beside a named baseline in the same run.

    bench_render      a whole mix beside a plain pedalboard and pyloudnorm script
    bench_mastering   mastering after a reference beside matchering
    bench_fidelity    what `simulate` foretells beside what `render` gives
    bench_speed       steps of `simulate` beside rendering and a plain pipeline
    bench_reward      whether a reward can be cheated, and whether it agrees with people
    tables            their results for people
    machine           what they ran on

Measured renders and masters run in processes of their own (`cost`): `run_mix` and `run_master` are
ours, `baseline_render` and `baseline_master` the others'; steps are measured in one process, beside
`baseline_step`. `fidelity` says how near two lists of readings are, `scatter` plots them.
Rewards are tried on `subjects`: `red_team` and `hack_search` try to cheat them, `perturbations`
spoil good mixes for `order`, `people` finds a person's faders, `reward_plots` draws it all.
`long_stems` makes what is mixed, `independent` reads loudness and true peak without our meters.
"""
