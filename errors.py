"""The one exception a person is meant to read."""


class MixgymError(Exception):
    """One clear sentence: what was wrong with which file or value, and what would cure it.

    The command line prints it on stderr and exits with status 2; nothing is left half-written.
    """
