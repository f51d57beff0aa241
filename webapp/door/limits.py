"""What one visitor may send: so many changes in a time, and so many bytes in a body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import UserError
from webapp.door.addresses import UPLOAD
from webapp.door.buckets import Buckets
from webapp.door.origin import SAFE
from webapp.door.refusals import refuse
from webapp.door.sessions import KEY

JSON_BYTES = 4 << 20
MASK_BYTES = 8 << 20
FORM_BYTES = 1 << 20  # what a multipart form adds to its files
TOO_FAST = UserError("too_fast", "Too many requests at once.", "Wait a few seconds, then try again.")


class TooLarge(Exception):
    """More bytes came than are allowed; the answer has been sent."""


class Bounded:
    """A request whose body may have ``limit`` bytes; ``answer`` is sent to one that has more."""

    def __init__(self, receive: Receive, send: Send, limit: int, answer: Callable[[], Awaitable[None]]) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._answer = answer
        self._seen = 0
        self._over = False

    def refuses(self, content_length: str | None) -> bool:
        """Return whether the announced length is too large, or not a number."""
        if content_length is None:
            return False
        return not content_length.isdecimal() or int(content_length) > self._limit

    async def receive(self) -> Message:
        """Return the next part of the request; TooLarge once it has more bytes than allowed."""
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            if not self._over:
                self._over = True
                await self._answer()
            raise TooLarge
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer, unless the request has been refused."""
        if not self._over:
            await self._send(message)


class Limits:
    """ASGI middleware: bounds the rate and the size of a visitor's changes.

    burst, rate: changes that a visitor may send at once, and how many a second are allowed afterwards.
    upload_bytes: size of the largest file.
    """

    def __init__(self, app: ASGIApp, burst: int, rate: float, upload_bytes: int) -> None:
        self._app = app
        self._buckets = Buckets(burst, rate)
        self._upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429 too_fast or 413 too_large."""
        if scope["method"] in SAFE:
            await self._app(scope, receive, send)
        elif self._buckets.take(scope[KEY]):
            await self._bounded(scope, receive, send)
        else:
            await refuse(scope, receive, send, 429, TOO_FAST)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._limit(scope["path"])

        async def too_large() -> None:
            await refuse(scope, receive, send, 413, _too_large(limit))

        bounded = Bounded(receive, send, limit, too_large)
        if bounded.refuses(Headers(scope=scope).get("content-length")):
            await too_large()
            return
        try:
            await self._app(scope, bounded.receive, bounded.send)
        except TooLarge:
            return

    def _limit(self, path: str) -> int:
        if path.startswith(UPLOAD):
            return self._upload_bytes + FORM_BYTES
        return MASK_BYTES if path.startswith("/mask/") else JSON_BYTES


def _too_large(limit: int) -> UserError:
    size = f"{limit >> 20} MB"
    return UserError("too_large", f"The file is larger than {size}.", "Upload one scan, compressed as .nii.gz.")
