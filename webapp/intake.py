"""The way in: an uploaded file is checked, written anew without its header's texts, and recorded."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core.errors import UserError
from core.files.mask import MASK_FREE_BYTES, check_mask, read_mask
from core.files.nifti import Stored, read_stored, write_stored
from core.files.stream import open_source
from core.head import find_head, with_void
from core.volume import corners, spacing
from webapp.facts import orientation_name, scan_facts, scan_warnings
from webapp.services import Services
from webapp.store.records import NewScan, ScanRecord

Role = Literal["volume", "mask", "result"]

EXAMPLES = Path(__file__).resolve().parent.parent / "assets" / "examples"
NAME_LIMIT = 120
SAME_GRID_MM = 1e-3


@dataclass(frozen=True)
class Example:
    """A shipped subject: a scan and a mask on its grid."""

    name: str
    title: str
    t1: Path
    mask: Path


@dataclass(frozen=True, eq=False)
class _Checked:
    """What is to be kept of an upload."""

    stored: Stored
    facts: dict[str, Any]
    warnings: tuple[str, ...]
    parent: str | None


def accept(
    services: Services,
    path: str | Path,
    filename: str,
    session: str,
    role: Role = "volume",
    scan_id: str | None = None,
    *,
    same_grid: bool = False,
) -> ScanRecord:
    """Check the file at ``path``, keep a clean copy, record it for ``session`` and delete ``path``.

    scan_id: the scan a mask belongs to, needed for role "mask". same_grid: refuse a mask on another grid than the
    scan's instead of resampling it. The copy has the file's own grid and type (a mask: uint8 on the scan's grid).
    Raises UserError: every code of the readers, not_found, disk_full.
    """
    upload = Path(path)
    try:
        services.blobs.require_room()
        if not upload.is_file():
            raise UserError("upload_gone", "The uploaded file is no longer on the server.", "Upload it again.")
        if role == "mask":
            checked = _mask(services, upload, session, scan_id, same_grid)
        else:
            checked = _scan(services, upload, session, scan_id)
        return _keep(services, checked, clean_name(filename), session, role)
    finally:
        upload.unlink(missing_ok=True)


def examples(folder: Path = EXAMPLES) -> tuple[Example, ...]:
    """Return the shipped examples, none when there is no index."""
    index = folder / "index.json"
    if not index.is_file():
        return ()
    entries = json.loads(index.read_bytes())
    return tuple(Example(e["name"], e["title"], folder / e["t1"], folder / e["mask"]) for e in entries)


def accept_example(
    services: Services, session: str, name: str, folder: Path = EXAMPLES
) -> tuple[ScanRecord, ScanRecord]:
    """Record copies of a shipped example for ``session`` and return the scan and its mask."""
    example = next((known for known in examples(folder) if known.name == name), None)
    if example is None:
        raise UserError("not_found", "There is no such example.", "Choose one of the examples on the page.")
    scan = accept(services, _copy(services, example.t1), f"{example.title} (synthetic)", session)
    mask = accept(services, _copy(services, example.mask), f"{example.title}: mask", session, "mask", scan.id)
    return scan, mask


def clean_name(filename: str) -> str:
    """Return a file name for display: its last part without control characters, 120 characters at most."""
    last = re.split(r"[/\\]", filename)[-1]
    kept = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C")
    return kept.strip()[:NAME_LIMIT] or "unnamed"


def incoming(services: Services, suffix: str = ".nii.gz") -> Path:
    """Return a fresh path for a file on its way to ``accept``."""
    folder = services.settings.data / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{services.blobs.fresh_name()}{suffix}"


def _copy(services: Services, source: Path) -> Path:
    return Path(shutil.copyfile(source, incoming(services)))


def _scan(services: Services, upload: Path, session: str, parent: str | None) -> _Checked:
    if parent is not None:
        services.repo.scan(parent, session)
    stored = read_stored(upload, max_bytes=_limit(services))
    volume = stored.to_volume()
    head = find_head(volume)
    return _Checked(stored, scan_facts(stored, volume, head), scan_warnings(volume, head), parent)


def _mask(services: Services, upload: Path, session: str, scan_id: str | None, same_grid: bool) -> _Checked:
    if scan_id is None:
        raise UserError("input_missing", "A mask needs a scan.", "Load the scan first.")
    scan = read_stored(services.blobs.path(services.repo.scan(scan_id, session).blob))
    if same_grid:
        _require_grid(upload, scan, _limit(services))
    found = read_mask(upload, scan, max_bytes=_limit(services))
    volume = scan.to_volume()
    head = with_void(find_head(volume), volume, found.data)
    mask = check_mask(found.data, scan, head.mask, found.notices)
    facts = {"voxels": int(mask.data.sum()), "volume_ml": round(mask.volume_ml, 3), "notices": list(mask.notices)}
    return _Checked(scan.like(mask.data), facts, mask.notices, scan_id)


def _require_grid(upload: Path, scan: Stored, max_bytes: int) -> None:
    header = open_source(upload, max_bytes=max_bytes, free_bytes=MASK_FREE_BYTES).header
    shape = scan.values.shape
    if (
        header.shape != shape
        or np.abs(corners(header.affine, shape) - corners(scan.affine, shape)).max() > SAME_GRID_MM
    ):
        raise UserError(
            "mask_grid", "The drawn mask is not on the scan's grid.", "Reload the page and draw the mask again."
        )


def _keep(services: Services, checked: _Checked, filename: str, session: str, role: Role) -> ScanRecord:
    stored = checked.stored
    blob = services.blobs.put(lambda path: write_stored(path, stored))
    new = NewScan(
        session=session,
        role=role,
        filename=filename,
        blob=blob.name,
        sha256=blob.sha256,
        bytes=blob.bytes,
        shape=stored.ras_shape,
        spacing=tuple(round(side, 4) for side in spacing(stored.ras_affine)),
        orientation=orientation_name(stored.orientation),
        facts=checked.facts,
        warnings=checked.warnings,
        parent=checked.parent,
    )
    recorded = None
    try:
        recorded = services.repo.add_scan(new)
        return recorded
    finally:
        if recorded is None:
            services.blobs.delete(blob.name)


def _limit(services: Services) -> int:
    return services.settings.max_upload_mb << 20
