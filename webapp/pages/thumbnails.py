"""One slice of a run's result as a small picture, for the list of runs."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from fastapi import APIRouter, Request, Response
from PIL import Image, WebPImagePlugin

from core import tasks
from core.files.nifti import read_own
from core.imaging import picture
from core.report.framing import framing_of, window_of
from core.result import RESULT
from webapp.door.headers import LASTING
from webapp.door.visitor import session_of
from webapp.services import Services
from webapp.store.records import JobRecord
from webapp.store.repository import not_found

# pixels along a side: twice those on the page, for fine displays
SIDE = 144
AXIAL = 0


def router(services: Services) -> APIRouter:
    """Return the route ``/thumbnail/<job>.webp``, for the session that made the job."""
    routes = APIRouter()

    @routes.get("/thumbnail/{job_id}.webp")
    def thumbnail(job_id: str, request: Request) -> Response:
        """A slice of the result of a job of this session."""
        session = session_of(request)
        made = picture_of(services, session, services.repo.job(job_id, session))
        return Response(made, media_type="image/webp", headers=LASTING)

    return routes


def picture_of(services: Services, session: str, job: JobRecord) -> bytes:
    """Return a slice of the result of a job of this session as WebP; UserError not_found."""
    result = job.artifact(RESULT)
    if result is None:
        raise not_found()
    return _drawn(job.task, _masks(services, session, job), services.blobs.path(result.blob))


def _masks(services: Services, session: str, job: JobRecord) -> tuple[tuple[str, Path], ...]:
    """Return (input, file) of the masks of a job: the slice goes through what was replaced."""
    names = [one.name for one in tasks.find(job.task).inputs if one.kind == "mask" and one.name in job.inputs]
    return tuple((name, services.blobs.path(services.repo.scan(job.inputs[name], session).blob)) for name in names)


# blobs never change
@lru_cache(maxsize=256)
def _drawn(task: str, masks: tuple[tuple[str, Path], ...], path: Path) -> bytes:
    """Return the axial slice as WebP, on a black square, the patient's left on the left as in the viewer."""
    result = read_own(path)
    frame = framing_of(tasks.find(task), dict(masks), result).whole
    values = result.orientation.to_ras(result.values) * result.slope + result.intercept
    slices = picture.grey(frame.cut(values, result.ras_affine, AXIAL), *window_of(result))
    image = Image.fromarray(slices[:, ::-1])
    image.thumbnail((SIDE, SIDE))
    square = Image.new("L", (SIDE, SIDE))
    square.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    buffer = BytesIO()
    square.save(buffer, WebPImagePlugin.WebPImageFile.format, quality=80)
    return buffer.getvalue()
