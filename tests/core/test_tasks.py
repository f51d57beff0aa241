"""A task added as docs/CONTRIBUTING.md says is one folder in core and one line in the registry."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nibabel
import numpy as np
import pytest

from core.tasks import MODULES, TASKS
from tests.contract.phantom import write_phantom
from tests.source import ROOT

# the code that docs/CONTRIBUTING.md shows, as it stands there
PAGE = (ROOT / "docs" / "CONTRIBUTING.md").read_text(encoding="utf-8")
DECLARATION, RUN = (textwrap.dedent(block) for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the program that knows one more task."""
    root = tmp_path_factory.mktemp("program")
    shutil.copytree(ROOT / "core", root / "core", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "assets").symlink_to(ROOT / "assets")
    folder = root / "core" / "imaging" / "smooth"
    folder.mkdir()
    for name, text in (("__init__", ""), ("task", DECLARATION), ("run", RUN)):
        (folder / f"{name}.py").write_text(text)
    registry = root / "core" / "tasks.py"
    line = f'    "{MODULES[-1]}",\n'
    text = registry.read_text()
    assert text.count(line) == 1
    registry.write_text(text.replace(line, line + '    "core.imaging.smooth.task",\n'))
    return root


def call(program: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(program)}
    command = [sys.executable, "-m", "core", *arguments]
    return subprocess.run(command, cwd=program, env=environment, capture_output=True, text=True, check=True).stdout


def test_a_task_of_one_folder_and_one_line_is_listed_and_runs(program: Path, tmp_path: Path) -> None:
    assert call(program, "tasks").endswith("\nsmooth       Averages each voxel with its neighbours.\n")
    options = call(program, "run", "smooth", "--help")
    assert "--width" in options and "--preset" not in options
    scan = write_phantom(tmp_path)["t1"]
    call(program, "run", "smooth", "--image", str(scan), "--out", str(tmp_path / "out"), "--quiet")
    before, after = (nibabel.nifti1.load(path).get_fdata() for path in (scan, tmp_path / "out" / "result.nii.gz"))
    assert before.shape == after.shape and 0 < np.diff(after, axis=0).std() < np.diff(before, axis=0).std()


def test_names_of_tasks_are_unique() -> None:
    assert len({task.name for task in TASKS}) == len(TASKS) == len(MODULES)
