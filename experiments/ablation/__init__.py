"""Ablations: what each part of a training run is worth, over several seeds.

settings   what an ablation is, from its YAML file
runs       the training runs that it asks for
findings   what came of them: scores with intervals, curves
pages      the same for people
__main__   `python -m mixgym.experiments.ablation`
"""
