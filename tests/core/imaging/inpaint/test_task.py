from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.events import Finished
from core.files.nifti import read_stored
from core.job import run
from core.result import BASELINE, RESULT
from core.tasks import find
from tests.contract.phantom import write_phantom, write_tiny_networks


@pytest.fixture(params=[method.name for method in find("inpaint").methods])
def finished(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Finished:
    folder = tmp_path / "weights"
    folder.mkdir()
    write_tiny_networks(folder, find("inpaint").weights)
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", str(folder))
    settings = {"method": request.param, "samples": 2, "steps": 2}
    return run("inpaint", write_phantom(tmp_path), tmp_path / "out", device="cpu", **settings)


def test_outside_the_mask_every_stored_voxel_is_kept(finished: Finished, tmp_path: Path) -> None:
    scan, mask = (read_stored(tmp_path / f"{name}.nii.gz") for name in ("t1", "mask"))
    outside = mask.values == 0
    for artifact in finished.result.artifacts:
        if not artifact.is_volume:
            continue
        if artifact.kind not in (RESULT, BASELINE):
            assert not _raw(artifact.path)[outside].any(), artifact.name
            continue
        made = read_stored(Path(artifact.path))
        assert made.values.dtype == scan.values.dtype
        assert (made.slope, made.intercept) == (scan.slope, scan.intercept)
        np.testing.assert_array_equal(made.affine, scan.affine)
        np.testing.assert_array_equal(made.values[outside], scan.values[outside])
        assert (made.values[~outside] != scan.values[~outside]).any()


def test_the_difference_is_what_was_changed(finished: Finished, tmp_path: Path) -> None:
    scan, mask = (read_stored(tmp_path / f"{name}.nii.gz") for name in ("t1", "mask"))
    inside = mask.values != 0
    result = read_stored(Path(finished.files["result"]))
    change = (result.values[inside] - scan.values[inside].astype(float)) * scan.slope
    np.testing.assert_allclose(_raw(finished.files["difference"])[inside], change, atol=1e-2)


def _raw(path: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    import nibabel

    return np.asarray(nibabel.nifti1.load(path).dataobj, np.float32)
