from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from tests.webapp.door.asgi import finished
from webapp.door import patience
from webapp.door.patience import PatientProtocol

LIMIT = 30.0  # seconds until a test gives up


@asynccontextmanager
async def serving(
    app: ASGIApp, keep_alive: int = 5
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Serve ``app`` and give a connection to it; keep_alive: seconds after which it is closed when nothing comes."""
    config = uvicorn.Config(app, lifespan="off", log_level="critical", timeout_keep_alive=keep_alive)
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: PatientProtocol(config, state, {}), "127.0.0.1", 0)
    try:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2], limit=1 << 10)
        yield reader, writer
        writer.close()
    finally:
        server.close()


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
@pytest.mark.parametrize("half", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_client_that_sends_no_request_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, before: bytes, half: bytes
) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.1)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "")

    async def run() -> bytes:
        async with serving(hello) as (reader, writer):
            writer.write(before + half)
            return await asyncio.wait_for(reader.read(-1), LIMIT)

    assert finished(run()).count(b"200 OK") == (1 if before else 0)


def test_a_proxy_may_send_its_next_request_later_than_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies keep connections for minutes; one that was closed as they used it again was answered by 502."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.1)
    one = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    async def run() -> bytes:
        async with serving(hello, keep_alive=0) as (reader, writer):
            writer.write(one)
            first = await asyncio.wait_for(reader.readuntil(b"ok"), LIMIT)
            await asyncio.sleep(0.4)
            writer.write(one)
            return first + await asyncio.wait_for(reader.read(1 << 10), LIMIT)

    for trusted, answers in (("127.0.0.1", 2), ("10.0.0.1", 1)):
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
        assert finished(run()).count(b"200 OK") == answers


def test_an_answer_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.05)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "")

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.5)
        await hello(scope, receive, send)

    async def run() -> bytes:
        async with serving(slow) as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            return await asyncio.wait_for(reader.read(-1), LIMIT)

    assert finished(run()).endswith(b"ok")


def test_a_client_that_reads_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "READ_SECONDS", 0.2)

    async def run() -> None:
        over = asyncio.Event()

        async def endless(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while (await asyncio.wait_for(_peek(receive), LIMIT)) != "http.disconnect":
                await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
            over.set()

        async with serving(endless) as (_, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.wait_for(over.wait(), LIMIT)

    finished(run())


async def _peek(receive: Receive) -> str:
    """Return what has come meanwhile, without waiting for it."""
    try:
        return str((await asyncio.wait_for(receive(), 0.001))["type"])
    except TimeoutError:
        return ""
