"""Scans and masks are checked by the server where they are small, and by a process of its own where they are large."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from core.errors import UserError
from core.files.nifti import read_own
from tests.phantom import Phantom
from tests.source import ROOT
from tests.waiting import LONGEST
from webapp.intake import scan_check
from webapp.intake.scan_check import Checked, ScanWishes, check_drawn, check_scan

LIMIT = 512 << 20
# of the server, above what it has: less than a copy of the voxels as 32-bit floats
MOST_MB = 64
SIDE = 240


def wishes(**more: bool) -> ScanWishes:
    return ScanWishes(LIMIT, **{"synthetic": False, "deface": False, "offers": True, **more})


@pytest.mark.parametrize(
    "more", [{}, *(pytest.param(one, marks=pytest.mark.slow) for one in ({"synthetic": True}, {"deface": True}))]
)
def test_a_process_of_its_own_finds_and_writes_the_same(
    head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, bool]
) -> None:
    scan, mask = head.write(tmp_path)
    found: list[tuple[Checked, Checked, bytes, bytes]] = []
    for most in (scan_check.OWN_VOXELS, 0):
        monkeypatch.setattr(scan_check, "OWN_VOXELS", most)
        outs = [tmp_path / f"{name}{most}.nii.gz" for name in ("scan", "mask")]
        try:
            checked = check_scan(scan, outs[0], wishes(**more))
        except UserError as error:
            # a phantom need not have a brain that is found
            assert more == {"deface": True} and error.code == "brain_not_found"
            continue
        drawn = check_drawn(mask, outs[0], outs[1], LIMIT, ["Before."])
        found.append((checked, drawn, outs[0].read_bytes(), outs[1].read_bytes()))
    assert len(found) in (0, 2) and (found or more == {"deface": True})
    for one, other in zip(*found, strict=True) if found else ():
        assert one == other
    assert list(tmp_path.glob(".check-*")) == []
    for checked, drawn, _, _ in found:
        assert json.loads(json.dumps(dict(checked.facts))) == checked.facts
        assert drawn.warnings[0] == "Before." and drawn.facts["voxels"] == int(head.mask.sum())


def test_a_face_is_removed_by_a_process_of_its_own_however_small_the_scan(
    head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def ask(request: dict[str, Any], work: Path, module: str) -> dict[str, Any]:
        asked.append((request["wishes"]["deface"], module))
        return {"error": ["import_failed", "", ""]}

    monkeypatch.setattr(scan_check, "ask_child", ask)
    with pytest.raises(UserError):
        check_scan(head.write(tmp_path)[0], tmp_path / "out.nii.gz", wishes(deface=True))
    assert asked == [(True, scan_check.MODULE)]


def test_what_it_refuses_it_refuses_by_the_same_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_check, "OWN_VOXELS", 0)
    values = np.zeros((20, 20, 20), np.float32)
    cases = {"constant_image": values, "nan_voxels": np.where(values == 0, np.nan, values).astype(np.float32)}
    for code, content in cases.items():
        nib.save(nib.Nifti1Image(content, np.eye(4)), tmp_path / "a.nii.gz")
        with pytest.raises(UserError) as refused:
            check_scan(tmp_path / "a.nii.gz", tmp_path / "out.nii.gz", wishes())
        assert refused.value.code == code and not (tmp_path / "out.nii.gz").exists()


def test_it_is_held_to_its_memory_and_time(head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan, _ = head.write(tmp_path)
    monkeypatch.setattr(scan_check, "OWN_VOXELS", 0)
    monkeypatch.setattr(scan_check, "MEMORY_BYTES", 1 << 20)
    with pytest.raises(UserError) as refused:
        check_scan(scan, tmp_path / "out.nii.gz", wishes())
    assert refused.value.code in ("import_memory", "import_failed")
    monkeypatch.undo()
    monkeypatch.setattr(scan_check, "OWN_VOXELS", 0)
    monkeypatch.setattr(scan_check, "SECONDS", 0)
    with pytest.raises(UserError, match="import_timeout"):
        check_scan(scan, tmp_path / "out.nii.gz", wishes())


MEASURE = """
import sys
from pathlib import Path
from webapp.intake.scan_check import ScanWishes, check_drawn, check_scan

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024

scan, mask, small = map(Path, sys.argv[1:])
out = small.with_name("out.nii.gz")
wishes = ScanWishes(512 << 20, False, False, False)
check_scan(small, out, wishes)
before = peak()
check_scan(scan, out, wishes)
check_drawn(mask, out, small.with_name("drawn.nii.gz"), 512 << 20, [])
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.slow
def test_a_large_scan_takes_no_memory_of_the_server(head: Phantom, tmp_path: Path) -> None:
    """A plausible upload of 400 voxels a side raised the server by half a gigabyte."""
    small, _ = head.write(tmp_path)
    grid = np.indices((SIDE,) * 3, np.int16) - SIDE // 2
    far = np.sqrt((grid.astype(np.float32) ** 2).sum(axis=0))
    scan = np.where(far < 90, 700 + (grid[0] % 7) * 10, grid[1] % 3).astype(np.int16)
    for name, values in (("large.nii.gz", scan), ("marked.nii.gz", (far < 12).astype(np.uint8))):
        nib.save(nib.Nifti1Image(values, np.eye(4)), tmp_path / name)
    places = [str(tmp_path / name) for name in ("large.nii.gz", "marked.nii.gz")]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *places, str(small)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=LONGEST,
    )  # fmt: skip
    assert int(done.stdout) < MOST_MB
    assert read_own(tmp_path / "drawn.nii.gz").values.shape == (SIDE,) * 3
