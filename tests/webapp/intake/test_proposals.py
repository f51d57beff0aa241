from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from core.errors import UserError
from tests.core.imaging.test_lesion_proposal import AFFINE, ball, head
from webapp.intake.proposals import proposed
from webapp.intake.scans import accept
from webapp.services import Services
from webapp.store.records import ScanRecord


def upload(
    services: Services, folder: Path, name: str, data: np.typing.NDArray[np.float32], session: str
) -> ScanRecord:
    path = folder / f"{session}-{name}"
    # stored from right to left
    nib.save(nib.Nifti1Image(data[::-1], AFFINE @ np.diag([-1, 1, 1, 1])), path)
    return accept(services, path, name, session)


def test_a_proposal_lies_on_the_scan_s_grid_and_takes_the_visitor_s_own_flair(
    services: Services, tmp_path: Path
) -> None:
    lesion = ball((30, 10, 10), 16)
    t1, flair = head(800), head(300)
    t1[lesion] *= 0.8
    flair[lesion] *= 1.6
    scan = upload(services, tmp_path, "sub_t1.nii.gz", t1, "a")
    upload(services, tmp_path, "sub_flair.nii.gz", flair, "b")
    assert proposed(services, scan.id, "a")[1] == "t1"
    upload(services, tmp_path, "sub_flair.nii.gz", flair, "a")
    data, basis = proposed(services, scan.id, "a")
    assert basis == "flair"
    stored = nib.Nifti1Image.from_bytes(gzip.decompress(data))
    assert stored.get_data_dtype() == np.uint8
    np.testing.assert_allclose(stored.affine, nib.load(services.blobs.path(scan.blob)).affine)
    mask = np.asarray(nib.as_closest_canonical(stored).dataobj) > 0
    assert 2 * (mask & lesion).sum() / (mask.sum() + lesion.sum()) > 0.8


def test_nobody_else_s_scan_and_no_mask_is_proposed_for(services: Services, tmp_path: Path) -> None:
    scan = upload(services, tmp_path, "t1.nii.gz", head(800), "a")
    with pytest.raises(UserError) as refused:
        proposed(services, scan.id, "b")
    assert refused.value.code == "not_found"
