"""The session of a visitor: a strict cookie, and the id that everything of this visitor is stored under."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any, Protocol

from anyio import to_thread
from sqlalchemy.exc import OperationalError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import UserError
from webapp.door.buckets import Buckets
from webapp.door.origin import SAFE
from webapp.door.refusals import BUSY, refuse

COOKIE = "counterscan_session"
# a browser takes such a cookie from this very host alone, by HTTPS (RFC 6265bis, 4.1.3.2)
SECURE_COOKIE = f"__Host-{COOKIE}"
KEY = "counterscan.session"
COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")
RATING_PAGE = re.compile(r"/rate/[A-Za-z0-9_-]+")
# a visit is written down once in so many seconds
VISIT_SECONDS = 60
RELOADED = '<!doctype html><meta http-equiv="refresh" content="0"><title>Counterscan</title>'
NO_SESSION = UserError("no_session", "This browser has no session yet.", "Open the page first; allow cookies.")


class Visits(Protocol):
    """Where visits are written down."""

    def touch(self, session_id: str) -> None:
        """Note that a session was here; it may block, and raise OperationalError."""


class Sessions:
    """ASGI middleware: puts the id of the session, or None, into ``scope[KEY]``; a change needs one.

    days: how long a browser keeps the cookie after its last visit of a page. visits: notes who was here.
    """

    def __init__(self, app: ASGIApp, days: int, visits: Visits) -> None:
        self._app = app
        self._age = days * 86400
        self._visits = visits
        self._unnoted = Buckets(1, 1 / VISIT_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403 no_session or 503 busy."""
        cookie = cookie_of(scope)
        session = scope[KEY] = session_id(cookie) if cookie else None
        if is_page(scope):
            await self._visit(scope, cookie, receive, send)
        elif scope["method"] in SAFE:
            await self._app(scope, receive, send)
        elif session is None:
            await refuse(scope, receive, send, 403, NO_SESSION)
        elif await self._noted(session):
            await self._app(scope, receive, send)
        else:
            await refuse(scope, receive, send, 503, BUSY)

    async def _visit(self, scope: Scope, cookie: str | None, receive: Receive, send: Send) -> None:
        """Answer a visit of a page and give or renew the cookie.

        A strict cookie is not sent when a link on another site leads here, so a visit without one may not be the first:
        the page then loads itself again.
        """
        if cookie is None and Headers(scope=scope).get("sec-fetch-site") == "cross-site":
            await HTMLResponse(RELOADED, headers={"cache-control": "no-store"})(scope, receive, send)
            return
        kept = cookie or secrets.token_urlsafe(32)
        scope[KEY] = session_id(kept)

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", self._set_cookie(scope, kept))
                # no proxy may hand one visitor's cookie to the next
                headers.setdefault("cache-control", "private, no-cache")
            await send(message)

        await self._app(scope, receive, with_cookie)

    def _set_cookie(self, scope: Scope, cookie: str) -> str:
        secure = "; Secure" if scope["scheme"] == "https" else ""
        return f"{_name(scope)}={cookie}; Path=/; Max-Age={self._age}; HttpOnly; SameSite=Strict{secure}"

    async def _noted(self, session: str) -> bool:
        """Write down a visit now and then; False if the database is busy."""
        if self._unnoted.take(session):
            try:
                await to_thread.run_sync(self._visits.touch, session)
            except OperationalError:
                return False
        return True


def session_of(request: Any) -> str:
    """Return the id of the session of a ``gr.Request`` or a Starlette request; UserError no_session without one."""
    inner = getattr(request, "request", None) or request
    found = inner.scope.get(KEY)
    if not found:
        raise UserError("no_session", "This browser has no session yet.", "Reload the page; cookies must be allowed.")
    return str(found)


def session_id(cookie: str) -> str:
    """Return the id of the session that a cookie opens; the cookie cannot be computed from it."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:32]


def is_page(scope: Scope) -> bool:
    """Return whether a request is a visit of one of the two pages."""
    return scope["method"] in SAFE and (scope["path"] == "/" or RATING_PAGE.fullmatch(scope["path"]) is not None)


def cookie_of(scope: Scope) -> str | None:
    """Return the value of the session's cookie, if a request brings one."""
    value = HTTPConnection(scope).cookies.get(_name(scope), "")
    return value if COOKIE_VALUE.fullmatch(value) else None


def _name(scope: Scope) -> str:
    return SECURE_COOKIE if scope["scheme"] == "https" else COOKIE
