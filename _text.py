"""Text from files and file names, made safe for a terminal."""


def printable(text: str) -> str:
    """The text without control characters, which could move the cursor or end the line."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
