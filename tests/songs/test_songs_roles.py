"""Names of stems and the roles they stand for."""

import pytest

from mixgym.songs import ROLES, guess_role
from mixgym.songs.roles import NAME_PATTERNS, words

NAMES = {
    "lead_vocal": "VOX|Vox 2|LeadVox|LEADVOX|VOX_LEAD|Ld Vox dbl|Lead Vocal Double|MainVox|LV|"
    "lead male singer|lead female singer|vocals|Vocal bus|rap|Tom Vox|01_LdVox|Acapella",
    "backing_vocal": "BGVOX|BGVOX_HIGH|BGVs|BV|bvs|bg 2|Vox dbl|Vox Double L|Vocal Harmony|"
    "Backing Vocals|background vocals|Choir|human choir|Gang Vox|Adlibs|Oohs|Harmony|Vox FX|"
    "Vocoder|other vocals",
    "kick": "01_KIK_in|BD 03|Kick_ds|kick|Kick Out|KickIn|Kick Sub|Bass drum|bassdrum03_ogg|"
    "kick_hard01_ogg|808 Kick|Kick I|Drums - Kick|kick drum|Dirty World BD|KDrum Kick",
    "snare": "SN top|snr|SNR_BTM|Snare 05|JazzSnr_ds|snare_acoustic01_ogg|Snare drum|Rimshot|"
    "Side Stick|SD|Drums_Snare",
    "hats": "HH|hihat_closed02_ogg|HiHat|Hi-Hat|HATS|Closed HihHat 03|Hat_c_ds|ALT_HATS|OpenHat|"
    "Ride|ride02_ogg|Crash|Cym L|Splash|cymbals",
    "toms": "Tom2|Toms|Floor Tom|FloorTom|Rack Tom 1|Tom_Lo",
    "percussion": "Perc Loop|Clap|Clap 04|Snaps|shaker01_ogg|lo_fi_tamb_ds|timbale_sound_ds|"
    "tweety_cowbell_2_ds|Congas|Claves|Triangle|Steel drum|Hand drums|Wind chimes|"
    "a-tonal percussion|Cajon",
    "drums": "Kick_Hats|KickSnare|OH L|OHs|OHL|Overheads_R|OverheadR|Room|Rm L|Drum bus|DRUMS_BUS|"
    "Drumloop|Drums_2|OUTRO_DRUM|BREAKBEAT|TRAP_BEAT|Kit|909|drum machine|full acoustic drumkit",
    "bass": "DI Bass|Bass|808|808s|Synth bass|SynthBass|Bass guitar|bass gtr|SubBass|Sub|"
    "bassline 1|Mute_Bass|upright bass|Contrabass|Organ Bass|PAD_and_BASS|Talking_bass_mono",
    "guitar": "Gtr L|AcGtr|EGTR|Lead guitar|Rhythm Gtr 2|12-string guitar|Banjo|Uke|Acoustic|"
    "Gtr room|harmony guitar|clean electric guitar|Lap Steel|Mando|Vox AC30",
    "keys": "Rhodes|Pno|E-Piano|01_E_Piano|KEYS|Hammond B3|B3|Organ|JazzOrgan|Wurly|Clav|MALLET|"
    "Vibes|electric piano|piano01_ogg|Vox organ|Mellotron|pitched percussion",
    "synth": "Arp|Arpeggio|Lead 1|Lead|Synth|MINILOGUE_SYNTH|PLUCK|Plucked|Synth Brass|"
    "Triangle arp|Sawish_Chords|TripleOscillator|8-bit pluck|Lead Synth|Acid",
    "pad": "Pad|Pads|Synth pad|Str Pad|Drone|WarmPad",
    "strings": "Vln|Vla 2|Strings_high|string section|Cello|Violins|Pizz|Orchestra|Harp",
    "brass": "Tpt|Trumpet|Trombone|French horn|brass|Horns|Tuba|Bass trombone",
    "winds": "Sax|Alto sax|Soprano Sax|Flute|Bassoon|Bass clarinet|Clarinet|Oboe|Harmonica|"
    "English horn|Pan flute",
    "fx": "FX riser|FX 2 Wahwah-Whoosh|FX 3 Chimes|SWEEP|BUILD|MICROCOSM_EFFECT|Noise_Clip|sfxr|"
    "Impact|ReverseCymbal|Sub Drop|Vinyl crackle",
    "other": "Standard-Preset|Default preset|chorus01_ogg|twinkle|Organic|Padding|Kickstart|"
    "Strange|Badge|Percolator|mixture|Melody|Loop|01|  |_|ÄÖ|Backing track",
}


@pytest.mark.parametrize(
    ("name", "role"), [(n, role) for role, names in NAMES.items() for n in names.split("|")]
)
def test_role_of_name(name, role):
    assert guess_role(name) == role


def test_misspelt_bassoon_is_not_a_bass():
    assert guess_role("Basson") != "bass"


def test_the_table_of_names_covers_every_role():
    assert set(NAMES) == set(ROLES)
    assert {role for role, _ in NAME_PATTERNS} <= set(ROLES)


def test_extra_rows_go_first():
    assert guess_role("Loop 3", extra=[("drums", "loop")]) == "drums"
    assert guess_role("Bass drum", extra=[("percussion", "bass drum")]) == "percussion"
    assert guess_role("Pad", extra=[("drums", "loop")]) == "pad"


def test_words_split_case_digits_and_separators():
    assert words("01_KickIn") == ("kick in", "kickin")
    assert words("03-04 AcGtr2.L") == ("ac gtr 2 l", "acgtr 2 l")
    assert words("808_Sub") == ("808 sub", "808 sub")
