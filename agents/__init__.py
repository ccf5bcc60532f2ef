"""Learners that mix: a policy for sets of stems, what trains it, and what comes out of a run.

    pictures      what stems look like over time
    encoders      what turns a row of features, and a picture, into a vector
    network       the track-set network
    gaussian      a normal distribution over the cells of an action that are there
    policy        both as Stable-Baselines3 takes a policy
    rollouts      several tries at each song, each held against the others
    settings      what a training run's YAML file may say
    hyperparameters   of what learns, as the file names them
    environments  the environments that it asks for
    validation    what a policy gains on songs that it does not learn from
    weights       a policy's file
    start         a run that begins with weights of another
    run_folder    what a run leaves on disk
    learner       what a run needs of whatever learns
    between       what happens between two updates
    ppo           learning by PPO
    stock_policy  a policy of Stable-Baselines3's own, to compare with
    sac           learning by SAC
    sac_policy    the network as SAC takes it
    callbacks     where Stable-Baselines3 lets a run be noted
    checkpoint    what PPO goes on from
    adam          what learners by Adam have in common
    batches       batches of songs to follow gradients on
    thinned       songs of which something is missing
    gradient      learning by gradients through the twin
    labels        what a search found for each song
    cloning       learning to do what a search does
    teachers      the best mix of policies and searches for each song
    distillation  learning from teachers, then by gradients
    train         a training run from settings to weights
    load          weights as a mixer, without Stable-Baselines3
    twin          a differentiable twin of the simulator and of rewards

PyTorch is imported here and nowhere below; this module imports nothing.
"""
