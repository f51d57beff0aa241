"""Files on their way in: each upload in a folder of its own, whose owner the database knows; gone when used or old."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect

from core.errors import UserError
from webapp.door.addresses import UPLOAD
from webapp.door.limits import too_large
from webapp.door.visitor import session_of
from webapp.store.owners import Owners

if TYPE_CHECKING:
    from gradio.route_utils import FileUploadProgress

# an event takes what was uploaded for it within seconds; a visitor may look at a form with a file a while longer
LIFE_SECONDS = 3600.0
# of a path below the folder of uploads: the upload, Gradio's hash of the content, the name of the file
PLACE = re.compile(r"([0-9a-f]{32})/[0-9a-f]{64}/[^/\0]+")
UPLOAD_NAME = re.compile(r"[0-9a-f]{32}")
REMEMBERED = 10_000
MAX_PATH = 1024
BAD_UPLOAD = UserError("bad_upload", "The upload did not arrive whole.", "Try again; reload the page if it stays so.")


class Uploads:
    """The folder of Gradio's uploads; a file lies in ``<upload>/<hash>/<name>``.

    owners: to whom an upload belongs. life: seconds after which an upload that no event has used is removed.
    """

    def __init__(
        self, folder: Path, owners: Owners, life: float = LIFE_SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = str(folder)
        self._owners = owners
        self._life = life
        self._clock = clock
        self._owner = lru_cache(REMEMBERED)(owners.owner_of_upload)

    def owns(self, path: str, session: str) -> bool:
        """Return whether ``path`` is where an upload of ``session`` lies or lay; no name is resolved."""
        upload = self._upload_of(path)
        return upload is not None and self._owner(upload) == session

    def mentioned(self, text: str) -> bool:
        """Return whether ``text`` names the folder of uploads."""
        return self._folder in text

    def begin(self, session: str) -> Path:
        """Return a new folder for one upload of ``session``; it blocks."""
        made = Path(self._folder, self._owners.begin_upload(session))
        made.mkdir()
        return made

    def end(self, folder: Path) -> None:
        """Note that all files of an upload have arrived; it blocks."""
        files = (path for path in folder.rglob("*") if path.is_file())
        self._owners.end_upload(folder.name, sum(path.stat().st_size for path in files))

    def give_up(self, folder: Path) -> None:
        """Remove an upload that did not arrive whole; it blocks."""
        shutil.rmtree(folder, ignore_errors=True)
        self._owners.forget_uploads([folder.name])

    def sweep(self) -> None:
        """Remove uploads whose newest file is older than their life, and what Gradio's own events leave; it blocks."""
        oldest = self._clock() - self._life
        gone = [entry.name for entry in _entries(self._folder) if _remove_old(Path(entry.path), oldest)]
        self._owners.forget_uploads([name for name in gone if UPLOAD_NAME.fullmatch(name)])

    def _upload_of(self, path: str) -> str | None:
        """Return the upload that a path names by its text; None for another path, or another way to write it."""
        inside = f"{self._folder}/"
        if len(path) > MAX_PATH or not path.startswith(inside) or os.path.normpath(path) != path:
            return None
        place = PLACE.fullmatch(path.removeprefix(inside))
        return None if place is None else place[1]


def router(uploads: Uploads, max_bytes: int, require_room: Callable[[], None]) -> APIRouter:
    """Return the address that the page uploads to, in place of Gradio's own.

    max_bytes: size of the largest file. require_room: raises UserError disk_full when the disk is nearly full.
    """
    routes = APIRouter()

    @routes.post(UPLOAD)
    async def upload(request: Request, upload_id: str | None = None) -> Response:
        """Keep the files of a form and return their paths, as Gradio's page wants them."""
        await to_thread.run_sync(require_room)
        _, paths = await received(request, uploads, max_bytes, upload_id)
        return JSONResponse([str(path) for path in paths])

    return routes


async def received(
    request: Request, uploads: Uploads, max_bytes: int, upload_id: str | None = None
) -> tuple[Path, list[Path]]:
    """Keep the files of a form as an upload of who sends it; return its folder and their paths.

    upload_id: under which the page follows how much has arrived. UserError too_large, bad_upload.
    """
    folder = await to_thread.run_sync(uploads.begin, session_of(request))
    try:
        paths = await _kept(request, folder, max_bytes, upload_id)
        await to_thread.run_sync(uploads.end, folder)
    except BaseException:
        # half an upload is of no use to anybody
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(uploads.give_up, folder)
        raise
    return folder, [Path(path) for path in paths]


async def _kept(request: Request, folder: Path, max_bytes: int, upload_id: str | None) -> list[str]:
    from gradio.route_utils import upload_fn
    from gradio.routes import file_upload_statuses

    progress: FileUploadProgress | None = file_upload_statuses if upload_id else None
    try:
        paths, misplaced, _ = await upload_fn(
            request, folder, max_bytes, upload_id, force_move=False, upload_progress=progress
        )
    except MultiPartException as error:
        if "maximum allowed size" in error.message:
            raise too_large(max_bytes) from error
        raise BAD_UPLOAD from error
    # what Gradio's reader raises for forms that no browser sends
    except (HTTPException, ClientDisconnect, TypeError, ValueError, KeyError, AttributeError) as error:
        raise BAD_UPLOAD from error
    finally:
        if upload_id:
            file_upload_statuses.set_done(upload_id)
    if misplaced or not paths:
        raise BAD_UPLOAD
    return [str(path) for path in paths]


def _entries(folder: str) -> Iterable[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        # another server removed it meanwhile
        return []


def _remove_old(upload: Path, oldest: float) -> bool:
    """Remove an upload if it is old, and return whether it is gone."""
    with suppress(OSError):
        newest = max(path.lstat().st_mtime for path in (upload, *upload.rglob("*")))
        if newest >= oldest:
            return False
        if upload.is_dir():
            shutil.rmtree(upload)
        else:
            upload.unlink()
        return True
    return False
