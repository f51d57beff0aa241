"""Streams of events, each of which holds a connection: how many a visitor may have, and their end with the visit."""

from __future__ import annotations

import asyncio
from collections import Counter

import anyio
from anyio import to_thread
from sqlalchemy.exc import OperationalError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import UserError
from webapp.door.addresses import ACCESS, API, JOB_EVENTS
from webapp.door.identity import Identity
from webapp.door.peer import address_of
from webapp.door.refusals import refuse
from webapp.door.route_table import NEEDED
from webapp.door.visitor import KEY, VISITOR
from webapp.roles import covers

# and calls that may wait for a job
STREAMS = (API + "queue/data", API + "heartbeat/", API + "upload_progress", "/mcp")
TOO_MANY = UserError(
    "too_many_streams", "Too many pages are open from here.", "Close some of them, then reload this one."
)
WAIT_SECONDS = 30.0
# how often it is looked whether a visit was ended here; after so many looks those that others ended are looked for
LOOK_SECONDS = 1.0
LOOKS = 15


def is_stream(path: str) -> bool:
    """Return whether an address gives events for as long as they come."""
    return path.startswith(STREAMS) or JOB_EVENTS.fullmatch(path) is not None


class Streams:
    """ASGI middleware: bounds the open streams of a visitor, and of an address, whoever comes from it.

    A stream is cut when its visitor is signed out, or is closed out or has lost the role for it: a second after this
    server does so, within a quarter of a minute when another server or the command line does.
    """

    def __init__(self, app: ASGIApp, identity: Identity, of_visitor: int, of_address: int) -> None:
        self._app = app
        self._identity = identity
        self._most = (of_visitor, of_address)
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429 too_many_streams."""
        if not is_stream(scope["path"]):
            await self._app(scope, receive, send)
            return
        address = address_of(scope)
        keys = (f"visitor {scope[KEY] or address}", f"address {address}")
        if any(self._open[key] >= most for key, most in zip(keys, self._most, strict=True)):
            await refuse(scope, receive, send, 429, TOO_MANY, WAIT_SECONDS)
            return
        self._open.update(keys)
        try:
            await self._while_here(scope, receive, send)
        finally:
            self._open.subtract(keys)
            for key in keys:
                if not self._open[key]:
                    del self._open[key]

    async def _while_here(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a stream on until it ends, or until its visitor may no longer be here."""
        if scope[KEY] is None:
            # nobody whose visit could end
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                # nginx keeps what it is sent until there is more of it, unless it is told not to
                MutableHeaders(scope=message).setdefault("x-accel-buffering", "no")
            await send(message)

        with anyio.CancelScope() as stream:
            watching, gone = asyncio.ensure_future(self._cut(stream, scope)), False
            try:
                await self._app(scope, receive, sending)
            except RuntimeError as error:
                # the page of a server before this one, or that slept: Gradio has told it by an event, then it raises
                if not (begun and isinstance(error.__cause__, HTTPException)):
                    raise
                gone = True
            finally:
                watching.cancel()
        if stream.cancelled_caught or gone:
            # the connection ends in order, as that of a stream that is over
            if not begun:
                await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async def _cut(self, stream: anyio.CancelScope, scope: Scope) -> None:
        """End a stream once its visitor may no longer be here."""
        ends, looks = self._identity.ends, 0
        while True:
            await anyio.sleep(LOOK_SECONDS)
            looks += 1
            if ends == self._identity.ends and looks < LOOKS:
                continue
            ends, looks = self._identity.ends, 0
            if not await to_thread.run_sync(self._is_here, scope):
                stream.cancel()
                return

    def _is_here(self, scope: Scope) -> bool:
        try:
            now, then = self._identity.of(scope), scope[VISITOR]
        except UserError:
            return False
        except OperationalError:
            # looked up again soon
            return True
        return now is not None and now.session == then.session and covers(now.role, NEEDED[scope[ACCESS]])
