"""The addresses of a link to one run, for whoever has it: everything of them is below the link's own address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as PathPart
from fastapi.responses import HTMLResponse

from core.errors import UserError
from webapp.door.file_answers import page_file, stored_file
from webapp.door.headers import PRIVATE
from webapp.door.peer import address_of
from webapp.door.refusals import answer
from webapp.intake.slice_pictures import Kind, SlicePictures
from webapp.pages.shared import shared_run as shared
from webapp.pages.shared.shared_run import shared_run
from webapp.rates import Rates
from webapp.services import Services

# requests of one address in a minute; a page has some sixty
PER_MINUTE = 1200
# bytes of decoded volumes that stay in memory for browsers without WebGL
PICTURE_BYTES = 96 << 20
# a link may end, and no search engine shall find it
HEADERS: Mapping[str, str] = {**PRIVATE, "x-robots-tag": "noindex, nofollow"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self' data: blob:; font-src 'self'; worker-src 'self' blob:; frame-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
# a report may hold scripts: it runs as a page of no site, which reaches nothing
REPORT_POLICY = (
    "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline' blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)


def router(services: Services) -> APIRouter:
    """Return the addresses under ``/shared/{key}``."""
    rates = Rates(PER_MINUTE, 60)

    def counted(request: Request) -> None:
        if rates.take(address_of(request.scope)):
            raise UserError("too_fast", "Too many requests at once.", "Wait a minute, then try again.")

    routes = APIRouter(prefix="/shared/{key}", dependencies=[Depends(counted)])
    _add_pages(routes, services)
    _add_volumes(routes, services)
    return routes


def _add_pages(routes: APIRouter, services: Services) -> None:
    @routes.get("")
    def page(key: str, request: Request) -> Response:
        """The page."""
        try:
            content = shared.page(shared_run(services, key), key, services.settings.retention)
        except UserError as error:
            return answer(request.scope, 404, error, dict(HEADERS))
        return HTMLResponse(content, headers={**HEADERS, "content-security-policy": POLICY})

    @routes.get("/report")
    def report(key: str) -> Response:
        """The report of the run, as a page that stands in the other."""
        content = shared.report(services, shared_run(services, key))
        return HTMLResponse(content, headers={**HEADERS, "content-security-policy": REPORT_POLICY})

    @routes.get("/ui/{name:path}")
    def asset(key: str, name: str, request: Request) -> Response:
        """A file of the page itself, which those without an account get nowhere else."""
        services.shares.opened(key)
        return page_file(name, request.scope)


def _add_volumes(routes: APIRouter, services: Services) -> None:
    pictures = SlicePictures(PICTURE_BYTES)

    @routes.get("/vol/{part}/{name}")
    def volume(key: str, part: str, name: str) -> Response:
        """A volume of the run, for the viewer; ``name`` only gives the viewer its suffix."""
        return stored_file(shared.volume(services, shared_run(services, key), part), headers=HEADERS)

    @routes.get("/slice/{part}/{axis}")
    def slice_picture(
        key: str,
        part: str,
        axis: Annotated[int, PathPart(ge=0, le=2)],
        at: Annotated[float, Query(ge=0, le=1)] = 0.5,
        over: str = "",
        kind: Kind = "mask",
        minus: str = "",
    ) -> Response:
        """One slice of a volume of the run as a PNG; ``over`` and ``minus`` are names of volumes as well."""
        run = shared_run(services, key)
        others = [shared.volume(services, run, one) if one else None for one in (over, minus)]
        made = pictures.picture(shared.volume(services, run, part), axis, at, others[0], kind, others[1])
        return Response(made, media_type="image/png", headers=HEADERS)
