"""A tiny application behind one middleware, and requests to it, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.door.visitor import KEY

T = TypeVar("T")


def finished(steps: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: the browser of other tests keeps a loop on the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, steps).result()


def body_of(*chunks: bytes) -> Receive:
    """Return a ``receive`` that gives a body in parts."""
    waiting: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    return receive


@dataclass
class Inner:
    """An application that reads the whole body and answers 200; ``seen`` are the requests that reached it."""

    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b"ok"
    seen: list[tuple[Scope, bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.seen.append((scope, body))
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.answer})


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Headers
    body: bytes

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(json.loads(self.body)["code"])


def ask(
    app: ASGIApp,
    path: str = "/",
    method: str = "GET",
    *,
    headers: dict[str, str] | None = None,
    body: Iterable[bytes] = (),
    session: str | None = None,
    scheme: str = "http",
    query: str = "",
) -> Answer:
    """Send one request to ``app`` and return its answer; session: the session that it already has."""
    return finished(asked(app, path, method, headers=headers, body=body, session=session, scheme=scheme, query=query))


async def asked(
    app: ASGIApp,
    path: str = "/",
    method: str = "GET",
    *,
    headers: dict[str, str] | None = None,
    body: Iterable[bytes] = (),
    session: str | None = None,
    scheme: str = "http",
    query: str = "",
    receive: Receive | None = None,
) -> Answer:
    """Send one request to ``app`` from a running loop."""
    named = {"host": "127.0.0.1:7860", **(headers or {})}
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "scheme": scheme,
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        KEY: session,
    }
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive or body_of(*body), send)
    start = next(message for message in sent if message["type"] == "http.response.start")
    content = b"".join(message.get("body", b"") for message in sent)
    return Answer(start["status"], Headers(raw=start["headers"]), content)
