"""The answers to requests that are not passed on."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from core.errors import UserError

CLOSED = UserError("closed", "This address is closed.", "Use the page.")
BUSY = UserError("busy", "The database is busy.", "Nothing is lost; the page sends it again.")


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, error: UserError) -> None:
    """Answer a request with ``error`` as JSON."""
    body = {"code": error.code, "message": error.message, "hint": error.hint, "detail": f"{error.message} {error.hint}"}
    retry = {"retry-after": "5"} if status in (429, 503) else {}
    await JSONResponse(body, status, {"cache-control": "no-store", **retry})(scope, receive, send)
