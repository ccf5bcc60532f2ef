"""What a stem is in the mix, and how its role is read from its name.

The table `NAME_PATTERNS` is data: rows of (role, pattern), the earlier row wins. A pattern is a
regular expression over the words of a name; it matches whole words, a plural `s` is implied, and a
space in it is a word boundary. `words("01_KickIn.wav")` shows what a pattern is matched against.

Choices that names alone cannot settle:

- drum buses, overheads, rooms and beats are `drums`; a name holding two pieces of the kit
  ("Kick_Hats") is `drums` too;
- spot microphones on cymbals (ride, crash, splash) are `hats`: bright metal that sits low;
- a voice without a qualifier is `lead_vocal`; doubles, ad-libs, harmonies and voice effects are
  `backing_vocal`, unless the name says lead;
- "lead" without a voice or an instrument is a synth lead;
- mallets and tuned bells are `keys`, plucked folk instruments `guitar`, harp `strings`;
- what matches nothing stays `other`.
"""

import re
from collections.abc import Iterable
from functools import cache

ROLES: tuple[str, ...] = (
    "lead_vocal",
    "backing_vocal",
    "kick",
    "snare",
    "hats",
    "toms",
    "percussion",
    "drums",
    "bass",
    "guitar",
    "keys",
    "synth",
    "pad",
    "strings",
    "brass",
    "winds",
    "fx",
    "other",
)

_VOICE = r"\w*vox|\w*vocals?|voc|vx|voice|singer|singing|rap|rapper|acap+ell?a|lyric"
_BEHIND = (
    r"bg|bk|back|backing|background|bck|harm|harmony|harmonies|choir|gang|group|crowd|dbl|double|"
    r"doubler|doubling|dub|ad ?lib|stack|ooh|aah|shout|chant|alto|tenor|soprano|whisper|"
    r"fx|verb|reverb|delay|echo|throw|chop|other"
)
_IN_FRONT = r"lead|ld|main"

NAME_PATTERNS: tuple[tuple[str, str], ...] = (
    # Phrases whose single words would mislead.
    ("fx", r"\Afx|\Asfx|sub ?drop|(?:rev|reversed?) (?:cym|cymbal|crash|piano)|wind noise"),
    ("guitar", r"vox ac ?\d*|vox amp|slide guitar|(?:lap|pedal) steel"),
    ("keys", r"vox (?:organ|continental)|(?:pitched|tuned) percussion"),
    ("keys", r"(?:e|el|elec|electric|ac|acoustic) ?(?:piano|pno)"),
    ("winds", r"bass?oo?n|bsn|bass (?:clarinet|clar|flute|sax|saxophone|recorder)"),
    ("winds", r"english horn|cor anglais|pan ?pipe|pan ?flute"),
    ("brass", r"bass (?:trombone|tbn|trumpet|tuba|horn)|french ?horn"),
    ("percussion", r"(?:steel|hand|frame|talking) ?(?:drum|pan)|wind ?chime|sleigh ?bell"),
    ("synth", r"syn(?:th)? ?(?:brass|string|choir|bell|key|piano|horn|flute)"),
    # Voices.
    ("lead_vocal", rf"(?:{_IN_FRONT})(?: .*)? (?:{_VOICE})|(?:{_VOICE})(?: .*)? (?:{_IN_FRONT})"),
    ("lead_vocal", r"(?:lead|ld|main)(?:vox|vocal|voc|singer)|lv|lvox|ldv"),
    ("backing_vocal", r"bgv|bgvx|bgvoc|bgvox|bv|bvox|bvoc|bkv|bkvox|backing(?:vox|vocal)|bg"),
    ("backing_vocal", rf"(?:{_BEHIND})(?: .*)? (?:{_VOICE})|(?:{_VOICE})(?: .*)? (?:{_BEHIND})"),
    ("backing_vocal", r"backup ?(?:singer|vocal|vox)|vocoder|beat ?box"),
    ("lead_vocal", _VOICE),
    # The kit.
    ("kick", r"\w*kick ?(?:in|out|sub)?|kik|kck|kic|bd|kd|bass ?drum|sub ?kick"),
    ("snare", r"\w*snare|snare ?(?:top|bottom|btm|bot)|snr|sn|sd|sdr|rim|rim ?shot|side ?stick"),
    ("hats", r"hat|hi ?hat|h ?h|hhat|ohh|chh|ride|crash|splash|china|cym|cymbal"),
    ("toms", r"tom|tom ?tom|(?:floor|flr|rack|hi|mid|low|lo) ?tom|roto ?tom"),
    (
        "percussion",
        r"perc|percussion|percs|clap|hand ?clap|snap|finger ?snap|shaker|shkr|shk|maraca|"
        r"tamb|tambo|tambourine|conga|bongo|timbale?|timpani|tabla|taiko|djembe|cajon|darbuka|"
        r"cabasa|cow ?bell|clave|guiro|agogo|wood ?block|cuica|vibra ?slap|castanet|chime|gong|"
        r"udu|surdo|bodhran|stomp",
    ),
    # Bass before guitar, keys and synth: "bass guitar", "organ bass", "synth bass".
    (
        "bass",
        r"\w*bass|\w+ ?bass|bass ?(?:line|gtr|guitar|di|amp|synth)|bs|bgtr|sub|fretless|reese|808",
    ),
    (
        "drums",
        r"\w*drum|drum ?(?:bus|kit|loop|mix|machine)|drm|dr|kit|overhead|over head|oh ?[lr]?|909",
    ),
    ("drums", r"beat|break ?beat|top ?loop"),
    # Tuned instruments.
    (
        "keys",
        r"\w*piano|pno|key|keyboard|kbd|keyz|rhodes|wurli|wurly|wurlitzer|wurl|\w*organ|hammond|"
        r"b ?3|leslie|clav|clavinet|harpsichord|celest[ae]|accordion|mellotron|harmonium|ep|epno|"
        r"grand|steinway|vibe|vibraphone|marimba|xylo|xylophone|glock|glockenspiel|mallet|kalimba|"
        r"music ?box|bell",
    ),
    (
        "guitar",
        r"\w*guitar|\w*gtr|gtar|guit|gt|strat|tele|telecaster|stratocaster|les ?paul|strum|"
        r"banjo|ukulele|uke|mandolin|mando|bouzouki|dobro|sitar|oud|nylon",
    ),
    (
        "brass",
        r"\w*brass|trumpet|tpt|trp|trombone|tbn|trb|bone|horn|hrn|fr ?hn|tuba|flugel|flugel ?horn|"
        r"cornet|euphonium|sousaphone",
    ),
    (
        "winds",
        r"\w*sax|saxophone|flute|clarinet|clar|oboe|recorder|piccolo|picc|whistle|wood ?wind|ww|"
        r"wind|reed|harmonica|melodica|bag ?pipe|shakuhachi|didgeridoo|ocarina|duduk",
    ),
    ("pad", r"\w*pad|drone"),
    (
        "strings",
        r"\w*string|str|strs|violin|vln|viola|vla|cello|celli|vlc|vcl|fiddle|orchestra|orch|"
        r"quartet|harp|pizz|pizzicato|erhu",
    ),
    (
        "synth",
        r"\w*synth|syn|lead|ld|arp|arpeggio|arpeggiator|seq|sequence|pluck|plucked|stab|saw|sawish|"
        r"super ?saw|square|moog|juno|jupiter|prophet|minilogue|oscillator|osc|8 ?bit|chip|"
        r"chiptune|chord|theremin|acid|303",
    ),
    (
        "fx",
        r"fx|sfx|sfxr|efx|effect|riser|rise|uplifter|downlifter|sweep|swell|swoosh|whoosh|impact|"
        r"hit|boom|noise|transition|build|build ?up|foley|ambience|ambient|amb|atmo|atmos|"
        r"atmosphere|vinyl|crackle|scratch|explosion|siren|glitch",
    ),
    # Words that say something only when nothing above did.
    ("backing_vocal", r"choir|harm|harmony|harmonies|backing(?! track)|ooh|aah|gang|ad ?lib"),
    ("guitar", r"acoustic|electric|elec|ac"),
    ("drums", r"room|rm|break|groove|fill"),
    ("percussion", r"triangle"),
)

_KIT_PIECES = frozenset({"kick", "snare", "hats", "toms"})
_LEADING_INDEX = re.compile(r"^(?:(?!808|909)\d+[\s._)-]+)+")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_a-zA-Z]+")
_PLAIN = re.compile(r"[^\W\d_]+|\d+")


def words(name: str) -> tuple[str, str]:
    """Split a name into lower-case words, once with and once without camelCase boundaries.

    Track numbers in front are dropped: `"01_KickIn"` gives `("kick in", "kickin")`.
    """
    bare = _LEADING_INDEX.sub("", name.strip())
    return " ".join(_CAMEL.findall(bare)).lower(), " ".join(_PLAIN.findall(bare)).lower()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S)(?:{pattern})s?(?!\S)")


def _without(pattern: str, texts: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Remove what matches from every reading of the name; say whether anything did."""
    left = tuple(_compiled(pattern).sub(" ", text).strip() for text in texts)
    return left, left != texts


def guess_role(name: str, extra: Iterable[tuple[str, str]] = ()) -> str:
    """Read the role of a stem from its name; `other` where nothing is recognised.

    Args:
        name: a track or file name without its extension, in any of the usual spellings.
        extra: rows of (role, pattern) that go before `NAME_PATTERNS`.

    Returns:
        One of `ROLES` (or a role of `extra`).
    """
    texts: tuple[str, ...] = words(name)
    found: list[str] = []
    for role, pattern in (*extra, *NAME_PATTERNS):
        if found and role not in _KIT_PIECES:
            continue
        texts, matched = _without(pattern, texts)
        if matched and role not in found:
            found.append(role)
            if role not in _KIT_PIECES:
                break
    if len(found) > 1:
        return "drums"
    return found[0] if found else "other"
