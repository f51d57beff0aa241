"""Models of the failure lab on their way in: kept as they are, told apart by their content, and never opened here."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from core.errors import UserError
from core.failure.data.source_files import identified
from core.failure.models.given_formats import model_format
from webapp.intake.scans import kept, shown_name, uploaded
from webapp.services import Services
from webapp.store.records import NewScan, ScanRecord

ROLE, SUFFIX = "model", ".model"
MB = 1 << 20


def accept_model(services: Services, uploads: Sequence[Path], session: str) -> ScanRecord:
    """Keep the one file of a model, record it for ``session`` and delete ``uploads``.

    Nothing of it is run or unpickled: a confined process of the job does that. UserError: every code of
    ``core.failure.models.given_formats.model_format``, upload_gone, disk_full.
    """
    with uploaded(services, uploads):
        if len(uploads) != 1:
            raise UserError("model_unknown", "A model is one file.", "Give the file alone.")
        kind, name = model_format(uploads[0]), shown_name(services, uploads[0].name, ROLE)
        file = identified(name, uploads[0])
        with kept(services, lambda path: _copy(uploads[0], path), SUFFIX) as blob:
            return services.repo.add_scan(
                NewScan(
                    session=session,
                    role=ROLE,
                    filename=name,
                    blob=blob.name,
                    sha256=blob.sha256,
                    bytes=blob.bytes,
                    shape=(),
                    spacing=(),
                    orientation="",
                    facts={"Holds": f"A model, {kind}", "Size": f"{file.bytes / MB:.1f} MB", "files": [asdict(file)]},
                    warnings=(),
                )
            )


def _copy(source: Path, path: Path) -> None:
    shutil.copyfile(source, path)
