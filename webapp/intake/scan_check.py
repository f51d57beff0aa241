"""A scan or a mask on its way in: read within bounds, checked, and written anew; a large one by a process of its own.

What is read takes several times the bytes of its voxels, which a server with other visitors must not hold. Run as a
program this module is that process.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.anatomy.face import without_face
from core.anatomy.head import find_head, with_void
from core.files.convert import SECONDS, accepted, ask_child
from core.files.decoder import main
from core.files.masks import check_mask, read_mask
from core.files.nifti import Stored, read_own, read_stored, write_stored
from core.files.nifti_header import MAX_VOXELS
from core.files.voxel_stream import open_source
from core.imaging.outcome import DESCRIPTION
from core.volume import spacing
from webapp.intake.description import orientation_name, scan_facts, scan_warnings

MODULE = "webapp.intake.scan_check"
# of a scan that the server itself reads, but to remove its face: 160 x 160 x 160
OWN_VOXELS = 160**3
# of addresses of the process that reads the others: the largest scan that is taken has 512 x 512 x 512 voxels
MEMORY_BYTES = 12 << 30
FACE_SHOWN = "A scan of a whole head shows a face, by which a person may be known."
FACE_OFFER = " Tick Remove the face, then load it again, to take it out."
FACE_REMOVED = "The face was removed: {:.0f} ml before and below the front of the brain are empty."


@dataclass(frozen=True)
class Checked:
    """What was written: shape and spacing (mm) in RAS order, where the file's axes point, facts, and warnings."""

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    orientation: str
    facts: Mapping[str, Any]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ScanWishes:
    """How a scan is taken: as large as this, marked as synthetic, without its face; offers: that may be asked for."""

    max_bytes: int
    synthetic: bool
    deface: bool
    offers: bool


def check_scan(path: Path, out: Path, wishes: ScanWishes) -> Checked:
    """Write the scan at ``path`` to ``out`` (.nii.gz) without its header's texts, and return what it is.

    UserError: every code of ``read_stored`` and ``without_face``, import_memory, import_timeout, import_failed.
    """
    # the networks that find the brain behind a face take more memory than a server has
    if not wishes.deface and _voxels(path, wishes.max_bytes) <= OWN_VOXELS:
        return _scan(path, out, wishes)
    return _asked("scan", [path], out, asdict(wishes))


def check_drawn(path: Path, scan: Path, out: Path, max_bytes: int, notices: Sequence[str]) -> Checked:
    """Write the mask at ``path`` to ``out``, uint8 on the grid of ``scan``, a stored one; notices: those so far.

    UserError: every code of ``read_mask`` and ``check_mask``, and those of ``check_scan``.
    """
    if max(_voxels(one, max_bytes) for one in (path, scan)) <= OWN_VOXELS:
        return _mask(path, scan, out, max_bytes, notices)
    return _asked("mask", [path, scan], out, {"max_bytes": max_bytes, "notices": list(notices)})


def _voxels(path: Path, max_bytes: int) -> int:
    """Return how many voxels a file states; its header is checked."""
    source = open_source(path, max_bytes=max_bytes, free_bytes=8 * MAX_VOXELS)
    return math.prod(source.header.shape)


def _scan(path: Path, out: Path, wishes: ScanWishes) -> Checked:
    stored = read_stored(path, max_bytes=wishes.max_bytes)
    volume = stored.to_volume()
    head = find_head(volume)
    more: dict[str, Any] = {"synthetic": True} if wishes.synthetic else {}
    if head.kind == "head" and not wishes.synthetic:
        more["face"] = FACE_SHOWN + (FACE_OFFER if wishes.offers else "")
        if wishes.deface:
            stored, emptied = without_face(stored, volume, head)
            volume = stored.to_volume()
            head = find_head(volume)
            more["face"] = FACE_REMOVED.format(emptied)
    write_stored(out, stored, DESCRIPTION if wishes.synthetic else "")
    placed = tuple(note.text for note in stored.notes)
    return _checked(stored, {**scan_facts(stored, volume, head), **more}, (*placed, *scan_warnings(volume, head)))


def _mask(path: Path, scan: Path, out: Path, max_bytes: int, notices: Sequence[str]) -> Checked:
    stored = read_own(scan)
    found = read_mask(path, stored, max_bytes=max_bytes)
    volume = stored.to_volume()
    head = with_void(find_head(volume), volume, found.data)
    mask = check_mask(found.data, stored, head.mask, (*notices, *found.notices))
    facts = {"voxels": int(mask.data.sum()), "volume_ml": round(mask.volume_ml, 3), "notices": list(mask.notices)}
    drawn = stored.like(mask.data)
    write_stored(out, drawn)
    return _checked(drawn, facts, mask.notices)


def _checked(stored: Stored, facts: Mapping[str, Any], warnings: tuple[str, ...]) -> Checked:
    sides = tuple(round(float(side), 4) for side in spacing(stored.ras_affine))
    return Checked(stored.ras_shape, sides, orientation_name(stored.orientation), facts, warnings)


def _asked(reader: str, paths: Sequence[Path], out: Path, wishes: Mapping[str, Any]) -> Checked:
    """Have a process of its own do it."""
    with tempfile.TemporaryDirectory(prefix=".check-") as folder:
        work = Path(folder)
        request = {
            "reader": reader, "paths": [str(path) for path in paths], "name": "scan.nii.gz", "seconds": SECONDS,
            "memory": MEMORY_BYTES, "wishes": dict(wishes),
        }  # fmt: skip
        found = accepted(ask_child(request, work, MODULE))["checked"]
        shutil.move(work / "scan.nii.gz", out)
        shape, sides = tuple(found["shape"]), tuple(found["spacing"])
        return Checked(shape, sides, found["orientation"], found["facts"], tuple(found["warnings"]))


def _read_scan(request: dict[str, Any], work: Path) -> dict[str, Any]:
    (path,) = map(Path, request["paths"])
    return {"checked": asdict(_scan(path, work / request["name"], ScanWishes(**request["wishes"])))}


def _read_mask(request: dict[str, Any], work: Path) -> dict[str, Any]:
    path, scan = map(Path, request["paths"])
    return {"checked": asdict(_mask(path, scan, work / request["name"], **request["wishes"]))}


READERS = {"scan": _read_scan, "mask": _read_mask}

if __name__ == "__main__":
    main(READERS)
