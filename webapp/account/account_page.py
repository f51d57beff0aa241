"""The page of one visitor: who they are here, their browsers and tokens, and how to end them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from core.errors import UserError
from webapp.door.headers import FORGOTTEN, PRIVATE, UNKEPT
from webapp.door.html import SAFE_FORMS, document
from webapp.door.identity import Identity, set_cookie
from webapp.door.visitor import Visitor, visitor_of
from webapp.services import Services
from webapp.store.account_records import BrowserRecord, TokenRecord
from webapp.store.clock import now

PAGE = "/account"
HEADERS = {**PRIVATE, **SAFE_FORMS}
# for how many days a token may open something; the session of a visitor of a public demo is as short-lived
DAYS = (1, 7, 30, 90, 365)
DEMO_DAYS = (1, 7)
USUAL_DAYS = 30
ROLES = {
    "rater": "rater: rates images by invitation",
    "visitor": "visitor: runs the tasks",
    "manager": "manager: runs the tasks and makes reader studies",
    "admin": "administrator: looks after this server too",
}


def router(services: Services, identity: Identity) -> APIRouter:
    """Return the addresses under ``/account``."""
    routes = APIRouter()

    @routes.get(PAGE)
    def page(request: Request) -> Response:
        """The page."""
        return _page(services, visitor_of(request))

    @routes.post("/account/sign-out")
    async def sign_out(request: Request) -> Response:
        """End the visit of this browser."""
        return await _ended(request, identity.sign_out)

    @routes.post("/account/sign-out-everywhere")
    async def sign_out_everywhere(request: Request) -> Response:
        """End the visits of every browser of this visitor."""
        return await _ended(request, identity.sign_out_everywhere)

    if services.settings.api:
        _add_tokens(routes, services, identity)
    return routes


def _add_tokens(routes: APIRouter, services: Services, identity: Identity) -> None:
    """Add the addresses that make and end tokens, which no token opens."""

    @routes.post(f"{PAGE}/tokens")
    async def make_token(request: Request) -> Response:
        """Make a token, which this one answer shows and nothing else ever does."""
        visitor, form = visitor_of(request), await request.form(max_fields=4)
        days = _days(services, _text(form, "days"))
        token = await to_thread.run_sync(new_token, services, visitor, _text(form, "title"), days)
        return await to_thread.run_sync(_page, services, visitor, token)

    @routes.post(f"{PAGE}/tokens/end")
    async def end_token(request: Request) -> Response:
        """End a token of this visitor."""
        visitor, form = visitor_of(request), await request.form(max_fields=4)
        await to_thread.run_sync(services.tokens.end, _text(form, "token"), visitor.session)
        identity.forget(visitor.session)
        return RedirectResponse(PAGE, 303, UNKEPT)


def offered(services: Services) -> tuple[int, ...]:
    """Return for how many days a visitor may make a token."""
    return DEMO_DAYS if services.settings.public_demo else DAYS


def new_token(services: Services, visitor: Visitor, title: str, days: int) -> str:
    """Return a new token of a visitor, for as many ``days`` as are offered; UserError bad_token_name, too_many_tokens.

    A public demo keeps no text of a visitor's.
    """
    who = services.accounts.find(visitor.name) if visitor.name else None
    kept = "" if services.settings.public_demo else title
    return services.tokens.add(visitor.session, who, kept, now() + timedelta(days=days))[1]


def _days(services: Services, given: str) -> int:
    """Return the number of days that a form gives; UserError bad_parameter for one that is not offered."""
    found = next((one for one in offered(services) if str(one) == given), None)
    if found is None:
        raise UserError(
            "bad_parameter",
            "A token cannot end after that time.",
            f"Choose {', '.join(map(str, offered(services)))} days.",
        )
    return found


def _page(services: Services, visitor: Visitor, token: str | None = None) -> Response:
    """Return the page; token: one that was just made."""
    browsers = [_row(one, visitor) for one in services.browsers.of(visitor.session)] if visitor.browser else []
    tokens = [_token_row(one) for one in services.tokens.of(visitor.session)]
    content = document(
        "account", name=visitor.name, role=ROLES[visitor.role], browsers=browsers, tokens=tokens, token=token,
        days=offered(services), usual=USUAL_DAYS, api=services.settings.api, titled=not services.settings.public_demo,
    )  # fmt: skip
    return HTMLResponse(content, headers=HEADERS)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


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


def _token_row(token: TokenRecord) -> dict[str, object]:
    return {
        "id": token.id,
        "title": token.title or "unnamed",
        "created": f"{token.created:%Y-%m-%d %H:%M} UTC",
        "seen": f"{token.last_seen:%Y-%m-%d %H:%M} UTC" if token.last_seen else "never",
        "ends": f"{token.ends:%Y-%m-%d %H:%M} UTC",
    }
