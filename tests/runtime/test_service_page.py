"""The page of `mixgym serve`, in a browser."""

import json
import time

import pytest
import soundfile as sf

from mixgym.runtime.service.limits import Limits
from mixgym.songs.generate import generate_song, write_song

IDLE = "document.getElementById('work').hidden"
REVISION = "Number(document.getElementById('player').dataset.revision || 0)"


@pytest.fixture
def page(chromium, serving, tmp_path):
    """The service's page, open; what it told is looked through at the end."""
    limits = Limits(free_bytes=0, away_s=3)  # a page that could not say goodbye is missed soon
    with serving(limits) as (url, jobs), chromium.browser(tmp_path) as page:
        page.url, page.jobs, page.downloads = url, jobs, tmp_path / "downloads"
        page.call("Page.navigate", url=url)
        page.wait("document.body?.dataset.ready")
        yield page
        for request in page.told("Network.requestWillBeSent"):
            address = request["request"]["url"]
            assert address.startswith((f"{url}/", "data:", "blob:", "about:")), address
        assert [e for e in page.told("Log.entryAdded") if e["entry"]["source"] == "security"] == []
        assert page.told("Runtime.exceptionThrown") == []


@pytest.fixture(scope="module")
def stem_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("song") / "stems"
    with generate_song(3, 5.0, 22_050, stems=4) as song:
        write_song(song, folder)
    return sorted(folder.glob("*.wav"))


def click(page, name):
    page.run(f"document.getElementById('{name}').click()")


def mix(page, files, mixer="roles"):
    page.choose_files("#files", files)
    page.wait("!document.getElementById('mixing').hidden")
    page.run(f"document.getElementById('mixer').value = '{mixer}'")
    click(page, "mix")
    page.wait(f"{REVISION} === 1")


def turn(page, label, value):
    """Move a slider, 0 to 1, as a hand would."""
    page.run(
        f"""(() => {{
        const input = document.querySelector('input[aria-label="{label}"]');
        input.value = {value};
        input.dispatchEvent(new Event("input"));
        return input.parentElement.querySelector("output").textContent; }})()"""
    )


def expect(page, happened, seconds=30):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        page.run("new Promise(done => setTimeout(done, 50))")


def downloaded(page, name):
    path = page.downloads / name
    expect(page, lambda: path.exists() and not list(page.downloads.glob("*.crdownload")))
    return path


def test_from_stems_to_files(page, stem_files):
    mix(page, stem_files)
    names = page.run("[...document.querySelectorAll('#stems tbody th')].map(e => e.textContent)")
    assert names == [path.stem for path in stem_files]
    assert page.run("document.querySelectorAll('#stems path[d^=M]').length") == len(names)
    panels = page.run("[...document.querySelectorAll('summary')].map(e => e.firstChild.data)")
    assert panels == [*names, "Buses", "Master"]

    # The player: both sides run together, one is heard.
    gains = "[player.sides.before.gain.gain.value, player.sides.after.gain.gain.value]"
    page.press("b")
    page.wait(f"{gains}[1] > 0.99 && {gains}[0] < 0.01")
    click(page, "play")
    page.wait("player.playing && player.place > 0.2")
    page.press("a")
    page.wait(f"{gains}[0] > 0.99 && {gains}[1] < 0.01")
    assert page.run("document.querySelector('[data-choose=before]').ariaPressed") == "true"

    # A knob: the excerpt follows while it plays.
    sound = "player.sides.after.buffer.getChannelData(0).reduce((sum, x) => sum + Math.abs(x), 0)"
    before = page.run(sound)
    turn(page, f"{names[0]}: fader", 1)
    page.wait(f"{REVISION} === 2")
    assert page.run("player.playing")
    assert abs(page.run(sound) / before - 1) > 0.001

    click(page, "take-preset")
    preset = json.loads(downloaded(page, "preset.json").read_text())
    assert preset["stems"][0]["settings"]["fader_db"] == 12
    click(page, "take-wav")
    audio, rate = sf.read(downloaded(page, "mix.wav"))
    assert rate == 22_050 and len(audio) >= 5 * rate
    page.wait(IDLE)

    # Another song, and the first is forgotten.
    click(page, "again")
    page.wait("document.getElementById('stems').hidden && job === null")
    expect(page, lambda: len(page.jobs) == 0)


def test_every_control_has_a_name_and_both_themes_can_be_read(page, stem_files):
    mix(page, stem_files[:2], "equal_loudness")
    page.run("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    controls = [
        node
        for node in nodes
        if not node["ignored"]
        and node["role"]["value"] in ("button", "slider", "checkbox", "combobox", "progressbar")
    ]
    assert len(controls) > 100
    names = [node["name"]["value"] for node in controls]
    assert all(names) and len(set(names)) == len(names)
    for theme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": theme}
        page.call("Emulation.setEmulatedMedia", features=[feature])
        ink, paper = page.run(
            """["color", "backgroundColor"].map(name =>
            getComputedStyle(document.body)[name].match(/\\d+/g).slice(0, 3)
            .reduce((sum, x) => sum + Number(x) / 765, 0))"""
        )
        assert (ink < 0.2 and paper > 0.8) if theme == "light" else (ink > 0.8 and paper < 0.2)


def test_mistakes_end_in_a_sentence(page, stem_files, tmp_path):
    error = "document.getElementById('error')"

    def told():
        page.wait(f"!{error}.hidden")
        page.wait(IDLE)
        return page.run(f"{error}.textContent")

    (tmp_path / "notes.txt").write_text("no audio")
    page.choose_files("#files", [tmp_path / "notes.txt"])
    assert "notes.txt is not a kind of audio file" in told()
    (tmp_path / "<b>Kick.wav").write_bytes(b"RIFF but nothing else")
    page.choose_files("#files", [tmp_path / "<b>Kick.wav"])
    page.wait(f"{error}.textContent.includes('<b>Kick is')")
    assert "/" not in told().replace("WAV, AIFF", "")
    mix(page, stem_files[:1], "equal_loudness")
    assert page.run(f"{error}.hidden")


def test_closing_the_page_ends_the_song(page, stem_files):
    mix(page, stem_files[:1], "equal_loudness")
    assert len(page.jobs) == 1
    page.call("Page.navigate", url="about:blank")
    expect(page, lambda: len(page.jobs) == 0)
