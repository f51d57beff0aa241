"""The routes of a reader study for its raters: the page and its JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from core.assets import ASSETS
from core.errors import UserError
from webapp.door.headers import PRIVATE, UNKEPT
from webapp.services import Services
from webapp.study.rating import Sitting, number_of

PAGE = ASSETS / "rate" / "rate.html"
# stricter than that of the main page, whose framework needs scripts in the page
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self' data: blob:; font-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def router(services: Services) -> APIRouter:
    """Return the routes under ``/rate/{key}``; the key of the invitation identifies the rater."""
    routes = APIRouter(prefix="/rate/{key}")
    studies = services.studies

    def sitting(key: str) -> Sitting:
        return Sitting.of(studies, key, f"/rate/{key}")

    _reading(routes, services, sitting)
    _writing(routes, sitting)
    return routes


def _reading(routes: APIRouter, services: Services, sitting: Callable[[str], Sitting]) -> None:
    @routes.get("")
    def page(key: str) -> Response:
        """The page, the same for every rater and every study."""
        headers = {"content-security-policy": POLICY, **UNKEPT}
        return Response(PAGE.read_bytes(), media_type="text/html; charset=utf-8", headers=headers)

    @routes.get("/state")
    def state(key: str) -> Response:
        """The state of the rating, at the start and after a pause."""
        return _json(sitting(key).state())

    @routes.get("/showing/{position}")
    def showing(key: str, position: int) -> Response:
        """One item, for the next but one and for those already answered."""
        return _json(sitting(key).showing(position))

    @routes.get("/image/{token}")
    def image(key: str, token: str) -> Response:
        """An image, without a name or a date in the headers."""
        blob = services.blobs.path(sitting(key).image(token))
        if not blob.is_file():
            raise UserError("not_found", "This image is no longer on the server.", "Tell the people who invited you.")
        return Response(blob.read_bytes(), media_type="application/octet-stream", headers=PRIVATE)


def _writing(routes: APIRouter, sitting: Callable[[str], Sitting]) -> None:
    @routes.post("/start")
    async def start(key: str, request: Request) -> Response:
        """The rater's consent."""
        given = await _object(request)
        expertise, known = str(given.get("expertise") or ""), number_of(given.get("years"))
        if given.get("consent") is not True:
            raise UserError("bad_rating", "You have not agreed to take part.", "Tick the box, then begin.")
        return _json(await run_in_threadpool(lambda: sitting(key).start(expertise, known)))

    @routes.post("/answers")
    async def answers(key: str, request: Request) -> Response:
        """Store an answer; the response "saved" follows the commit to the disk."""
        given = await _object(request)
        return _json(await run_in_threadpool(lambda: sitting(key).save(given)))


async def _object(request: Request) -> dict[str, Any]:
    try:
        content = _clean(json.loads(await request.body(), parse_constant=lambda name: None))
    # a browser that disconnects gets no response, and sends the answer again
    except (ValueError, RecursionError, ClientDisconnect):
        content = None
    if not isinstance(content, dict):
        raise UserError("bad_rating", "The answer did not arrive whole.", "Reload the page and save again.")
    return content


def _clean(value: Any) -> Any:
    """Return a JSON value whose texts every database and every file can hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list) else value


def _json(content: Any) -> Response:
    return JSONResponse(content, headers=PRIVATE)
