"""Experiments: benchmarks, each beside a named baseline in the same run.

    bench_render      a whole mix beside a plain pedalboard and pyloudnorm script
    bench_mastering   mastering after a reference beside matchering
    tables            their results for people
    machine           what they ran on

Every measured run is a process of its own (`cost`): `run_mix` and `run_master` are ours,
`baseline_render` and `baseline_master` the others'. `long_stems` makes what is mixed,
`independent` reads loudness and true peak without our meters.
"""
