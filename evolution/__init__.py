"""Searchers: mixes of one song found by trying, under a budget.

genome         SongSpace: genomes in [-1, 1] and what they set, for one song
searcher       Searcher: ask for genomes, tell what they are worth
random_search, genetic, cma_es, nsga2, map_elites
               the searchers, one file each
variation      crossover and mutation by blocks, which they share
search         search: a searcher and an evaluator until the budget is spent
checkpoint     what a searcher was told, on disk
refine         a few steps on `render` from what `simulate` found
mixers         searchers as mixers: mixer(song, budget) -> Mix
preference     search by a person's answers alone
"""
