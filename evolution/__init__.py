"""Searchers: mixes of one song found by trying, under a budget.

genome         SongSpace: genomes in [-1, 1] and what they set, for one song
searcher       Searcher: ask for genomes, tell what they are worth
random_search, genetic, cma_es, nsga2, map_elites
               the searchers, one file each
search         search: a searcher and an evaluator until the budget is spent, checkpoints
"""
