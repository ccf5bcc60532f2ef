"""What the programs and drum keys of General MIDI are in a mix.

Source: MIDI Manufacturers Association, General MIDI System Level 1 (1991): the sound set's sixteen
families of eight programs, and the percussion key map.
"""

_FAMILIES = (
    "keys",  # piano
    "keys",  # chromatic percussion
    "keys",  # organ
    "guitar",
    "bass",
    "strings",
    "strings",  # ensemble
    "brass",
    "winds",  # reed
    "winds",  # pipe
    "synth",  # lead
    "pad",
    "fx",  # synth effects
    "guitar",  # plucked instruments of the world
    "percussion",
    "fx",  # sound effects
)
_EXCEPTIONS = {
    47: "percussion",  # timpani
    50: "synth",  # synth strings
    51: "synth",
    52: "backing_vocal",  # choir, voice, synth voice
    53: "backing_vocal",
    54: "backing_vocal",
    55: "fx",  # orchestra hit
    62: "synth",  # synth brass
    63: "synth",
    108: "keys",  # kalimba
    109: "winds",  # bagpipe
    110: "strings",  # fiddle
    111: "winds",  # shanai
    119: "fx",  # reverse cymbal
}
_KIT = {
    "kick": (35, 36),
    "snare": (37, 38, 40),
    "hats": (42, 44, 46, 49, 51, 52, 53, 55, 57, 59),
    "toms": (41, 43, 45, 47, 48, 50),
}
_PIECES = {key: piece for piece, keys in _KIT.items() for key in keys}


def program_role(program: int) -> str:
    """The role of a program, 0 to 127."""
    return _EXCEPTIONS.get(program, _FAMILIES[program // 8])


def drum_role(key: int) -> str:
    """The role of a key of the drum channel, 0 to 127."""
    return _PIECES.get(key, "percussion")
