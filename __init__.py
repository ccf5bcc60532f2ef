"""mixgym: a mixing console and mastering chain that programs can play."""

__version__ = "0.1.0"
