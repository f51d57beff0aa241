from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from starlette.types import Message, Receive, Scope, Send

from webapp.door import limits
from webapp.door.limits import Bounded, Buckets, Owners, read_bounded

T = TypeVar("T")


def finished(steps: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: the browser of other tests keeps a loop on the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, steps).result()


class Clock:
    """A clock that stands still until told."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_a_bucket_empties_and_fills_at_its_rate() -> None:
    clock = Clock()
    buckets = Buckets(3, 2.0, clock)
    assert [buckets.take("a") for _ in range(4)] == [True, True, True, False]
    assert buckets.take("b")
    clock.now = 0.49
    assert not buckets.take("a")
    clock.now = 0.5
    assert [buckets.take("a") for _ in range(2)] == [True, False]
    clock.now = 1000.0
    assert [buckets.take("a") for _ in range(4)] == [True, True, True, False]


def test_what_is_nobodys_goes_to_the_first() -> None:
    owners = Owners()
    assert owners.claim("page", "a") and owners.claim("page", "a")
    assert not owners.claim("page", "b") and not owners.owns("page", "b")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 3)
    owners, buckets = Owners(), Buckets(1, 1.0)
    for number in range(10):
        owners.add(str(number), "a")
        buckets.take(str(number))
    assert [owners.owns(str(number), "a") for number in (6, 7, 9)] == [False, True, True]
    assert not buckets.take("9") and buckets.take("0")


def body_of(*chunks: bytes) -> Receive:
    waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return waiting.pop(0)

    return receive


def bounded(limit: int, *chunks: bytes) -> tuple[Bounded, list[Message]]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def refuse(send: Send) -> None:
        await send({"type": "refused"})

    return Bounded(body_of(*chunks), send, limit, refuse), sent


def test_a_body_within_its_bound_is_read() -> None:
    request, sent = bounded(6, b"abc", b"def")
    assert finished(read_bounded(request)) == b"abcdef" and sent == []


def test_a_body_beyond_its_bound_is_answered_once() -> None:
    request, sent = bounded(5, b"abc", b"def", b"ghi")
    assert finished(read_bounded(request)) is None
    assert finished(read_bounded(request)) is None
    assert sent == [{"type": "refused"}]


def test_an_application_that_hides_the_refusal_is_not_heard() -> None:
    request, sent = bounded(5, b"abc", b"def")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while True:
                await receive()
        except limits.TooLarge:
            await send({"type": "http.response.start", "status": 400})

    finished(request.run(app, {"type": "http"}))
    assert sent == [{"type": "refused"}]


@pytest.mark.parametrize(("length", "refused"), [(None, False), ("5", False), ("6", True), ("-1", True), ("1e3", True)])
def test_an_announced_length_is_checked(length: str | None, refused: bool) -> None:
    assert bounded(5)[0].refuses(length) is refused
