from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import UserError
from tests.webapp.door.asgi import Answer, asked, finished
from webapp.door import streams as module
from webapp.door.addresses import ACCESS
from webapp.door.identity import Identity
from webapp.door.streams import STREAMS, Streams
from webapp.door.visitor import VISITOR, Visitor

DATA = STREAMS[0]


@dataclass
class Held:
    """An application whose streams end once ``end`` is set, some of them by an error."""

    end: asyncio.Event = field(default_factory=asyncio.Event)
    begun: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        self.begun += 1
        if scope["path"].startswith(STREAMS):
            await self.end.wait()
        if scope["query_string"] == b"fails":
            raise RuntimeError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@dataclass
class Known:
    """Who sends every request, or the error in place of it; ``ends`` is how many visits were ended."""

    visitor: Visitor | Exception | None = field(default_factory=lambda: Visitor("a", "visitor"))
    ends: int = 0

    def of(self, scope: Scope) -> Visitor | None:
        """Return the visitor."""
        if isinstance(self.visitor, Exception):
            raise self.visitor
        return self.visitor


def made(held: Held, known: Known | None = None, most: tuple[int, int] = (9, 9)) -> Streams:
    return Streams(held, cast(Identity, known or Known()), *most)


async def opened(streams: Streams, session: str | None, path: str = DATA, query: str = "") -> asyncio.Task[Answer]:
    """Begin a request, and let it go as far as it gets."""
    task = asyncio.ensure_future(asked(streams, path, session=session, query=query))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


def test_a_stream_is_passed_on_as_it_comes() -> None:
    async def run() -> None:
        held = Held()
        held.end.set()
        streams = made(held)
        stream, other = await asked(streams, DATA, session="a"), await asked(streams, "/config", session="a")
        assert stream.headers["x-accel-buffering"] == "no" and "x-accel-buffering" not in other.headers

    finished(run())


@pytest.mark.parametrize(("cause", "ends"), [(HTTPException(404), True), (KeyError("page"), False)])
def test_a_page_that_gradio_no_longer_knows_is_no_fault_of_the_server(cause: Exception, ends: bool) -> None:
    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data: gone\n\n", "more_body": True})
        # as Starlette raises what comes after the answer has begun
        raise RuntimeError from cause

    async def run() -> None:
        streams = Streams(stream, cast(Identity, Known()), 9, 9)
        if ends:
            assert (await asked(of_visitor(streams, Visitor("a", "visitor")), DATA, session="a")).status == 200
        else:
            with pytest.raises(RuntimeError):
                await asked(of_visitor(streams, Visitor("a", "visitor")), DATA, session="a")
        assert streams._open == {}

    finished(run())


@pytest.mark.parametrize("path", [DATA, STREAMS[1] + "page", STREAMS[2]])
def test_a_visitor_and_an_address_have_so_many(path: str) -> None:
    async def run() -> None:
        held = Held()
        streams = made(held, most=(2, 3))
        first = [await opened(streams, "a", path), await opened(streams, "a", path, "fails")]
        over = await (await opened(streams, "a", path))
        assert (over.status, over.code, over.headers["retry-after"]) == (429, "too_many_streams", "30")
        # another visitor of the same address has the third, and one more has none
        first.append(await opened(streams, "b", path))
        assert (await (await opened(streams, "c", path))).status == 429
        # what is no stream is not counted
        assert (await (await opened(streams, "a", "/config"))).status == 200
        held.end.set()
        ended = await asyncio.gather(*first, return_exceptions=True)
        assert [type(one) for one in ended] == [Answer, RuntimeError, Answer]
        # all places are free again
        assert (await (await opened(streams, "a", path))).status == 200
        assert streams._open == {}

    finished(run())


def of_visitor(streams: Streams, visitor: Visitor) -> ASGIApp:
    """What comes before: the access of the address and the visitor stand in the request."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope.update({ACCESS: "work", VISITOR: visitor})
        await streams(scope, receive, send)

    return app


async def silent() -> dict[str, object]:
    await asyncio.Event().wait()
    return {}


@pytest.mark.parametrize(
    ("found", "announced", "cut"),
    [
        (None, True, True),
        (None, False, True),
        (UserError("visit_ended", "Over.", "Go."), True, True),
        (Visitor("b", "visitor"), True, True),
        (Visitor("a", "rater"), True, True),
        (Visitor("a", "admin"), True, False),
        (Visitor("a", "visitor"), True, False),
        (OperationalError("SELECT 1", {}, Exception("busy")), True, False),
    ],
)
def test_a_stream_ends_with_the_visit(
    monkeypatch: pytest.MonkeyPatch, found: Visitor | Exception | None, announced: bool, cut: bool
) -> None:
    """Also one that nobody announced here, because another server ended it; the answer is whole."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)

    async def run() -> None:
        held, known = Held(), Known()
        streams = made(held, known)
        app = of_visitor(streams, Visitor("a", "visitor"))
        task = asyncio.ensure_future(asked(app, DATA, session="a", receive=silent))
        await asyncio.sleep(0.05)
        assert not task.done()
        known.visitor = found
        known.ends += announced
        done, _ = await asyncio.wait([task], timeout=5 if cut else 0.1)
        assert bool(done) == cut
        held.end.set()
        assert (await task).status == (204 if cut else 200)
        assert streams._open == {}

    finished(run())
