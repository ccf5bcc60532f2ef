"""The manual's examples run, in the order they stand, each page in a folder of its own."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(page):
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if examples(p)], ids=lambda page: page.name)
def test_examples_run_and_print_what_they_say(page, mixgym, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))
    names = {}
    for kind, code in examples(page):
        if kind == "python":
            exec(compile(code, str(page), "exec"), names)
            printed = capsys.readouterr().out.splitlines()
            assert printed == re.findall(r"^ *print\(.*\)  # (.*)$", code, re.MULTILINE)
        else:
            for line in code.splitlines():
                command = shlex.split(line.removeprefix("$ mixgym "))
                ran = mixgym(*command)
                assert ran.status == 0, ran.err


def test_the_page_of_parameters_is_up_to_date(mixgym):
    page = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    assert mixgym("parameters", "--markdown").out == page


def test_links_between_pages_lead_somewhere():
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "experiments/RESULTS.md"]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
