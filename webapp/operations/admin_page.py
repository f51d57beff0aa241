"""The page of an administrator: what the server does and holds, by ids and codes, and to whom it is closed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from core import __version__
from core.errors import UserError
from webapp.door.headers import PRIVATE, UNKEPT
from webapp.door.html import SAFE_FORMS, document
from webapp.door.identity import Identity
from webapp.door.visitor import VISITOR
from webapp.keeping.retention import Retention
from webapp.operations.ending import close_to, open_to
from webapp.services import Services
from webapp.store.clock import now
from webapp.store.overview import LISTED, Counts

PAGE = "/admin"
HEADERS = {**PRIVATE, **SAFE_FORMS}
GIGABYTE = 1e9
YOURSELF = UserError("not_allowed", "You cannot close the server to yourself.", "Ask another administrator.")


def router(services: Services, identity: Identity, retention: Retention) -> APIRouter:
    """Return the addresses under ``/admin``."""
    routes, begun = APIRouter(), now()

    @routes.get(PAGE)
    def page() -> Response:
        """The page."""
        return HTMLResponse(document("admin", **_values(services, retention, begun)), headers=HEADERS)

    @routes.post(f"{PAGE}/visitor")
    async def change_visitor(request: Request) -> Response:
        """Close the server to a visitor, or open it again."""

        def change(form: FormData) -> None:
            visitor = services.overview.visitor(_text(form, "session"))
            if visitor.session == request.scope[VISITOR].session:
                raise YOURSELF
            (close_to if _text(form, "act") == "close" else open_to)(services, identity, visitor)

        return await _changed(request, change)

    @routes.post(f"{PAGE}/account")
    async def change_account(request: Request) -> Response:
        """Close an account, or open it again."""

        def change(form: FormData) -> None:
            account = services.accounts.find(_text(form, "name"))
            if account.session == request.scope[VISITOR].session:
                raise YOURSELF
            services.accounts.disable(account.name, _text(form, "act") == "disable")
            identity.forget(account.session)

        return await _changed(request, change)

    return routes


async def _changed(request: Request, change: Callable[[FormData], None]) -> Response:
    """Do what a form asks for in a thread, and show the page again."""
    form = await request.form(max_fields=4)
    await to_thread.run_sync(change, form)
    return RedirectResponse(PAGE, 303, UNKEPT)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _values(services: Services, retention: Retention, begun: datetime) -> dict[str, object]:
    """Return what the template shows."""
    overview, settings = services.overview, services.settings
    counts, disk = overview.counts(), shutil.disk_usage(settings.data)
    return {
        "version": __version__,
        "begun": begun,
        "counts": counts,
        "states": _states(counts),
        "free": disk.free / GIGABYTE,
        "size": disk.total / GIGABYTE,
        "reserve": (settings.disk_reserve_mb << 20) / GIGABYTE,
        "stored": sum(counts.bytes.values()) / GIGABYTE,
        "jobs": overview.open_jobs(),
        "failed": overview.failed_jobs(),
        "errors": services.errors.newest()[:LISTED],
        "visitors": overview.visitors(),
        "accounts": services.accounts.all(),
        "studies": overview.studies(),
        "retention": settings.retention,
        "runs": retention.runs(),
        "listed": LISTED,
    }


def _states(counts: Counts) -> dict[str, int]:
    """Return how many jobs are in each state."""
    states: dict[str, int] = {}
    for (_, state), number in counts.jobs.items():
        states[state] = states.get(state, 0) + number
    return states
