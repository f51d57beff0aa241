"""Files as answers: those of the page, which are the same for all, and those of the store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from fastapi.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from core.assets import ASSETS
from core.errors import UserError
from webapp.door.headers import PRIVATE

BUNDLES = {"niivue.js": ASSETS / "viewer/node_modules/@niivue/niivue/dist/niivue.umd.js"}
STATIC_PATH = re.compile(
    r"(viewer|rate|share|style|pictures)/[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(js|css|svg|png|webp|ico|woff2)"
)
STATIC = StaticFiles(directory=ASSETS)


def page_file(name: str, scope: Scope) -> Response:
    """Return a file of the page itself, 404 for what is none; a browser asks each time whether it has changed."""
    path = _static_path(name)
    if path is None:
        return PlainTextResponse("not found", 404)
    response = STATIC.file_response(path, path.stat(), scope)
    response.headers["cache-control"] = "no-cache"
    return response


def stored_file(path: Path, filename: str | None = None, headers: Mapping[str, str] = PRIVATE) -> Response:
    """Return a file of the store, as a download with a name; UserError not_found."""
    if not path.is_file():
        raise UserError("not_found", "This file is no longer on the server.", "Run the job again.")
    return FileResponse(path, media_type="application/octet-stream", filename=filename, headers=headers)


def _static_path(name: str) -> Path | None:
    if name in BUNDLES:
        return BUNDLES[name] if BUNDLES[name].is_file() else None
    path = ASSETS / name
    return path if STATIC_PATH.fullmatch(name) and path.is_file() else None
