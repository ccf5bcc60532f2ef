"""The report's page: what it says, that it stands alone, and that it appears whole."""

import base64
import io
import json
import math
from collections import Counter
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from mixgym.console.describe import changes
from mixgym.console.meters import Readings, measure
from mixgym.console.mix import Mix
from mixgym.console.render import Delivered, render
from mixgym.errors import MixgymError
from mixgym.runtime.report import (
    METERS,
    Clip,
    ReportData,
    StemRow,
    number,
    unbroken,
    write_report,
)
from mixgym.songs.generate import generate_song

RATE = 44_100
VOID = {"meta", "input", "br", "link", "img"}


class Page(HTMLParser):
    """The tags, attributes, text and scripts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: dict[str, str] = {}
        self.pieces: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"
        self.text = " ".join(" ".join(self.pieces).replace("\u00a0", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("id") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1][0] == tag
        self._open.pop()

    def handle_data(self, data: str) -> None:
        tag, name = self._open[-1] if self._open else ("", "")
        if tag == "script":
            self.scripts[name] = self.scripts.get(name, "") + data
        elif tag != "style":
            self.pieces.append(data)

    @property
    def data(self) -> dict:
        return json.loads(self.scripts["mixgym-report"])


def written(data: ReportData, folder: Path) -> Page:
    path = folder / "report.html"
    write_report(data, path)
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def data() -> ReportData:
    """A mix of a generated song, as the runtime hands it over."""
    with generate_song(1, 8.0, RATE, stems=4) as song:
        name = song.stems[-1].name
        mix = Mix.neutral(song).with_strip(name, fader_db=2, pan=-0.3, reverb_send_db=-18)
        mix = replace(mix, reasons={name: ("it carries the tune",), "master": ("an even tone",)})
        with render(song, mix, tail=False) as rendering:
            after, delivered = rendering.array(), rendering.delivered
        before = np.zeros((2, song.frames), np.float32)
        for stem in song.stems:
            before += stem.read(0, song.frames)
        rows = tuple(StemRow(s.name, s.role, -20.0 - i) for i, s in enumerate(song.stems))
    readings = measure(before, RATE), measure(after, RATE)
    gain = 10 ** ((readings[1].integrated_lufs - readings[0].integrated_lufs) / 20)
    part = slice(2 * RATE, 6 * RATE)
    return ReportData(
        title="Night & Day",
        kind="mix",
        settings=changes(mix),
        reasons=mix.reasons,
        stems=rows,
        before=readings[0],
        after=readings[1],
        before_label="plain sum of the stems",
        after_label="mix",
        delivered=delivered,
        target_hz=np.array([20.0, 1_000.0, 20_000.0]),
        target_db=np.array([-15.0, 0.0, -25.0]),
        clip=Clip(before[:, part] * np.float32(gain), after[:, part], RATE, 2.0),
        notes=("Hats is silent and adds nothing.",),
        ceiling_dbtp=-1.0,
    )


@pytest.fixture(scope="module")
def page(data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return written(data, tmp_path_factory.mktemp("page"))


def noise(frames: int, rms: float = 0.1, channels: int = 2) -> NDArray[np.float32]:
    rng = np.random.default_rng(5)
    return (rms * rng.standard_normal((channels, frames))).astype(np.float32)


def test_headlines_hold_the_result_against_what_was_asked(data: ReportData, page: Page) -> None:
    assert f"Loudness {number(data.delivered.loudness_lufs)} LUFS target −14.0, met" in page.text
    assert f"True peak {number(data.delivered.true_peak_dbtp)} dBTP ceiling −1.0" in page.text
    assert f"was {number(data.before.loudness_range_lu)}" in page.text
    assert f"was {number(data.before.plr_db)}" in page.text


def test_a_missed_target_and_ceiling_are_said(data: ReportData, tmp_path: Path) -> None:
    short = Delivered(-15.3, -0.5, -14.0, 9.0, 4.0, 9.5)
    page = written(replace(data, delivered=short), tmp_path)
    assert "1.3 LU below −14.0" in page.text
    assert "Limiter −4.0 dB mean −9.5 at most" in page.text
    assert sum(value == "bad" for _, name, value in page.attributes if name == "class") == 2


def test_nothing_is_held_against_what_nobody_asked_for(data: ReportData, tmp_path: Path) -> None:
    free = Delivered(-15.3, 0.4, None, 0.0, 0.0, 0.0)
    page = written(replace(data, delivered=free, ceiling_dbtp=None), tmp_path)
    assert "no target asked for" in page.text
    assert "no ceiling asked for" in page.text
    assert "never at work" in page.text
    assert not {"good", "bad"} & {value for _, name, value in page.attributes if name == "class"}


def test_every_stem_shows_its_level_settings_and_reasons(data: ReportData, page: Page) -> None:
    for stem in data.stems:
        assert stem.loudness_lufs is not None
        role = stem.role.replace("_", " ")
        assert f"{stem.name} {role} {number(stem.loudness_lufs)} LUFS" in page.text
    assert "fader +2.0 dB pan 30 % left reverb send −18 dB it carries the tune" in page.text
    assert "as loud as the others, nothing else" in page.text
    assert "reverb: size 50 %" in page.text
    assert "true-peak limiter at −1.0 dBTP an even tone" in page.text
    assert data.notes[0] in page.text


def test_every_scalar_of_the_readings_is_in_the_table(data: ReportData, page: Page) -> None:
    scalars = {f.name for f in fields(Readings) if f.type in (int, float, "int", "float")}
    assert scalars == {meter.field for meter in METERS}
    for meter in METERS:
        before, after = (getattr(r, meter.field) for r in (data.before, data.after))
        change = number(after - before, meter.decimals, signed=True)
        row = f"{number(before, meter.decimals)} {number(after, meter.decimals)} {change}"
        assert f"{meter.label} {meter.about}".strip() + f" {row} {meter.unit}".rstrip() in page.text


def test_the_page_says_what_the_player_plays(page: Page) -> None:
    assert "Both are at equal loudness" in page.text
    assert "the part from 0:02 to 0:06 of the song" in page.text
    assert page.tags["audio"] == 2


def test_the_player_holds_both_sides_level_matched_and_unclipped(page: Page) -> None:
    sounds = []
    for _, _, value in (a for a in page.attributes if a[:2] == ("audio", "src")):
        kind, encoded = value.split(",")
        assert kind == "data:audio/mpeg;base64"
        audio, rate = soundfile.read(io.BytesIO(base64.b64decode(encoded)), dtype="float32")
        assert rate == RATE
        assert len(audio) == pytest.approx(4 * RATE, abs=2_400)
        assert np.abs(audio).max() < 1.0
        sounds.append(measure(np.ascontiguousarray(audio.T), rate).integrated_lufs)
    # The song as a whole is level-matched, its middle only about so.
    assert sounds[0] == pytest.approx(sounds[1], abs=2.0)


def test_a_clip_that_would_clip_is_turned_down_on_both_sides(
    data: ReportData, tmp_path: Path
) -> None:
    quiet, peaky = noise(3 * RATE), noise(3 * RATE)
    peaky[:, ::5_000] = 1.94
    page = written(replace(data, clip=Clip(peaky, quiet, RATE, 0.0)), tmp_path)
    assert "both 6.0 dB down so that neither clips" in page.text
    uris = [value for tag, name, value in page.attributes if (tag, name) == ("audio", "src")]
    after, _ = soundfile.read(io.BytesIO(base64.b64decode(uris[1].split(",")[1])))
    assert after.std() == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize("rate", [8_000, 37_800, 96_000])
def test_rates_that_mp3_lacks_are_converted(data: ReportData, tmp_path: Path, rate: int) -> None:
    clip = Clip(noise(2 * rate), noise(2 * rate), rate, 0.0)
    page = written(replace(data, clip=clip), tmp_path)
    uri = next(value for tag, name, value in page.attributes if (tag, name) == ("audio", "src"))
    sound = soundfile.info(io.BytesIO(base64.b64decode(uri.split(",")[1])))
    assert sound.samplerate == {8_000: 8_000, 37_800: 44_100, 96_000: 48_000}[rate]
    assert sound.duration == pytest.approx(2.0, abs=0.2)


def test_pictures_are_inline_and_described(page: Page) -> None:
    labels = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "aria-label")]
    starts = ("Third-octave spectrum", "Short-term loudness", "Correlation", "Vectorscope")
    assert len(labels) == len(starts)
    assert all(label.startswith(start) for label, start in zip(labels, starts, strict=True))
    assert page.tags["title"] == 1
    assert not page.tags["img"]


def test_the_page_stands_alone(data: ReportData, tmp_path: Path, page: Page) -> None:
    assert not page.tags["link"] + page.tags["iframe"]
    for tag, name, value in page.attributes:
        if name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            assert value.startswith(("data:", "#")), (tag, name, value[:60])
    path = tmp_path / "report.html"
    write_report(data, path)
    html = path.read_text(encoding="utf-8")
    assert "://" not in html
    assert "@import" not in html
    assert len(html) < 1_500_000


def test_identifiers_are_unique_and_references_hold(page: Page) -> None:
    names = Counter(value for _, name, value in page.attributes if name == "id")
    assert max(names.values()) == 1
    targets = {value[1:] for _, name, value in page.attributes if name == "href"}
    targets |= {value[5:-1] for _, name, value in page.attributes if name == "clip-path"}
    targets.discard("")
    assert {target for target in targets if not target.startswith("ata:")} <= set(names)


def test_text_from_files_is_never_markup(data: ReportData, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    hostile = replace(
        data,
        title=f'"Quoted" & {evil}',
        stems=(StemRow(evil, "other", -20.0), *data.stems),
        settings={**data.settings, evil: [f"driven by {evil}"]},
        reasons={evil: ("</script><img src=x onerror=alert(1)>",)},
        before_label="<b>$a$</b>",
        notes=("<!-- ", "--></style>"),
    )
    page = written(hostile, tmp_path)
    assert page.tags["script"] == 2
    assert not page.tags["img"]
    assert evil in page.text
    assert f"driven by {evil}" in page.text
    assert "<b>$a$</b>" in page.text
    assert page.data["title"] == hostile.title
    assert page.data["stems"][0]["name"] == evil
    assert page.data["reasons"][evil] == ["</script><img src=x onerror=alert(1)>"]


def test_the_data_can_be_read_back_from_the_page(data: ReportData, page: Page) -> None:
    assert page.data["format"] == "mixgym-report"
    assert page.data["after"]["integrated_lufs"] == data.after.integrated_lufs
    assert page.data["before"]["spectrum_db"] == data.before.to_json()["spectrum_db"]
    assert page.data["settings"] == data.settings
    assert page.data["delivered"]["target_lufs"] == -14.0
    assert page.data["clip_s"] == [2.0, 6.0]


def test_the_same_data_give_the_same_bytes(data: ReportData, tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        write_report(data, tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_a_master_has_no_stems_and_no_buses(data: ReportData, tmp_path: Path) -> None:
    settings = {"master": ["EQ: low shelf +1.0 dB at 90 Hz"]}
    track = replace(data, kind="master", stems=(), settings=settings, reasons={}, notes=())
    page = written(track, tmp_path)
    assert "Mastering report" in page.text
    assert settings["master"][0] in page.text
    assert "Reverb and delay" not in page.text
    assert "As it came" not in page.text


def test_a_silent_stem_is_called_silent(data: ReportData, tmp_path: Path) -> None:
    page = written(replace(data, stems=(StemRow("FX", "fx", None),)), tmp_path)
    assert "FX fx silent nothing to do" in page.text
    assert page.data["stems"] == [{"name": "FX", "role": "fx", "loudness_lufs": None}]


@pytest.mark.parametrize(
    ("before", "after", "rate"),
    [
        (np.zeros((2, 4 * RATE), np.float32), noise(4 * RATE), RATE),
        (noise(RATE // 2, channels=1), noise(RATE // 2), RATE),
        (noise(5 * 8_000), np.repeat(noise(5 * 8_000, channels=1), 2, axis=0), 8_000),
        (np.zeros((2, 5_000), np.float32), np.zeros((2, 5_000), np.float32), RATE),
    ],
    ids=["silent before", "half a second, mono before", "mono after at 8 kHz", "all silent"],
)
@pytest.mark.filterwarnings("error")
def test_any_audio_makes_a_report(
    data: ReportData,
    tmp_path: Path,
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    rate: int,
) -> None:
    odd = replace(
        data,
        before=measure(before, rate),
        after=measure(after, rate),
        delivered=Delivered(-math.inf, -math.inf, -14.0, 0.0, 0.0, 0.0),
        clip=Clip(np.broadcast_to(before, after.shape), after, rate, 0.0),
    )
    page = written(odd, tmp_path)
    assert page.data["delivered"]["loudness_lufs"] is None
    assert "Loudness −∞ LUFS" in page.text
    assert "nan" not in page.text.lower()


def test_only_the_page_is_left_behind(data: ReportData, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("an older report")
    write_report(data, path)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_report_that_fails_leaves_the_old_one(data: ReportData, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("an older report")
    with pytest.raises(ValueError, match="same length"):
        write_report(replace(data, target_db=np.zeros(7)), path)
    assert path.read_text() == "an older report"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_named(data: ReportData, tmp_path: Path) -> None:
    with pytest.raises(MixgymError, match=r"folder .*missing cannot be written"):
        write_report(data, tmp_path / "missing" / "report.html")
    folder = tmp_path / "report.html"
    (folder / "in_it").mkdir(parents=True)
    with pytest.raises(MixgymError, match=r"report\.html"):
        write_report(data, folder)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert (folder / "in_it").is_dir()


@pytest.mark.parametrize(
    ("value", "decimals", "signed", "text"),
    [
        (-14.04, 1, False, "−14.0"),
        (2.0, 1, True, "+2.0"),
        (-0.04, 1, True, "0.0"),
        (44_100, 0, False, "44100"),
        (math.nan, 1, True, "–"),
        (-math.inf, 1, False, "−∞"),
    ],
)
def test_numbers(value: float, decimals: int, signed: bool, text: str) -> None:
    assert number(value, decimals, signed) == text


def test_a_number_stays_with_its_unit() -> None:
    text = "EQ: bell −3.0 dB at 2.5 kHz (Q 1), attack 15 ms, pan 30 % left, 3 stems"
    joined = unbroken(text)
    assert joined.replace("\u00a0", " ") == text
    assert joined.count("\u00a0") == 4
