"""Experiments: benchmarks, each beside a named baseline in the same run.

    bench_render      a whole mix beside a plain pedalboard and pyloudnorm script
    bench_mastering   mastering after a reference beside matchering
    bench_fidelity    what `simulate` foretells beside what `render` gives
    bench_speed       steps of `simulate` beside rendering and a plain pipeline
    tables            their results for people
    machine           what they ran on

Measured renders and masters run in processes of their own (`cost`): `run_mix` and `run_master` are
ours, `baseline_render` and `baseline_master` the others'; steps are measured in one process, beside
`baseline_step`. `fidelity` says how near two lists of readings are, `scatter` plots them.
`long_stems` makes what is mixed, `independent` reads loudness and true peak without our meters.
"""
