"""Proposals of a mask: computed from a visitor's scan, with a FLAIR on the same grid where the visitor has one."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.nifti import OWN_BYTES
from core.files.voxel_stream import open_source
from core.imaging.lesion_proposal import Basis
from core.imaging.translate.slots import recognise
from core.volume import corners, ras_affine
from webapp.intake.mask_proposal import propose_mask
from webapp.intake.scans import SAME_GRID_MM
from webapp.services import Services
from webapp.store.records import ScanRecord

FLAIR = "flair"
# a proposal takes a processor for seconds: one at a time
_TURN = Lock()


def proposed(services: Services, scan_id: str, session: str) -> tuple[bytes, Basis]:
    """Return a mask for a scan of ``session`` as a .nii.gz file on the scan's grid, and what it was made from.

    Raises UserError not_found, and every code of ``propose_mask``.
    """
    scan = services.repo.scan(scan_id, session)
    if scan.role != "volume":
        raise UserError("wrong_input", "A mask can only be proposed for a scan.", "Load a scan in step 1.")
    path = services.blobs.path(scan.blob)
    with _TURN:
        return propose_mask(path, _flair(services, scan, path, session))


def _flair(services: Services, scan: ScanRecord, path: Path, session: str) -> Path | None:
    """Return the visitor's newest FLAIR on the grid of ``scan``, which may be one itself; None without one."""
    if recognise(scan.filename) == FLAIR:
        return path
    own = _corners(path, scan)
    for other in services.repo.scans(session):
        alike = other.role == "volume" and other.shape == scan.shape and recognise(other.filename) == FLAIR
        if not alike:
            continue
        found = services.blobs.path(other.blob)
        if np.abs(_corners(found, other) - own).max() < SAME_GRID_MM:
            return found
    return None


def _corners(path: Path, scan: ScanRecord) -> NDArray[np.float64]:
    """Return where the corners of a stored scan lie, mm, by its header alone."""
    header = open_source(path, max_bytes=OWN_BYTES, free_bytes=OWN_BYTES).header
    return corners(ras_affine(header.affine, header.shape), scan.shape)
