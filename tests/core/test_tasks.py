"""A task added as docs/CONTRIBUTING.md says is one folder in core and one line in the registry."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from core.tasks import MODULES, TASKS
from tests.contract.phantom import write_phantom
from tests.new_task import call, write_program

CORE = ("-m", "core")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of core that knows one more task."""
    return write_program(tmp_path_factory.mktemp("program"), "core")


def test_a_task_of_one_folder_and_one_line_is_listed_and_runs(program: Path, tmp_path: Path) -> None:
    assert call(program, *CORE, "tasks").endswith("\nsmooth       Averages each voxel with its neighbours.\n")
    described = json.loads(call(program, *CORE, "tasks", "--json"))["tasks"][-1]
    assert (described["name"], [one["name"] for one in described["params"]]) == ("smooth", ["width"])
    options = call(program, *CORE, "run", "smooth", "--help")
    assert "--width" in options and "--preset" not in options
    scan = write_phantom(tmp_path)["t1"]
    call(program, *CORE, "run", "smooth", "--image", str(scan), "--out", str(tmp_path / "out"), "--quiet")
    before, after = (nibabel.nifti1.load(path).get_fdata() for path in (scan, tmp_path / "out" / "result.nii.gz"))
    assert before.shape == after.shape and 0 < np.diff(after, axis=0).std() < np.diff(before, axis=0).std()


def test_names_of_tasks_are_unique() -> None:
    assert len({task.name for task in TASKS}) == len(TASKS) == len(MODULES)
