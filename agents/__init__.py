"""Learners that mix: a policy for sets of stems, what trains it, and what comes out of a run.

    encoders      what turns a row of features into a vector
    network       the track-set network
    gaussian      a normal distribution over the cells of an action that are there
    policy        both as Stable-Baselines3 takes a policy
    rollouts      several tries at each song, each held against the others
    settings      what a training run's YAML file may say
    environments  the environments that it asks for
    validation    what a policy gains on songs that it does not learn from
    weights       a policy's file
    start         a run that begins with weights of another
    run_folder    what a run leaves on disk
    learner       what a run needs of whatever learns
    between       what happens between two updates
    ppo           learning by PPO
    callbacks     where Stable-Baselines3 lets a run be noted
    checkpoint    what PPO goes on from
    batches       batches of songs to follow gradients on
    gradient      learning by gradients through the twin
    train         a training run from settings to weights
    load          weights as a mixer, without Stable-Baselines3
    twin          a differentiable twin of the simulator and of rewards

PyTorch is imported here and nowhere below; this module imports nothing.
"""
