"""Studies of hyperparameters: what is tuned, how well settings do, whether that holds elsewhere.

settings      what a study is, from its YAML file
dimensions    the values that a hyperparameter may take
tunable       what a study needs of whatever it tunes
searchers     what a searcher lets one set, and how well it does with that
learners      the same of training
storage       where trials are kept
study         trials, one after another or several at a time
validation    the best settings beside the defaults, on other seeds and songs
findings      what came of it, for programs
summary       what came of it, for people
commands      `mixgym tune`
"""
