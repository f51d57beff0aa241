"""The page of one visitor: who they are here, their browsers, and how to end their visits."""

from __future__ import annotations

from collections.abc import Callable

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from core.errors import UserError
from webapp.door.headers import FORGOTTEN, PRIVATE, UNKEPT
from webapp.door.html import SAFE_FORMS, document
from webapp.door.identity import Identity, set_cookie
from webapp.door.visitor import Visitor, visitor_of
from webapp.services import Services
from webapp.store.account_records import BrowserRecord

HEADERS = {**PRIVATE, **SAFE_FORMS}
ROLES = {
    "rater": "rater: rates images by invitation",
    "visitor": "visitor: runs the tasks",
    "manager": "manager: runs the tasks and makes reader studies",
    "admin": "administrator: looks after this server too",
}


def router(services: Services, identity: Identity) -> APIRouter:
    """Return the addresses under ``/account``."""
    routes = APIRouter()

    @routes.get("/account")
    def page(request: Request) -> Response:
        """The page."""
        visitor = visitor_of(request)
        browsers = [_row(one, visitor) for one in services.browsers.of(visitor.session)] if visitor.browser else []
        content = document("account", name=visitor.name, role=ROLES[visitor.role], browsers=browsers)
        return HTMLResponse(content, headers=HEADERS)

    @routes.post("/account/sign-out")
    async def sign_out(request: Request) -> Response:
        """End the visit of this browser."""
        return await _ended(request, identity.sign_out)

    @routes.post("/account/sign-out-everywhere")
    async def sign_out_everywhere(request: Request) -> Response:
        """End the visits of every browser of this visitor."""
        return await _ended(request, identity.sign_out_everywhere)

    return routes


async def _ended(request: Request, end: Callable[[Visitor], None]) -> Response:
    visitor = visitor_of(request)
    if not visitor.name:
        # nothing could open this visitor's session again
        raise UserError("no_account", "This browser has no account to sign out of.", "Nothing needs to be done.")
    await to_thread.run_sync(end, visitor)
    answer = RedirectResponse("/", 303, {**UNKEPT, **FORGOTTEN})
    answer.headers.append("set-cookie", set_cookie(request.scope, "", 0))
    return answer


def _row(browser: BrowserRecord, visitor: Visitor) -> dict[str, object]:
    return {
        "this": visitor.browser is not None and browser.id == visitor.browser.id,
        "created": f"{browser.created:%Y-%m-%d %H:%M} UTC",
        "seen": f"{browser.last_seen:%Y-%m-%d %H:%M} UTC",
    }
