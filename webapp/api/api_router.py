"""The addresses of programs, ``/api/v1``: tasks, files, jobs; their OpenAPI, and a page of it for people."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from core import __version__, tasks
from core.catalogue import describe
from core.option_schema import option_schema
from webapp.api.api_files import add_files
from webapp.api.api_jobs import add_jobs, add_results
from webapp.api.api_models import ROOT, Problem
from webapp.api.api_page import page_of
from webapp.door.headers import PRIVATE
from webapp.door.html import SAFE_FORMS
from webapp.door.uploads import Uploads
from webapp.door.visitor import session_of, visitor_of
from webapp.services import Services

TITLE = "Counterscan"
SUMMARY = (
    "Every task of the page for programs: upload files, queue a job, follow it, download its results. Send a token of "
    "your account as the header Authorization: Bearer TOKEN. Research use only."
)
HEADERS = {**PRIVATE, **SAFE_FORMS}
REFUSED: dict[int | str, dict[str, Any]] = {"4XX": {"model": Problem, "description": "Refused, with the reason."}}


def router(services: Services, uploads: Uploads) -> APIRouter:
    """Return every address under ``/api/v1``."""
    routes = APIRouter(prefix=ROOT, dependencies=[Depends(_unkept)], responses=REFUSED)
    _add_tasks(routes)
    add_files(routes, services, uploads)
    add_jobs(routes, services)
    add_results(routes, services)
    described = description(routes)

    @routes.get("/openapi.json", include_in_schema=False)
    def openapi(request: Request) -> dict[str, Any]:
        """The OpenAPI of these addresses."""
        session_of(request)
        return described

    @routes.get("", include_in_schema=False)
    def page(request: Request) -> Response:
        """The same as a page."""
        visitor_of(request)
        return HTMLResponse(page_of(described), headers=HEADERS)

    return routes


def description(routes: APIRouter) -> dict[str, Any]:
    """Return the OpenAPI of ``routes``, with the token that every address takes."""
    described = get_openapi(title=TITLE, version=__version__, description=SUMMARY, routes=routes.routes)
    described.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    described["security"] = [{"token": []}]
    return described


def _unkept(response: Response) -> None:
    """Have no browser and no proxy keep an answer."""
    response.headers.update(PRIVATE)


def _add_tasks(routes: APIRouter) -> None:
    @routes.get("/tasks")
    def list_tasks() -> list[dict[str, Any]]:
        """Every task: its inputs, outputs, presets and methods, and the JSON schema of its parameters."""
        return [{**describe(task), "schema": option_schema(task)} for task in tasks.TASKS]

    @routes.get("/tasks/{name}")
    def read_task(name: str) -> dict[str, Any]:
        """One task."""
        task = tasks.find(name)
        return {**describe(task), "schema": option_schema(task)}
