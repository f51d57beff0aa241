from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from starlette.types import Receive, Scope, Send

from tests.webapp.door.asgi import Answer, asked, finished
from webapp.door.streams import STREAMS, Streams

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


async def opened(streams: Streams, session: str | None, path: str = DATA, query: str = "") -> asyncio.Task[Answer]:
    """Begin a request, and let it go as far as it gets."""
    task = asyncio.ensure_future(asked(streams, path, session=session, query=query))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


@pytest.mark.parametrize("path", [DATA, STREAMS[1] + "page", STREAMS[2]])
def test_a_visitor_and_an_address_have_so_many(path: str) -> None:
    async def run() -> None:
        held = Held()
        streams = Streams(held, 2, 3)
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
