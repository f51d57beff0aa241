"""The answers to requests that are not passed on."""

from __future__ import annotations

import math
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from core.errors import UserError
from webapp.door.headers import UNKEPT
from webapp.door.html import SAFE_FORMS, document

CLOSED = UserError("closed", "This address is closed.", "Use the page.")
BUSY = UserError("busy", "The database is busy.", "Nothing is lost; the page sends it again.")
# the keys in a request's scope of the name of the request, and of the code of its refusal
REQUEST = "counterscan.request"
CODE = "counterscan.code"
# seconds after which a client may try again, where nothing better is known
RETRY_SECONDS = 5.0


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, error: UserError, wait: float = RETRY_SECONDS
) -> None:
    """Answer a request with ``error``: as a page where a person opens an address, else as JSON.

    wait: seconds after which it may be sent again, for 429 and 503.
    """
    headers = {**UNKEPT}
    if status in (429, 503):
        headers["retry-after"] = str(math.ceil(wait))
    await answer(scope, status, error, headers)(scope, receive, send)


async def ask_for_token(scope: Scope, receive: Receive, send: Send, error: UserError) -> None:
    """Answer 401 with ``error``, and have a browser ask for the token of the administrator."""
    headers = {**UNKEPT, "www-authenticate": 'Basic realm="Counterscan"'}
    await answer(scope, 401, error, headers)(scope, receive, send)


async def refuse_program(scope: Scope, receive: Receive, send: Send, error: UserError) -> None:
    """Answer 401 with ``error`` to a program, as JSON, and name what it lacks."""
    await answer(scope, 401, error, {**UNKEPT, "www-authenticate": "Bearer"})(scope, receive, send)


async def send_to_sign_in(scope: Scope, receive: Receive, send: Send, address: str) -> None:
    """Send a browser to the log-in page."""
    await RedirectResponse(address, 303, UNKEPT)(scope, receive, send)


def is_opened(scope: Scope) -> bool:
    """Return whether a person opens an address in a browser, rather than a script of the page."""
    return scope["method"] == "GET" and is_shown(scope)


def is_shown(scope: Scope) -> bool:
    """Return whether a person sees the answer as a page, that to a form too, rather than a script or a program."""
    headers = Headers(scope=scope)
    return headers.get("sec-fetch-mode", "navigate") == "navigate" and "text/html" in headers.get("accept", "")


def refusal_page(scope: Scope, status: int, error: UserError, headers: Mapping[str, str]) -> Response:
    """Return the page that shows a person ``error`` and the name of the request."""
    page = document("refusal", error=error, request=scope.get(REQUEST, ""))
    return HTMLResponse(page, status, {**headers, **SAFE_FORMS})


def answer(scope: Scope, status: int, error: UserError, headers: dict[str, str]) -> Response:
    """Return what ``refuse`` answers, and note the code; a page names the request, by which the log knows it."""
    scope[CODE] = error.code
    if is_shown(scope):
        return refusal_page(scope, status, error, headers)
    body = {"code": error.code, "message": error.message, "hint": error.hint, "detail": f"{error.message} {error.hint}"}
    return JSONResponse(body, status, headers)
