"""To whom an upload and a page belong: Gradio itself lets everybody name those of everybody else."""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.door.addresses import API, FILE, UPLOAD
from webapp.door.origin import SAFE
from webapp.door.refusals import CLOSED, refuse
from webapp.door.sessions import KEY

REMEMBERED = 100_000
LISTING_BYTES = 1 << 20
HEARTBEAT = API + "heartbeat/"


class Owners:
    """Which sessions something belongs to; the oldest entries are forgotten first."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, set[str]] = OrderedDict()

    def add(self, thing: str, session: str) -> None:
        """Note that ``thing`` belongs to ``session`` too."""
        self._owners.setdefault(thing, set()).add(session)
        while len(self._owners) > REMEMBERED:
            self._owners.popitem(last=False)

    def owns(self, thing: str, session: str) -> bool:
        """Return whether ``thing`` belongs to ``session``."""
        return session in self._owners.get(thing, ())

    def claim(self, thing: str, session: str) -> bool:
        """Give ``thing`` to ``session`` if it is nobody's, and return whether it is this session's."""
        if thing not in self._owners:
            self.add(thing, session)
        return self.owns(thing, session)


class Ownership:
    """ASGI middleware: refuses requests that name an upload or a page (Gradio's session_hash) of another session.

    uploads: folder of Gradio's uploads. The first session to name a page owns it.
    """

    def __init__(self, app: ASGIApp, uploads: Path) -> None:
        self._app = app
        self._uploads = os.path.realpath(uploads)
        self._files = Owners()
        self._pages = Owners()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403 closed."""
        path, session = scope["path"], scope[KEY]
        if not path.startswith(API):
            await self._app(scope, receive, send)
        elif not self._owns_address(scope, session):
            await refuse(scope, receive, send, 403, CLOSED)
        elif scope["method"] in SAFE:
            await self._app(scope, receive, send)
        elif path.rstrip("/") == UPLOAD:
            await self._app(scope, receive, self._recorder(send, session))
        else:
            await self._change(scope, receive, send, session)

    def _owns_address(self, scope: Scope, session: str | None) -> bool:
        path = scope["path"]
        if path.startswith(FILE):
            return session is not None and self._files.owns(os.path.realpath(path.removeprefix(FILE)), session)
        named = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_hash", [])
        if path.startswith(HEARTBEAT):
            named = [path.removeprefix(HEARTBEAT).strip("/")]
        if not named:
            return True
        return session is not None and all(self._pages.claim(page, session) for page in named)

    async def _change(self, scope: Scope, receive: Receive, send: Send, session: str) -> None:
        """Look for pages and files in a body, then pass it on."""
        body = await read_body(receive)
        if body is None:
            return
        if "json" in Headers(scope=scope).get("content-type", "") and not self._owns_body(body, session):
            await refuse(scope, receive, send, 403, CLOSED)
            return
        await self._app(scope, replay(body, receive), send)

    def _owns_body(self, body: bytes, session: str) -> bool:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return False
        page = content.get("session_hash") if isinstance(content, dict) else None
        if page is not None and not self._pages.claim(str(page), session):
            return False
        return all(self._files.owns(path, session) for path in _paths(content) if self._is_upload(path))

    def _is_upload(self, path: str) -> bool:
        return os.path.realpath(path).startswith(self._uploads + os.sep)

    def _recorder(self, send: Send, session: str) -> Send:
        """Return a ``send`` that notes the paths listed in a JSON answer before it passes the answer on."""
        status, chunks = 0, bytearray()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif status == 200 and len(chunks) < LISTING_BYTES:
                chunks.extend(message.get("body", b""))
                if not message.get("more_body"):
                    for path in json.loads(bytes(chunks)):
                        self._files.add(os.path.realpath(str(path)), session)
            await send(message)

        return sending


async def read_body(receive: Receive) -> bytes | None:
    """Return the whole body of a request; None when the client has gone."""
    chunks = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.extend(message.get("body", b""))
        if not message.get("more_body"):
            return bytes(chunks)


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives ``body`` first, as one part."""
    waiting = [body]

    async def receiving() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receiving


def _paths(content: object) -> list[str]:
    """Return every text in a JSON value: any of them may be taken for a path."""
    found, todo = [], [content]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return [text for text in found if "/" in text and len(text) < 4096 and "\0" not in text]
