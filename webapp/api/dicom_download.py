"""A result as a DICOM series to download: without a patient, because none is kept here."""

from __future__ import annotations

import tempfile
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path

from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from core.errors import UserError
from core.files.nifti import read_own
from core.files.scan_origin import Origin
from core.result import BASELINE, RESULT
from webapp.door.headers import PRIVATE
from webapp.services import Services
from webapp.store.records import ArtifactRecord, JobRecord, ScanRecord

# of the facts of a scan, what only a DICOM series has
OF_DICOM = "slice_distance_mm"
# a series takes a processor for seconds: one at a time
_TURN = threading.Lock()


def came_as_dicom(scans: Mapping[str, ScanRecord]) -> bool:
    """Return whether any of these scans was a DICOM series."""
    return any(OF_DICOM in scan.facts for scan in scans.values())


def dicom_answer(services: Services, job: JobRecord, artifact: ArtifactRecord) -> FileResponse:
    """Return a zip with a result of a job as a DICOM series of a patient "SYNTHETIC", with identifiers of its own.

    UserError no_result_volume for a file that is no result, not_found, dicom_grid, disk_full.
    """
    if artifact.kind not in (RESULT, BASELINE) or not artifact.blob.endswith(".nii.gz"):
        raise UserError("no_result_volume", "This file of the run is not a scan.", "Choose its result.")
    services.blobs.require_room()
    chosen = job.result.table[0].title if job.result.table else ""
    method = artifact.title if artifact.method else chosen
    made = _zipped(services, services.blobs.path(artifact.blob), job.task, method)
    name = f"counterscan-{job.task}-{artifact.name}-{job.id[:8]}-dicom.zip"
    gone = BackgroundTask(made.unlink, missing_ok=True)
    return FileResponse(made, media_type="application/zip", filename=name, headers=PRIVATE, background=gone)


def _zipped(services: Services, source: Path, task: str, method: str) -> Path:
    """Write the series of a volume as a zip into the folder of files on their way, and return its path."""
    # pydicom is loaded where it is needed
    from core.files.dicom_writer import derivation, write_series

    if not source.is_file():
        raise UserError("not_found", "This file is no longer on the server.", "Run the job again.")
    place = services.settings.data / "incoming"
    place.mkdir(parents=True, exist_ok=True)
    made = place / f"{services.blobs.fresh_name()}.zip"
    try:
        with _TURN, tempfile.TemporaryDirectory(prefix=".dicom-", dir=place) as folder:
            what = derivation(task, method)
            files = write_series(Path(folder) / "series", read_own(source), Origin(), f"Counterscan {task}", what)
            with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for file in files:
                    archive.write(file, file.name)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    return made
