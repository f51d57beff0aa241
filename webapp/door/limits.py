"""What the guard counts and remembers: bytes of a body, requests of a session, owners of files and pages."""

from __future__ import annotations

import json
import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Value = TypeVar("Value")

REMEMBERED = 100_000
LISTING_BYTES = 1 << 20


class TooLarge(Exception):
    """More bytes came than are allowed; the answer has been sent."""


class Buckets:
    """A token bucket for each session: ``burst`` at once, ``rate`` per second afterwards."""

    def __init__(self, burst: int, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = float(burst)
        self._rate = rate
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, session: str) -> bool:
        """Take one token; False when there is none."""
        moment = self._clock()
        level, filled = self._levels.pop(session, (self._burst, moment))
        level = min(self._burst, level + (moment - filled) * self._rate)
        allowed = level >= 1.0
        self._levels[session] = (level - 1.0 if allowed else level, moment)
        _forget(self._levels)
        return allowed


class Owners:
    """Which sessions something belongs to; the oldest entries are forgotten first."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, set[str]] = OrderedDict()

    def add(self, thing: str, session: str) -> None:
        """Note that ``thing`` belongs to ``session`` too."""
        self._owners.setdefault(thing, set()).add(session)
        _forget(self._owners)

    def owns(self, thing: str, session: str) -> bool:
        """Whether ``thing`` belongs to ``session``."""
        return session in self._owners.get(thing, ())

    def claim(self, thing: str, session: str) -> bool:
        """Give ``thing`` to ``session`` if it is nobody's, and return whether it is this session's."""
        if thing not in self._owners:
            self.add(thing, session)
        return self.owns(thing, session)

    def recorder(self, send: Send, session: str) -> Send:
        """Return a ``send`` that notes the paths listed in a JSON answer before it passes the answer on."""
        status, chunks = 0, bytearray()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif status == 200 and len(chunks) < LISTING_BYTES:
                chunks.extend(message.get("body", b""))
                if not message.get("more_body"):
                    self._note(bytes(chunks), session)
            await send(message)

        return sending

    def _note(self, listing: bytes, session: str) -> None:
        for path in json.loads(listing):
            self.add(os.path.realpath(str(path)), session)


@dataclass
class Bounded:
    """A request whose body may have ``limit`` bytes; ``refuse`` answers one that has more."""

    receive: Receive
    send_on: Send
    limit: int
    refuse: Callable[[Send], Awaitable[None]]

    def __post_init__(self) -> None:
        self._seen = 0
        self._over = False

    def refuses(self, content_length: str | None) -> bool:
        """Whether the announced length alone is too much, or no length at all."""
        if content_length is None:
            return False
        return not content_length.isdecimal() or int(content_length) > self.limit

    async def take(self) -> Message:
        """Return the next part of the request; TooLarge once it has more bytes than allowed."""
        message = await self.receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self.limit:
            if not self._over:
                self._over = True
                await self.refuse(self.send_on)
            raise TooLarge
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer, unless the request has been refused."""
        if not self._over:
            await self.send_on(message)

    async def run(self, app: ASGIApp, scope: Scope, send: Send | None = None, body: bytes | None = None) -> None:
        """Let ``app`` answer; ``body`` is one that has been read already."""
        receive = self.take if body is None else _replay(body, self.receive)
        try:
            await app(scope, receive, send or self.send)
        except TooLarge:
            return


async def read_bounded(bounded: Bounded) -> bytes | None:
    """Return the whole body; None when it was too large, and answered, or the client has gone."""
    chunks = bytearray()
    while True:
        try:
            message = await bounded.take()
        except TooLarge:
            return None
        if message["type"] == "http.disconnect":
            return None
        chunks.extend(message.get("body", b""))
        if not message.get("more_body"):
            return bytes(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [body]

    async def receiving() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receiving


def _forget(memory: OrderedDict[str, Value]) -> None:
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)
