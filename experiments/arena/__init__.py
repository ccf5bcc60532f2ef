"""The arena: everything that sets parameters competes on the same songs, budgets and seeds.

settings    Settings: songs, mixers, budgets, seeds; from a YAML file
pieces      Piece: where an excerpt lies; which excerpts are played
entrants    Entrant: a mixer by its name, rules, policies, searches and searches from a start
policy      a policy in a file as a mixer
play        the work of one chunk: mix, render, score, judge
store       the run's folder: rows that survive a kill, Parquet and JSON
run         compete: all of it
standing    what the rows say: means, intervals, improvements, ranks
tables      the standing for people, in Markdown and on a terminal
results     RESULTS.md, from the Parquet file
report      one HTML page: curves, tables and players (`curves`, `players`, `report.html.j2`)
"""
