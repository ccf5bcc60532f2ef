"""`mixgym serve`: a page on this machine that mixes a person's stems.

limits      what one may ask for, and how a refusal reads
folders     a temporary folder for each job, none left behind
uploads     stems as they arrive, under names of our own
previews    the busiest seconds of a song, before and after, equally loud
job, jobs   one person's song, all of them, and the workers
work        what workers do: read, mix, preview, render
guard       who may ask at all
page        the page, and the policy that lets it run
app         addresses
server      from a host and a port to a running service
"""
