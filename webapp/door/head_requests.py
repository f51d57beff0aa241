"""Requests for the head of an answer alone, as those who watch servers send them: answered as the whole would be."""

from __future__ import annotations

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.door.refusals import CODE


class HeadRequests:
    """ASGI middleware: passes HEAD on as GET, sends the head of the answer, and ends what would send the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        # the server looks at its own scope to leave the body out
        inner = {**scope, "method": "GET"}
        with anyio.CancelScope() as whole:

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    if CODE in inner:
                        scope[CODE] = inner[CODE]
                    await send(message)
                    await send({"type": "http.response.body", "body": b""})
                    whole.cancel()

            await self._app(inner, receive, sending)
