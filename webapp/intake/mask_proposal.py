"""A mask is proposed by a process of its own, for the networks that find a brain take more memory than a server has.

Run as a program this module is that process.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from core.files.convert import SECONDS, accepted, ask_child
from core.files.decoder import main
from core.files.nifti import read_own, write_stored
from core.imaging.lesion_proposal import Basis, propose
from webapp.intake.scan_check import MEMORY_BYTES

MODULE = "webapp.intake.mask_proposal"


def propose_mask(t1: Path, flair: Path | None) -> tuple[bytes, Basis]:
    """Return a mask for the stored scan ``t1`` as a .nii.gz file on its grid, and what it was made from.

    flair: a stored scan on the same grid, or ``t1`` itself where that is one. UserError: every code of ``propose``,
    weights_missing, weights_damaged, import_memory, import_timeout, import_failed.
    """
    with tempfile.TemporaryDirectory(prefix=".proposal-") as folder:
        work = Path(folder)
        request = {
            "reader": "proposal", "paths": [str(path) for path in (t1, flair) if path is not None], "seconds": SECONDS,
            "memory": MEMORY_BYTES, "name": "mask.nii.gz",
        }  # fmt: skip
        basis: Basis = accepted(ask_child(request, work, MODULE))["basis"]
        return (work / "mask.nii.gz").read_bytes(), basis


def _propose(request: dict[str, Any], work: Path) -> dict[str, Any]:
    stored, *others = (read_own(Path(path)) for path in request["paths"])
    found = propose(stored.to_volume(), *(other.to_volume() for other in others))
    write_stored(work / request["name"], stored.like(found.mask))
    return {"basis": found.basis}


READERS = {"proposal": _propose}

if __name__ == "__main__":
    main(READERS)
