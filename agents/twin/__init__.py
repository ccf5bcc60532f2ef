"""A differentiable twin of `simulate` and of rewards: how a score changes with settings.

    values    settings by name, and what a processor that is closed lets through
    genomes   vectors in [-1, 1] to settings
    songs     analyses as tensors
    lag       recursions over time: detectors, ballistics, decay
    slots     sums over octaves, slots and stems
    responses filters as squared magnitudes
    dynamics  static curves and compressors' gains
    strips    stems through their strips, summed
    crosses   stems that interfere
    space     the shared reverb and delay
    master    the mastering chain
    delivery  target loudness under a ceiling
    meters    loudness and bands from powers
    simulate  whole mixes through all of these
    facts, terms, gates, effort   the reward's parts
    reward    scores of a batch of mixes
    ascend    gradient ascent on one song's mix

What runs over time or passes over the largest arrays is Numba on the processor, with its gradient
derived by hand; everything else is PyTorch, on any device.

Powers and slots are as `console.analysis` has them, but for the order of time: (frames, slots), the
order in which recursions run. Tensors have the axes (songs, mixes, stems, ...) up to the sum of the
stems and (mixes, ...) from there on, where mixes of all songs stand in a row.

Where a value is at a point where the simulator jumps (a send that is closed, a high-pass at its
lowest, a stem panned hard), the gradient is that of the side on which something happens. It is zero
where hard decisions fall: in switches, in the choice of gated blocks, in the gates `finite` and
`clipping`, and on the flats of windows and ramps. This module imports nothing.
"""
