"""Proposals of a mask: computed from a visitor's scan, with a FLAIR on the same grid where the visitor has one."""

from __future__ import annotations

from threading import Lock

import numpy as np

from core.errors import UserError
from core.files.nifti import read_own, write_stored
from core.imaging.lesion_proposal import Basis, propose
from core.imaging.translate.slots import recognise
from core.volume import Volume, corners
from webapp.intake.scans import SAME_GRID_MM, incoming
from webapp.services import Services
from webapp.store.records import ScanRecord

FLAIR = "flair"
# a proposal takes a processor for seconds: one at a time
_TURN = Lock()


def proposed(services: Services, scan_id: str, session: str) -> tuple[bytes, Basis]:
    """Return a mask for a scan of ``session`` as a .nii.gz file on the scan's grid, and what it was made from.

    Raises UserError not_found, and every code of ``propose``.
    """
    scan = services.repo.scan(scan_id, session)
    if scan.role != "volume":
        raise UserError("wrong_input", "A mask can only be proposed for a scan.", "Load a scan in step 1.")
    stored = read_own(services.blobs.path(scan.blob))
    volume = stored.to_volume()
    with _TURN:
        found = propose(volume, _flair(services, scan, volume, session))
    path = incoming(services)
    try:
        write_stored(path, stored.like(found.mask))
        return path.read_bytes(), found.basis
    finally:
        path.unlink(missing_ok=True)


def _flair(services: Services, scan: ScanRecord, volume: Volume, session: str) -> Volume | None:
    """Return the visitor's newest FLAIR on the grid of ``scan``, which may be one itself; None without one."""
    if recognise(scan.filename) == FLAIR:
        return volume
    for other in services.repo.scans(session):
        alike = other.role == "volume" and other.shape == scan.shape and recognise(other.filename) == FLAIR
        if not alike:
            continue
        flair = read_own(services.blobs.path(other.blob)).to_volume()
        apart = corners(flair.affine, flair.data.shape) - corners(volume.affine, volume.data.shape)
        if np.abs(apart).max() < SAME_GRID_MM:
            return flair
    return None
