"""To whom an upload and a page belong: Gradio itself lets everybody name those of everybody else."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from typing import Protocol
from urllib.parse import unquote

from anyio import to_thread
from sqlalchemy.exc import OperationalError
from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import UserError
from webapp.door.addresses import API, FILE, UPLOAD
from webapp.door.bodies import Body, inspect
from webapp.door.origin import SAFE
from webapp.door.refusals import BUSY, CLOSED, refuse
from webapp.door.visitor import KEY

# Gradio's pages and uploads in progress have random names of a dozen letters and digits
PAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
PAGE_FIELDS = ("session_hash", "upload_id")
HEARTBEAT = API + "heartbeat/"


# names that were found to be somebody's are remembered, the newest; an owner never changes
REMEMBERED = 20_000


class Pages(Protocol):
    """To whom open pages belong."""

    def claim_page(self, name: str, session_id: str) -> bool:
        """Give the page ``name`` to a session if it is nobody's, and return whether it is this session's."""


class Files(Protocol):
    """Whose files are whose, decided by their paths alone."""

    def owns(self, path: str, session: str) -> bool:
        """Return whether ``path`` is an upload of ``session``."""

    def mentioned(self, text: str) -> bool:
        """Return whether ``text`` names the folder of uploads."""


class Ownership:
    """ASGI middleware: refuses requests that name an upload or a page (Gradio's session_hash) of another session.

    The first session to name a page owns it. A file is an upload of the session itself or is refused, wherever its
    path or address leads.
    """

    def __init__(self, app: ASGIApp, files: Files, pages: Pages) -> None:
        self._app = app
        self._files = files
        self._pages = pages
        self._claimed: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._claiming = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403 closed or bad_request, or 503 busy."""
        path, session = scope["path"], scope[KEY]
        if not path.startswith(API):
            await self._app(scope, receive, send)
            return
        try:
            # owners are kept in the database
            owned = await to_thread.run_sync(self._owns_address, scope, session)
        except OperationalError:
            await refuse(scope, receive, send, 503, BUSY)
            return
        if not owned:
            await refuse(scope, receive, send, 403, CLOSED)
        elif scope["method"] in SAFE or path == UPLOAD:
            await self._app(scope, receive, send)
        else:
            await self._change(scope, receive, send, session)

    def _owns_address(self, scope: Scope, session: str | None) -> bool:
        path = scope["path"]
        if path.startswith(FILE):
            return session is not None and self._files.owns(path.removeprefix(FILE), session)
        query = QueryParams(scope["query_string"])
        named = [name for field in PAGE_FIELDS for name in query.getlist(field)]
        if path.startswith(HEARTBEAT):
            named.append(path.removeprefix(HEARTBEAT).rstrip("/"))
        return not named or (session is not None and all(self._owns_page(name, session) for name in named))

    async def _change(self, scope: Scope, receive: Receive, send: Send, session: str) -> None:
        """Look for pages and files in a body, then pass it on."""
        body = await read_body(receive)
        if body is None:
            return
        host = Headers(scope=scope).get("host", "")
        try:
            owned = await to_thread.run_sync(lambda: self._owns_body(inspect(body), session, host))
        except UserError as error:
            await refuse(scope, receive, send, 403, error)
            return
        except OperationalError:
            await refuse(scope, receive, send, 503, BUSY)
            return
        if owned:
            await self._app(scope, replay(body, receive), send)
        else:
            await refuse(scope, receive, send, 403, CLOSED)

    def _owns_body(self, body: Body, session: str, host: str) -> bool:
        if body.page is not None and not self._owns_page(body.page, session):
            return False
        for file in body.files:
            if not all(value in (None, "") or self._owns_file(value, session, host) for value in file.values()):
                return False
        return all(self._owns_file(text, session, host) for text in body.texts if self._files.mentioned(text))

    def _owns_page(self, name: object, session: str) -> bool:
        if not isinstance(name, str) or PAGE_NAME.fullmatch(name) is None:
            return False
        with self._claiming:
            if (name, session) in self._claimed:
                self._claimed.move_to_end((name, session))
                return True
        owned = self._pages.claim_page(name, session)
        if owned:
            with self._claiming:
                self._claimed[name, session] = None
                while len(self._claimed) > REMEMBERED:
                    self._claimed.popitem(last=False)
        return owned

    def _owns_file(self, value: object, session: str, host: str) -> bool:
        """Return whether a value is the path of an upload of ``session``, or its address on this server."""
        if not isinstance(value, str):
            return False
        before, mark, path = value.partition(FILE)
        if not mark:
            return self._files.owns(value, session)
        ours = before in ("", f"http://{host}", f"https://{host}")
        return ours and any(self._files.owns(one, session) for one in (path, unquote(path)))


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
