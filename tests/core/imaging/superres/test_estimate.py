from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core import device
from core.errors import UserError
from core.files.nifti import Stored, write_stored
from core.imaging.superres.run import TORCH_BYTES, TYPICAL
from core.tasks import find
from tests.contract.phantom import write_thick

TASK = find("superres")
GIB = 1 << 30


def scan(path: Path, shape: tuple[int, int, int], *size: float) -> dict[str, Path]:
    write_stored(path, Stored(np.zeros(shape, np.int16), np.diag([*size, 1.0])))
    return {"image": path}


def test_more_samples_finer_voxels_and_comparisons_cost_more(tmp_path: Path) -> None:
    inputs = write_thick(tmp_path)

    def cost(**params: object) -> tuple[float, int]:
        found = TASK.estimate(inputs, TASK.parse(params), "cpu")
        return found.seconds, found.memory

    one = cost(samples=1, spacing=[0.5, 0.5, 0.5], compare=False)
    assert cost(samples=8, spacing=[0.5, 0.5, 0.5], compare=False)[0] > one[0]
    assert cost(samples=1, spacing=[0.3, 0.3, 0.3], compare=False)[1] > one[1]
    assert cost(samples=1, spacing=[0.5, 0.5, 0.5])[0] >= one[0]
    assert TASK.estimate(inputs, TASK.parse({"method": "cubic"}), "cpu").calls == 0


def test_without_a_file_or_with_a_bad_one_a_typical_scan_is_estimated(tmp_path: Path) -> None:
    bad = tmp_path / "bad.nii"
    bad.write_bytes(b"no scan")
    params = TASK.parse({})
    typical = TASK.estimate({}, params, "cpu")
    assert typical == TASK.estimate({"image": bad}, params, "cpu")
    assert TYPICAL == 160 * 192 * 160
    fast = TASK.estimate({}, TASK.parse(next(p.params for p in TASK.presets if p.name == "fast")), "cpu")
    assert fast.seconds < 120
    assert fast.memory < 4 * GIB


def test_the_largest_result_is_told_before_it_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = scan(tmp_path / "a.nii.gz", (512, 512, 100), 0.45, 0.45, 2.0)
    found = TASK.estimate(inputs, TASK.parse({"spacing": [0.45, 0.45, 0.5]}), "cpu")
    assert 5 * GIB < found.memory < 16 * GIB
    monkeypatch.setattr(device, "free_memory", lambda: 4 * GIB)
    with pytest.raises(UserError) as caught:
        device.require_memory(found.memory)
    assert caught.value.code == "not_enough_memory"


def test_an_estimate_loads_no_network_library() -> None:
    script = (
        "import sys; from core.imaging.superres.task import TASK\n"
        "TASK.estimate({}, TASK.parse({}), 'cpu'); TASK.method('cubic').load(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_plain_methods_need_no_memory_for_networks() -> None:
    ours, plain = (TASK.estimate({}, TASK.parse({"method": name}), "cpu").memory for name in ("volume", "cubic"))
    assert ours - plain > TORCH_BYTES
