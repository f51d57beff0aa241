"""Scans on their way in: an upload is checked, written anew without its header's texts, and recorded."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core.errors import SeveralVolumes, UserError
from core.files.convert import Converted, convertible, each_to_nifti, to_nifti
from core.files.masks import MASK_FREE_BYTES
from core.files.nifti_header import MAX_VOXELS
from core.files.voxel_stream import MAX_BYTES, open_source
from core.result import BASELINE, RESULT
from core.volume import corners
from webapp.intake.scan_check import Checked, ScanWishes, check_drawn, check_scan
from webapp.services import Services
from webapp.store.blobs import Blob
from webapp.store.clock import now
from webapp.store.records import NewScan, ScanRecord
from webapp.store.repository import discard

Role = Literal["volume", "mask", "result"]

# writes an upload to a path, once it is found in order
Check = Callable[[Path], Checked]

NAME_LIMIT = 120
SUFFIX = ".nii.gz"
SAME_GRID_MM = 1e-3
CONVERTED_BYTES = 8 * MAX_VOXELS + (1 << 20)  # what any scan takes that may be converted
SYNTHETIC = "(synthetic)"
# facts of a DICOM series that are free texts
TYPED = ("series",)
# and the marks around them in notices
QUOTED = re.compile("“[^”]*”")
# what uploads are called where no names are kept, by role
NAMELESS = {"volume": "Scan", "mask": "Mask", "model": "Model"}


@dataclass(frozen=True, eq=False)
class _Incoming:
    """An upload as one NIfTI file, with the notices and facts of its conversion."""

    path: Path
    max_bytes: int
    notices: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    number: int = 1


@dataclass(frozen=True)
class Accepted:
    """A scan from an upload that may hold several; volumes: each in words; number: which of them it is, from 1."""

    scan: ScanRecord
    volumes: tuple[str, ...]
    number: int


@dataclass
class _Arrived:
    """Uploads on their way; keep: whether they stay, to be read again."""

    keep: bool = False


def accept(
    services: Services,
    path: str | Path | Sequence[str | Path],
    filename: str,
    session: str,
    role: Role = "volume",
    scan_id: str | None = None,
    *,
    same_grid: bool = False,
    synthetic: bool = False,
    deface: bool = False,
) -> ScanRecord:
    """Check the upload at ``path``, keep a clean copy, record it for ``session`` and delete ``path``.

    path: one file (NIfTI, NRRD, MHA, MGZ, a zip of one scan), or all files of one DICOM series.
    scan_id: the scan a mask belongs to, needed for role "mask". same_grid: refuse a mask on another grid than the
    scan's instead of resampling it. synthetic: the scan is made by a program, and marked so. deface:
    without the face of a whole head, which the settings may also demand or rule out. The copy has the file's own grid
    and type (a mask: uint8 on the scan's grid).
    Raises UserError: every code of the readers and of the conversion, not_found, disk_full.
    """
    uploads = [Path(path)] if isinstance(path, str | Path) else [Path(one) for one in path]
    with uploaded(services, uploads), _as_nifti(services, uploads) as came:
        if role == "mask":
            check = _mask(services, came, session, scan_id, same_grid)
        else:
            if scan_id is not None:
                services.repo.scan(scan_id, session)
            check = _scan(services, came, synthetic, deface)
        return _keep(services, check, shown_name(services, filename, role, synthetic), session, role, scan_id)


def accept_volume(
    services: Services,
    uploads: Sequence[Path],
    filename: str,
    session: str,
    number: int | None = None,
    *,
    deface: bool = False,
) -> Accepted:
    """Check and record a scan as ``accept`` does; of a DICOM folder with several volumes, volume ``number`` from 1.

    The uploads of such a folder stay, so that another volume can be chosen, until they are old. Raises UserError as
    ``accept``, SeveralVolumes where a number is needed.
    """
    with uploaded(services, uploads) as arrived:
        try:
            with _as_nifti(services, list(uploads), number) as came:
                arrived.keep = len(came.volumes) > 1
                check = _scan(services, came, synthetic=False, deface=deface)
                scan = _keep(services, check, shown_name(services, filename, "volume"), session, "volume", None)
                return Accepted(scan, came.volumes, came.number)
        except SeveralVolumes:
            arrived.keep = True
            raise


def accept_volumes(
    services: Services,
    uploads: Sequence[Path],
    filename: str,
    session: str,
    numbers: Sequence[int],
    *,
    deface: bool = False,
) -> list[ScanRecord]:
    """Check and record volumes of one DICOM folder, which is read once, as ``accept_volume`` does each of them."""
    outs = {number: incoming(services, ".nii") for number in numbers}
    with uploaded(services, uploads) as arrived:
        arrived.keep = True
        try:
            limit = services.settings.max_upload_mb << 20
            made = each_to_nifti(uploads, outs, max_bytes=limit, room=services.blobs.room())
            checks = [_scan(services, _converted(services, one), synthetic=False, deface=deface) for one in made]
            name = shown_name(services, filename, "volume")
            return [_keep(services, check, name, session, "volume", None) for check in checks]
        finally:
            for out in outs.values():
                out.unlink(missing_ok=True)


def accept_result(services: Services, session: str, artifact_id: str, filename: str) -> ScanRecord:
    """Record a result of a finished job as a new scan of ``session``, marked as synthetic, and return it.

    filename: what to call it, as the scan it was made from. Raises UserError: not_found, wrong_input for a file that
    is no scan (a map of uncertainty, a report), every code of the reader.
    """
    found, _ = services.repo.artifact(artifact_id, session)
    source = services.blobs.path(found.blob)
    if not found.blob.endswith(SUFFIX) or found.kind not in (RESULT, BASELINE):
        raise UserError("wrong_input", "This file of the run is not a scan.", "Send on its result or a baseline.")
    try:
        copy = Path(shutil.copyfile(source, incoming(services)))
    except FileNotFoundError as error:
        raise UserError("input_gone", "The result is no longer on the disk.", "Run the job again.") from error
    return accept(services, copy, filename, session, synthetic=True)


@contextmanager
def uploaded(services: Services, uploads: Sequence[Path]) -> Iterator[_Arrived]:
    """Refuse uploads that are gone or for which there is no room; delete them in the end, unless they are to be kept.

    Raises UserError: upload_gone, disk_full.
    """
    arrived = _Arrived()
    try:
        services.blobs.require_room()
        if not uploads or not all(upload.is_file() for upload in uploads):
            raise UserError("upload_gone", "The uploaded file is no longer on the server.", "Upload it again.")
        yield arrived
    finally:
        for upload in () if arrived.keep else uploads:
            upload.unlink(missing_ok=True)


@contextmanager
def kept(services: Services, write: Callable[[Path], None], suffix: str) -> Iterator[Blob]:
    """Store what ``write`` puts into the path it is given; nothing stays of it when it cannot be recorded."""
    blob = services.blobs.put(write, suffix)
    try:
        yield blob
    except BaseException:
        discard(services.repo, services.blobs, blob.name)
        raise


def clean_name(filename: str) -> str:
    """Return a file name for display: its last part without control characters, 120 characters at most."""
    last = re.split(r"[/\\]", filename)[-1]
    kept = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C")
    return kept.strip()[:NAME_LIMIT] or "unnamed"


def incoming(services: Services, suffix: str = SUFFIX) -> Path:
    """Return a fresh path for a file on its way to ``accept``."""
    folder = services.settings.data / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{services.blobs.fresh_name()}{suffix}"


@contextmanager
def _as_nifti(services: Services, uploads: list[Path], number: int | None = None) -> Iterator[_Incoming]:
    """Give the upload as one NIfTI file; a converted one is removed afterwards. number: see ``to_nifti``."""
    limit = services.settings.max_upload_mb << 20
    if not convertible(uploads):
        yield _Incoming(uploads[0], limit)
        return
    out = incoming(services, ".nii")
    try:
        made = to_nifti(uploads, out, number=number, max_bytes=limit, room=services.blobs.room())
        yield _converted(services, made)
    finally:
        out.unlink(missing_ok=True)


def _converted(services: Services, made: Converted) -> _Incoming:
    # what somebody typed at a scanner, as a name of a file, is not kept on a demo
    demo = services.settings.public_demo
    facts = {name: value for name, value in made.facts.items() if not (demo and name in TYPED)}
    notices = tuple(QUOTED.sub("one series", note.text) if demo else note.text for note in made.notes)
    return _Incoming(made.path, CONVERTED_BYTES, notices, facts, made.volumes, made.number)


def shown_name(services: Services, filename: str, role: str, synthetic: bool = False) -> str:
    """Return the name for display; that of a synthetic scan ends with SYNTHETIC.

    A public demo keeps no name of a visitor's file: the time tells uploads apart.
    """
    if services.settings.public_demo and not synthetic:
        return f"{NAMELESS.get(role, 'Data')} of {now():%H:%M:%S} UTC"
    name = clean_name(filename)
    if not synthetic or name.endswith(SYNTHETIC):
        return name
    return f"{name[: NAME_LIMIT - len(SYNTHETIC) - 1]} {SYNTHETIC}"


def _removes_face(services: Services, wanted: bool) -> bool:
    return services.settings.deface == "always" or (wanted and services.settings.deface == "offer")


def _scan(services: Services, came: _Incoming, synthetic: bool, deface: bool) -> Check:
    offers = services.settings.deface == "offer"
    wishes = ScanWishes(came.max_bytes, synthetic, _removes_face(services, deface), offers)

    def check(out: Path) -> Checked:
        found = check_scan(came.path, out, wishes)
        return replace(found, facts={**found.facts, **came.facts}, warnings=(*came.notices, *found.warnings))

    return check


def _mask(services: Services, came: _Incoming, session: str, scan_id: str | None, same_grid: bool) -> Check:
    if scan_id is None:
        raise UserError("input_missing", "A mask needs a scan.", "Load the scan first.")
    scan = services.blobs.path(services.repo.scan(scan_id, session).blob)
    if same_grid:
        _require_grid(came.path, scan)
    return lambda out: check_drawn(came.path, scan, out, came.max_bytes, came.notices)


def _require_grid(path: Path, scan: Path) -> None:
    drawn, own = (open_source(one, max_bytes=MAX_BYTES, free_bytes=MASK_FREE_BYTES).header for one in (path, scan))
    if (
        drawn.shape != own.shape
        or np.abs(corners(drawn.affine, own.shape) - corners(own.affine, own.shape)).max() > SAME_GRID_MM
    ):
        raise UserError(
            "mask_grid", "The drawn mask is not on the scan's grid.", "Reload the page and draw the mask again."
        )


def _keep(services: Services, check: Check, filename: str, session: str, role: Role, parent: str | None) -> ScanRecord:
    checked: list[Checked] = []
    with kept(services, lambda path: checked.append(check(path)), SUFFIX) as blob:
        (found,) = checked
        return services.repo.add_scan(
            NewScan(
                session=session,
                role=role,
                filename=filename,
                blob=blob.name,
                sha256=blob.sha256,
                bytes=blob.bytes,
                shape=found.shape,
                spacing=found.spacing,
                orientation=found.orientation,
                facts=dict(found.facts),
                warnings=found.warnings,
                parent=parent,
            )
        )
