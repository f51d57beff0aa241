"""The program installs as a package with one command."""

from __future__ import annotations

import fnmatch
import os
import subprocess
import sys
import sysconfig
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from core import __version__
from tests.source import ROOT
from tests.waiting import LONGEST

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED = ("core", "webapp", "assets", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")
# what checks the JavaScript, and what installs the viewer's library
FOR_DEVELOPERS = ("assets/biome.json", "assets/package.json", "assets/package-lock.json", "assets/tsconfig.json")


def test_the_command_leads_to_a_function() -> None:
    module, _, name = PROJECT["project"]["scripts"]["counterscan"].partition(":")
    assert callable(getattr(import_module(module), name))


def test_version_and_requirements_have_one_source() -> None:
    assert set(PROJECT["project"]["dynamic"]) == {"version", "dependencies"}
    sources = PROJECT["tool"]["setuptools"]["dynamic"]
    assert sources == {"version": {"attr": "core.__version__"}, "dependencies": {"file": ["requirements.txt"]}}


def test_extras_have_the_versions_of_the_tests() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    pins = {
        line
        for name in ("requirements-dev.txt", "requirements-ray.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    }
    assert {"onnx", "ray"} <= set(extras)
    assert {pin for each in extras.values() for pin in each} - pins == set()


def test_every_file_of_the_assets_is_shipped() -> None:
    listed = subprocess.run(["git", "ls-files", "assets"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = set(listed.stdout.split()) - set(FOR_DEVELOPERS)
    patterns = [f"assets/{each.replace('**/', '')}" for each in PROJECT["tool"]["setuptools"]["package-data"]["assets"]]
    assert files and {file for file in files if not any(fnmatch.fnmatch(file, one) for one in patterns)} == set()


@pytest.mark.long
def test_an_editable_install_has_the_command_and_finds_the_assets(tmp_path: Path) -> None:
    source, there = tmp_path / "source", tmp_path / "venv"
    source.mkdir()
    for name in SHIPPED:
        (source / name).symlink_to(ROOT / name)
    _run(sys.executable, "-m", "venv", "--without-pip", str(there))
    python = there / "bin" / "python"
    packages = _run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # the requirements are those of the tests; nothing is downloaded
    Path(packages, "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index"]
    _run(sys.executable, "-m", "pip", "--python", str(python), "install", *options, "--editable", str(source))
    assert "inpaint" in _run(str(there / "bin" / "counterscan"), "tasks")
    code = "import core; print(core.__version__, (core.ASSETS / 'weights' / 'manifest.json').is_file())"
    assert _run(str(python), "-P", "-c", code).split() == [__version__, "True"]


def _run(*command: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        command, cwd="/", env=kept, capture_output=True, text=True, check=True, timeout=LONGEST
    ).stdout
