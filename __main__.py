"""`python -m mixgym`."""

from .cli import main

main()
