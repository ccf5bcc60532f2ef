"""Learners that mix: a policy for sets of stems, PPO on it, and what comes out of a training run.

    encoders      what turns a row of features into a vector
    network       the track-set network
    gaussian      a normal distribution over the cells of an action that are there
    policy        both as Stable-Baselines3 takes a policy
    rollouts      several tries at each song, each held against the others
    settings      what a training run's YAML file may say
    environments  the environments that it asks for
    validation    what a policy gains on songs that it does not learn from
    weights       a policy's file
    run_folder    what a run leaves on disk
    checkpoint    what a run goes on from
    callbacks     what happens between two rollouts
    train         a training run from settings to weights
    load          weights as a mixer, without Stable-Baselines3

PyTorch is imported here and nowhere below; this module imports nothing.
"""
