"""The wheel holds the whole package and nothing else, and does the main job on its own."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".*", "__pycache__", "*.egg-info", "build", "dist", "demo", "docs", "node_modules"
)
CONTENTS = (
    "*.py", "*.html", "*.css", "*.js", "*.j2", "*.json", "*.yaml", "presets/*.yaml",
    "train/*.yaml", "tune/*.yaml", "effects/*", "policies/*", "py.typed",
)  # fmt: skip
BLOCKED = ("torch", "stable_baselines3", "gymnasium")
BLOCKER = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Blocker())
"""


def run(*command, **options):
    ran = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the repository, so that building leaves nothing in it."""
    folder = tmp_path_factory.mktemp("source") / "mixgym"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    return folder


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The Python of a new environment: the wheel, and the dependencies of this environment."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel
    )
    (packages,) = {path.parent for path in folder.rglob("mixgym") if path.is_dir()}
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (packages / "sitecustomize.py").write_text(BLOCKER)
    return python


def test_contents(source, wheel):
    """Every package of the repository with its templates and type marker, nothing beside it."""
    packages = [path.parent for path in source.rglob("__init__.py")]
    expected = {
        f"mixgym/{path.relative_to(source).as_posix()}"
        for package in packages
        for pattern in CONTENTS
        for path in package.glob(pattern)
        if not {"tests", "build"} & set(path.relative_to(source).parts)
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        about = {name for name in archive.namelist() if ".dist-info/" in name}
    assert names == expected
    assert {"mixgym/py.typed", "mixgym/runtime/report.html.j2", "mixgym/cli.py"} <= names
    assert any(name.endswith("LICENSE") for name in about)


def test_it_is_the_wheel_that_runs(installed, tmp_path):
    code = "import mixgym; print(mixgym.__file__)"
    found = Path(run(installed, "-c", code, cwd=tmp_path).strip())
    assert installed.parents[1] in found.parents
    with pytest.raises(AssertionError, match="is blocked"):
        run(installed, "-c", "import torch", cwd=tmp_path)


def test_main_job(installed, tmp_path):
    command = [installed.with_name("mixgym"), "demo", "--duration", 5, "--json"]
    out = run(*command, cwd=tmp_path)
    result = json.loads(out)
    assert result["loudness_lufs"] == pytest.approx(-14, abs=0.1)
    for name in ("audio", "preset", "report"):
        assert (tmp_path / result[name]).stat().st_size > 1000
