"""Files as answers: those of the page, which are the same for all, and those of the store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from fastapi.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from core.assets import ASSETS
from core.errors import UserError
from webapp.door.headers import NAMED, PRIVATE

BUNDLES = {"niivue.js": ASSETS / "viewer/node_modules/@niivue/niivue/dist/niivue.umd.js"}
STATIC_PATH = re.compile(
    r"(viewer|rate|share|style|pictures)/[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(js|css|svg|png|webp|ico|woff2)"
)
STATIC = StaticFiles(directory=ASSETS)
# what an address has before the name of a file: the digest of all of them, for modules name each other
DIGEST = re.compile(r"([0-9a-f]{16})/(.*)")


def page_address(name: str) -> str:
    """Return the address of a file of the page that browsers keep; it changes with any of these files."""
    return f"/ui/{_digest()}/{name}"


def page_file(name: str, scope: Scope) -> Response:
    """Return a file of the page itself, 404 for what is none.

    A browser keeps what it has by ``page_address``, and asks each time whether any other has changed.
    """
    marked = DIGEST.fullmatch(name)
    path = _static_path(marked[2] if marked else name)
    if path is None:
        return PlainTextResponse("not found", 404)
    response = STATIC.file_response(path, path.stat(), scope)
    response.headers.update(NAMED if marked and marked[1] == _digest() else {"cache-control": "no-cache"})
    return response


@lru_cache(1)
def _digest() -> str:
    """Return the digest of all files of the page as they are when it is first asked for."""
    names = sorted(path.relative_to(ASSETS).as_posix() for path in ASSETS.glob("*/*"))
    found = sha256()
    for name in [*names, *BUNDLES]:
        path = _static_path(name)
        if path is not None:
            found.update(f"{name} {path.stat().st_size} ".encode() + path.read_bytes())
    return found.hexdigest()[:16]


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
