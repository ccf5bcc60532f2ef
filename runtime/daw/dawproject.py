"""DAWproject files: tracks, levels, sends and the devices that the format knows, with audio.

Source: Bitwig, "DAWproject" 1.0, Project.xsd and MetaData.xsd.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from ...console.compressor import make_up_db
from ...console.filters import SHELF_Q
from ...console.parameters import NOMINAL_LUFS
from ...console.strip import compressor_settings
from .session import Session, Track

BANDS = (
    ("lowShelf", "low_shelf"),
    ("bell", "bell_1"),
    ("bell", "bell_2"),
    ("highShelf", "high_shelf"),
)
MIDDLE = 0.5  # pan
MOST_GAIN = 4.0  # of a fader, linear


@dataclass(frozen=True, slots=True)
class Audio:
    """An audio file of the project.

    Attributes:
        source: where it is.
        name: in the archive.
        sample_rate: in Hz.
        channels: 1 or 2.
        duration_s: its length.
    """

    source: Path
    name: str
    sample_rate: int
    channels: int
    duration_s: float


def write_archive(
    path: Path, session: Session, stems: Sequence[Audio], returns: Mapping[str, Audio]
) -> None:
    """Write the archive with its audio.

    Args:
        path: the file, replaced.
        session: what to put in it.
        stems: audio of its tracks.
        returns: what the reverb and the delay add, by bus.

    Raises:
        OSError: the disk is full, or audio cannot be read.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, root in (
            ("metadata.xml", metadata(session)),
            ("project.xml", project(session, stems, returns)),
        ):
            text = tostring(root, encoding="UTF-8", xml_declaration=True)
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
        for audio in (*stems, *returns.values()):
            archive.write(audio.source, audio.name, zipfile.ZIP_STORED)


def metadata(session: Session) -> Element:
    """The root of metadata.xml."""
    root = Element("MetaData")
    SubElement(root, "Title").text = _text(session.title)
    return root


def project(session: Session, stems: Sequence[Audio], returns: Mapping[str, Audio]) -> Element:
    """The root of project.xml; arguments as for `write_archive`."""
    from ... import __version__

    return _Document().build(session, stems, returns, __version__)


class _Document:
    """Builds one project; counts its identifiers."""

    def __init__(self) -> None:
        self._numbers = count()

    def _id(self) -> str:
        return f"id{next(self._numbers)}"

    def build(
        self, session: Session, stems: Sequence[Audio], returns: Mapping[str, Audio], version: str
    ) -> Element:
        root = Element("Project", version="1.0")
        SubElement(root, "Application", name="mixgym", version=version)
        transport = SubElement(root, "Transport")
        self._real(transport, "Tempo", session.tempo_bpm or 120.0, "bpm", 20, 666)
        SubElement(transport, "TimeSignature", id=self._id(), numerator="4", denominator="4")
        structure = SubElement(root, "Structure")
        master, bus_ids = self._id(), {bus: self._id() for bus in returns}
        level = 10 ** ((NOMINAL_LUFS - session.bus_lufs) / 20)
        clips: list[tuple[str, Audio]] = []
        moves: list[tuple[str, str, list[tuple[float, float]]]] = []
        for track, audio in zip(session.tracks, stems, strict=True):
            identifier, volume_id = self._stem(structure, track, level, master, bus_ids)
            clips.append((identifier, audio))
            volume = level * _linear(track)
            moves.append((identifier, volume_id, [(t, volume * gain) for t, gain in track.moves]))
        for bus, audio in returns.items():
            clips.append((self._return(structure, bus, level, master), audio))
        for bus, identifier in bus_ids.items():
            self._effect(structure, bus, identifier, master)
        self._master(structure, session, master)
        arrangement = SubElement(root, "Arrangement", id=self._id())
        lanes = SubElement(arrangement, "Lanes", timeUnit="seconds", id=self._id())
        for identifier, audio in clips:
            self._clip(lanes, identifier, audio)
        for identifier, volume_id, points in moves:
            if points:
                self._points(lanes, identifier, volume_id, points)
        SubElement(root, "Scenes")
        return root

    def _stem(
        self,
        structure: Element,
        track: Track,
        level: float,
        master: str,
        buses: Mapping[str, str],
    ) -> tuple[str, str]:
        """The track's identifier, and that of its volume."""
        settings = track.settings
        identifier, channel = self._track(structure, track.name, "regular", master)
        if track.loudness_lufs is not None:
            devices = Element("Devices")
            self._equaliser(devices, settings, "")
            if settings["compressor_on"] and settings["compressor_ratio"] > 1:
                self._compressor(devices, settings, "compressor_", track.loudness_lufs)
            if len(devices):
                channel.append(devices)
        self._flag(channel, "Mute", track.loudness_lufs is None)
        self._real(channel, "Pan", (settings["pan"] + 1) / 2, "normalized", 0, 1)
        sends = SubElement(channel, "Sends")
        for bus, destination in buses.items():
            if track.send(bus):
                send = SubElement(
                    sends, "Send", destination=destination, type="post", id=self._id()
                )
                self._real(send, "Volume", track.send(bus), "linear", 0, 1)
        return identifier, self._volume(channel, level * _linear(track))

    def _return(self, structure: Element, bus: str, level: float, master: str) -> str:
        """What the bus adds to the mix, as audio."""
        name = f"{bus.capitalize()} return"
        identifier, channel = self._track(structure, name, "regular", master)
        self._mixer(channel, level)
        return identifier

    def _effect(self, structure: Element, bus: str, identifier: str, master: str) -> None:
        """Where the sends go: muted, as the format has no device for it."""
        about = f"Put a {bus} here, unmute this track, and mute '{bus.capitalize()} return'."
        _, channel = self._track(
            structure, bus.capitalize(), "effect", master, identifier, comment=about
        )
        self._mixer(channel, 1.0, muted=True)

    def _master(self, structure: Element, session: Session, identifier: str) -> None:
        settings = session.master
        _, channel = self._track(structure, "Master", "master", None, identifier)
        devices = SubElement(channel, "Devices")
        if settings["bus_compressor_on"] and settings["bus_compressor_ratio"] > 1:
            self._compressor(devices, settings, "bus_compressor_", NOMINAL_LUFS)
        self._equaliser(devices, settings, "master_")
        if settings["limiter_on"]:
            limiter = Element("Limiter")
            self._real(limiter, "Attack", settings["limiter_look_ahead_ms"] / 1000, "seconds")
            self._real(limiter, "InputGain", session.drive_db, "decibel")
            self._real(limiter, "Release", settings["limiter_release_ms"] / 1000, "seconds")
            ceiling_db = settings["ceiling_dbtp"] - session.margin_db
            self._real(limiter, "Threshold", ceiling_db, "decibel")
            self._device(devices, limiter)
            self._mixer(channel, 1.0)
        else:
            self._mixer(channel, 10 ** (session.drive_db / 20))

    def _track(
        self,
        structure: Element,
        name: str,
        role: str,
        destination: str | None,
        channel_id: str | None = None,
        comment: str | None = None,
    ) -> tuple[str, Element]:
        """The track's identifier and its channel."""
        identifier = self._id()
        track = SubElement(
            structure, "Track", contentType="audio", loaded="true", id=identifier, name=_text(name)
        )
        if comment:
            track.set("comment", comment)
        channel = SubElement(
            track,
            "Channel",
            audioChannels="2",
            role=role,
            solo="false",
            id=channel_id or self._id(),
        )
        if destination:
            channel.set("destination", destination)
        return identifier, channel

    def _mixer(self, channel: Element, volume: float, *, muted: bool = False) -> None:
        self._flag(channel, "Mute", muted)
        self._real(channel, "Pan", MIDDLE, "normalized", 0, 1)
        self._volume(channel, volume)

    def _volume(self, channel: Element, volume: float) -> str:
        return self._real(channel, "Volume", volume, "linear", 0, max(MOST_GAIN, volume))

    def _equaliser(self, devices: Element, settings: Mapping[str, float], prefix: str) -> None:
        device = Element("Equalizer")
        if settings.get(f"{prefix}high_pass_on"):
            self._band(device, "highPass", settings["high_pass_hz"], None, SHELF_Q)
        if settings[f"{prefix}eq_on"]:
            for kind, band in BANDS:
                gain_db = settings[f"{prefix}{band}_db"]
                if gain_db:
                    q = settings.get(f"{prefix}{band}_q", SHELF_Q)
                    self._band(device, kind, settings[f"{prefix}{band}_hz"], gain_db, q)
        if len(device):
            self._device(devices, device)

    def _band(self, device: Element, kind: str, hz: float, gain_db: float | None, q: float) -> None:
        band = SubElement(device, "Band", type=kind, order=str(len(device)))
        self._real(band, "Freq", hz, "hertz")
        if gain_db is not None:
            self._real(band, "Gain", gain_db, "decibel")
        self._real(band, "Q", q, "linear")
        self._flag(band, "Enabled", True)

    def _compressor(
        self, devices: Element, settings: Mapping[str, float], prefix: str, level_lufs: float
    ) -> None:
        dynamics = compressor_settings(settings, prefix, level_lufs)
        device = Element("Compressor")
        self._real(device, "Attack", dynamics.attack_ms / 1000, "seconds")
        self._flag(device, "AutoMakeup", False)
        self._real(device, "OutputGain", make_up_db(level_lufs, dynamics), "decibel")
        self._real(device, "Ratio", 100 * (1 - 1 / dynamics.ratio), "percent", 0, 100)
        self._real(device, "Release", dynamics.release_ms / 1000, "seconds")
        self._real(device, "Threshold", dynamics.threshold_db, "decibel")
        self._device(devices, device)

    def _device(self, devices: Element, device: Element) -> None:
        """Add a device; whether it is enabled stands before its settings."""
        for name, value in (
            ("deviceName", device.tag),
            ("deviceRole", "audioFX"),
            ("id", self._id()),
            ("name", device.tag),
        ):
            device.set(name, value)
        enabled = Element("Enabled", id=self._id(), name="Enabled", value="true")
        device.insert(0, enabled)
        devices.append(device)

    def _clip(self, lanes: Element, track: str, audio: Audio) -> None:
        duration = f"{audio.duration_s:.12g}"
        clips = SubElement(lanes, "Clips", track=track, id=self._id())
        clip = SubElement(
            clips,
            "Clip",
            time="0",
            duration=duration,
            contentTimeUnit="seconds",
            playStart="0",
            playStop=duration,
        )
        element = SubElement(
            clip,
            "Audio",
            channels=str(audio.channels),
            sampleRate=str(audio.sample_rate),
            duration=duration,
            id=self._id(),
        )
        SubElement(element, "File", path=audio.name)

    def _points(
        self, lanes: Element, track: str, volume: str, points: Sequence[tuple[float, float]]
    ) -> None:
        """A volume that moves."""
        element = SubElement(lanes, "Points", track=track, unit="linear", id=self._id())
        SubElement(element, "Target", parameter=volume)
        for time_s, gain in points:
            SubElement(
                element,
                "RealPoint",
                time=f"{time_s:.10g}",
                value=f"{gain:.10g}",
                interpolation="linear",
            )

    def _real(
        self,
        parent: Element,
        name: str,
        value: float,
        unit: str,
        low: float | None = None,
        high: float | None = None,
    ) -> str:
        """Add a value; its identifier."""
        identifier = self._id()
        element = SubElement(
            parent, name, id=identifier, name=name, unit=unit, value=f"{value:.10g}"
        )
        if low is not None and high is not None:
            element.set("min", f"{low:.10g}")
            element.set("max", f"{high:.10g}")
        return identifier

    def _flag(self, parent: Element, name: str, value: bool) -> None:
        SubElement(parent, name, id=self._id(), name=name, value=str(value).lower())


def _linear(track: Track) -> float:
    """What the fader and the trim to the nominal loudness make together."""
    return float(10 ** ((track.trim_db + track.settings["fader_db"]) / 20))


def _text(text: str) -> str:
    """Text without what XML 1.0 cannot hold."""
    allowed = "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    return re.sub(allowed, "\N{REPLACEMENT CHARACTER}", text)
