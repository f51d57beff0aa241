"""Notes from which address each session sends its changes, for what is counted by address deeper inside."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from webapp.door.origin import SAFE
from webapp.door.peer import address_of
from webapp.door.visitor import KEY


class Noting:
    """ASGI middleware: calls ``note(session, address)`` for each change."""

    def __init__(self, app: ASGIApp, note: Callable[[str, str], None]) -> None:
        self._app = app
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["method"] not in SAFE and scope[KEY]:
            self._note(scope[KEY], address_of(scope))
        await self._app(scope, receive, send)
