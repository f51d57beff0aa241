from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.imaging.translate.task import TASK
from tests.core.brains import brain, grid, write


def cost(inputs: dict[str, Path], **params: object) -> tuple[float, int, int]:
    found = TASK.estimate(inputs, TASK.parse(params), "cpu")
    return found.seconds, found.memory, found.calls


@pytest.fixture
def scans(tmp_path: Path) -> dict[str, Path]:
    return {name: write(tmp_path, name, brain(name)) for name in ("t1", "t2")}


def test_calls_are_steps_times_samples_of_a_network_and_none_without_one(scans: dict[str, Path]) -> None:
    assert cost(scans, steps=3, samples=4)[2] == 12
    assert cost(scans, method="regression", steps=3, samples=4)[2] == 0


def test_more_work_costs_more(scans: dict[str, Path]) -> None:
    alone = cost({"t1": scans["t1"]}, samples=1)
    both = cost(scans, samples=1)
    assert both[0] > alone[0]
    assert both[1] > alone[1]
    assert cost(scans, samples=8)[0] > cost(scans, samples=1)[0]
    assert cost(scans, samples=1, compare=False)[0] < both[0]


def test_finer_voxels_cost_memory_but_no_more_of_the_network(tmp_path: Path) -> None:
    # both are larger than a brain: the network works on the brain at 1 mm
    coarse, fine = grid(2.0, (120, 120, 120)), grid(1.6, (150, 150, 150))
    one = {"t1": write(tmp_path, "coarse", brain("t1", *coarse))}
    other = {"t1": write(tmp_path, "fine", brain("t1", *fine))}
    assert cost(other)[1] > cost(one)[1]
    assert cost(other)[0] - cost(one)[0] < 3


def test_without_files_or_with_bad_ones_a_typical_job_is_meant(tmp_path: Path) -> None:
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(b"no scan")
    assert cost({}) == cost({"t1": bad})
    assert cost({})[1] < 4 << 30


def test_an_estimate_loads_no_network_library() -> None:
    script = (
        "import sys; from core.imaging.translate.task import TASK\n"
        "TASK.estimate({}, TASK.parse({}), 'cpu'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
