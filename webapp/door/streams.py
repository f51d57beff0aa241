"""How many streams of events a visitor may have open: each holds a connection for as long as its page is there."""

from __future__ import annotations

from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import UserError
from webapp.door.addresses import API
from webapp.door.peer import address_of
from webapp.door.refusals import refuse
from webapp.door.visitor import KEY

STREAMS = (API + "queue/data", API + "heartbeat/", API + "upload_progress")
TOO_MANY = UserError(
    "too_many_streams", "Too many pages are open from here.", "Close some of them, then reload this one."
)
WAIT_SECONDS = 30.0


class Streams:
    """ASGI middleware: bounds the open streams of a visitor, and of an address, whoever comes from it."""

    def __init__(self, app: ASGIApp, of_visitor: int, of_address: int) -> None:
        self._app = app
        self._most = (of_visitor, of_address)
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429 too_many_streams."""
        if not scope["path"].startswith(STREAMS):
            await self._app(scope, receive, send)
            return
        address = address_of(scope)
        keys = (f"visitor {scope[KEY] or address}", f"address {address}")
        if any(self._open[key] >= most for key, most in zip(keys, self._most, strict=True)):
            await refuse(scope, receive, send, 429, TOO_MANY, WAIT_SECONDS)
            return
        self._open.update(keys)
        try:
            await self._app(scope, receive, send)
        finally:
            self._open.subtract(keys)
            for key in keys:
                if not self._open[key]:
                    del self._open[key]
