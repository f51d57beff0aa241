"""Keeps from Gradio what a client or a proxy writes of the way that a request came."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

# Gradio builds the addresses of its page from the host and the scheme that such headers name, whoever wrote them
WRITTEN = (b"x-forwarded-", b"x-gradio-", b"forwarded")


class Unforwarded:
    """ASGI middleware around Gradio: passes requests on without such headers.

    The door has read what counts of them by then: the scheme and the client are in the scope, the host was checked.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http":
            headers = [(name, value) for name, value in scope["headers"] if not name.lower().startswith(WRITTEN)]
            scope = {**scope, "headers": headers}
        await self._app(scope, receive, send)
