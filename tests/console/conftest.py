"""Songs that several test files render."""

import pytest

from mixgym.console.mix import Mix
from mixgym.songs import Song
from mixgym.songs.generate import generate_song


@pytest.fixture(scope="session")
def song() -> Song:
    """A generated song of mono and stereo stems, 5 s."""
    return generate_song(3, duration_s=5)


@pytest.fixture(scope="session")
def busy_mix(song: Song) -> Mix:
    """A mix of that song in which every processor has something to do."""
    mix = Mix.neutral(song)
    for place, stem in enumerate(song.stems):
        mix = mix.with_strip(
            stem.name,
            fader_db=-3 + place % 5,
            pan=(place % 3 - 1) * 0.4,
            width=0.7 + 0.1 * (place % 5),
            high_pass_on=1,
            high_pass_hz=30 + 10 * place,
            eq_on=1,
            low_shelf_db=2,
            bell_1_db=-3,
            bell_2_db=2,
            high_shelf_db=3,
            compressor_on=1,
            compressor_threshold_db=-6,
            compressor_ratio=3,
            side_chain_high_pass_hz=80,
            reverb_send_db=-20,
            delay_send_db=-30,
        )
    mix = mix.with_buses(reverb_size=0.3, delay_time_ms=120, delay_feedback=0.2)
    return mix.with_master(
        bus_compressor_on=1,
        master_eq_on=1,
        master_low_shelf_db=1.5,
        master_bell_1_db=-1,
        master_bell_2_db=1,
        master_high_shelf_db=2,
        multiband_on=1,
        saturation_on=1,
        image_on=1,
        master_width=1.1,
        mono_below_hz=100,
    )
