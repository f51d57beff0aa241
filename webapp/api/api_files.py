"""Files of programs: uploaded to be checked as the page's are, listed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from anyio import CancelScope, to_thread
from fastapi import APIRouter, Query, Request, Response

from core.errors import UserError
from webapp.api.api_models import FileView, Kind, file_view
from webapp.door.uploads import Uploads, received
from webapp.door.visitor import session_of
from webapp.intake import scans as intake
from webapp.intake.model_files import accept_model
from webapp.intake.spectra_files import accept_tissue
from webapp.services import Services

# what the body of an upload is, which FastAPI does not read
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "One file, or all files of one DICOM series or data set.",
                        }
                    },
                }
            }
        },
    }
}
Of = Annotated[str | None, Query(max_length=64, description="Of a mask its scan, of labels their data: a file's id.")]
Number = Annotated[int | None, Query(ge=1, le=10_000, description="Which volume of a DICOM folder, from 1.")]
Face = Annotated[bool, Query(description="Remove the face from the scan of a whole head before it is kept.")]


def add_files(routes: APIRouter, services: Services, uploads: Uploads) -> None:
    """Add the addresses under ``/files``."""
    repo = services.repo

    @routes.post("/files", status_code=201, openapi_extra=FORM)
    async def upload_file(
        request: Request, kind: Kind = "volume", belongs_to: Of = None, volume: Number = None, deface: Face = False
    ) -> FileView:
        """Upload a file, or the files of one series; it is checked, kept without the texts of its header, and named."""
        session = session_of(request)
        await to_thread.run_sync(services.blobs.require_room)
        folder, paths = await received(request, uploads, services.settings.max_upload_mb << 20)

        def taken() -> FileView:
            return take(services, session, paths, kind, belongs_to, volume, deface=deface)

        try:
            return await to_thread.run_sync(taken)
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(uploads.give_up, folder)

    @routes.get("/files")
    def list_files(request: Request) -> list[FileView]:
        """The newest 50 files of this visitor, the newest first."""
        return [file_view(one) for one in repo.scans(session_of(request))]

    @routes.get("/files/{file_id}")
    def read_file(file_id: str, request: Request) -> FileView:
        """A file of this visitor."""
        return file_view(repo.scan(file_id, session_of(request)))

    @routes.delete("/files/{file_id}", status_code=204)
    def delete_file(file_id: str, request: Request) -> Response:
        """Delete a file for good, with what belongs to it and the jobs on it; 409 while one of them is not over."""
        services.erasure.delete_scan(file_id, session_of(request))
        return Response(status_code=204)


def take(
    services: Services,
    session: str,
    paths: Sequence[Path],
    kind: Kind,
    belongs_to: str | None = None,
    number: int | None = None,
    *,
    deface: bool = False,
) -> FileView:
    """Check and record uploaded files as those of the page; UserError: every code of the intake."""
    if belongs_to is not None and kind not in ("mask", "tissue", "pictures"):
        raise UserError("bad_request", f"A {kind} belongs to no other file.", "Leave belongs_to out.")
    title = paths[0].name if len(paths) == 1 else f"{paths[0].name} and {len(paths) - 1} more"
    if kind == "mask":
        return file_view(intake.accept(services, paths, title, session, "mask", belongs_to))
    if kind == "model":
        return file_view(accept_model(services, paths, session))
    if kind != "volume":
        return file_view(accept_tissue(services, paths, session, belongs_to, pictures=kind == "pictures"))
    taken = intake.accept_volume(services, paths, title, session, number, deface=deface)
    return file_view(taken.scan, taken.volumes, taken.number)
