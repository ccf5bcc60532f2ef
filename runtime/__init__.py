"""What is deployed: mixing, mastering and measuring a person's own files.

mixing      a folder of stems to a master, a preset and a report
evolving    a song's mix by search; galleries of mixes; search by ear
mastering   a finished track to a master, by rule or after a reference
policy      learned policies as files that run without PyTorch
measuring   every meter over a file
report      the HTML page that shows what was done
output      audio files, with dither, written whole or not at all
"""
