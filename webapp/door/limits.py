"""What one visitor may send: so many changes in a time, so many bytes in a body, and those without long pauses."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import anyio
from anyio import to_thread
from sqlalchemy.exc import OperationalError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import UserError
from webapp.door.addresses import PROGRAM_FILES, UPLOAD
from webapp.door.origin import SAFE
from webapp.door.peer import address_of
from webapp.door.refusals import RETRY_SECONDS, refuse
from webapp.door.upload_limits import GivenUp, Meter, UploadLimits
from webapp.door.visitor import KEY
from webapp.rates import OF_ADDRESS, Rates

JSON_BYTES = 4 << 20
MASK_BYTES = 8 << 20
FORM_BYTES = 1 << 20  # what a multipart form adds to its files
# a pause within a body, and the rate that it must have on the whole: a bad mobile connection has ten times as much
PAUSE_SECONDS = 30.0
BYTES_PER_SECOND = 1024
TOO_SLOW = UserError("too_slow", "The request came too slowly and was given up.", "Try again on a better connection.")
TOO_FAST = UserError("too_fast", "Too many requests at once.", "Wait a few seconds, then try again.")
# where uploads arrive, which take from a day's bytes and from the disk
KEPT = (UPLOAD, "/mask/", PROGRAM_FILES)


class Bounded:
    """A request whose body may have ``limit`` bytes and must come without long pauses.

    meter: counts an upload. clock: seconds that only go forwards.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        limit: int,
        meter: Meter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._meter = meter
        self._clock = clock
        self._seen = 0
        self._waited = 0.0
        self._whole = False
        self.answered = False
        self.given_up: GivenUp | None = None

    def require_length(self, announced: str | None) -> None:
        """Raise GivenUp for a Content-Length that is too large, no number or more than may be kept."""
        if announced is not None and (not announced.isdecimal() or int(announced) > self._limit):
            raise self._give_up(413, too_large(self._limit))
        if announced is not None and self._meter is not None:
            self._metered(self._meter.announce, int(announced))

    async def receive(self) -> Message:
        """Return the next part of the request; GivenUp once it has more bytes than allowed, or takes too long."""
        if self.given_up is not None:
            raise self.given_up
        if self._whole:
            # what is waited for now is the end of the connection
            return await self._receive()
        begun = self._clock()
        with anyio.move_on_after(self._patience()):
            message = await self._receive()
            self._waited += self._clock() - begun
            self._whole = not message.get("more_body", False)
            self._seen += len(message.get("body", b""))
            if self._seen > self._limit:
                raise self._give_up(413, too_large(self._limit))
            if self._meter is not None:
                self._metered(self._meter.count, len(message.get("body", b"")))
            return message
        raise self._give_up(408, TOO_SLOW)

    async def send(self, message: Message) -> None:
        """Send a part of the answer, unless the request is given up: the application does not know why."""
        if self.given_up is None:
            self.answered = True
            await self._send(message)

    def _patience(self) -> float:
        """Return for how many seconds the next part is waited for; the time that the server takes does not count."""
        left = PAUSE_SECONDS + self._seen / BYTES_PER_SECOND - self._waited
        return max(0.0, min(PAUSE_SECONDS, left))

    def _metered(self, count: Callable[[int], None], size: int) -> None:
        try:
            count(size)
        except GivenUp as given_up:
            self.given_up = given_up
            raise

    def _give_up(self, status: int, error: UserError) -> GivenUp:
        self.given_up = GivenUp(status, error, RETRY_SECONDS)
        return self.given_up


class Limits:
    """ASGI middleware: bounds the number, the size and the time of a visitor's changes.

    burst, rate: changes that a visitor may send at once, and how many a second on average in the time for a burst; who
    come from one address together OF_ADDRESS times as many.
    upload_bytes: size of the largest file. uploads: how much may be uploaded in all.
    """

    def __init__(self, app: ASGIApp, burst: int, rate: float, upload_bytes: int, uploads: UploadLimits) -> None:
        self._app = app
        self._rates = Rates(burst, burst / rate)
        self._of_addresses = Rates(OF_ADDRESS * burst, burst / rate)
        self._upload_bytes = upload_bytes
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429 too_fast or upload_limit, 413, 408 too_slow or 507."""
        if scope["method"] in SAFE:
            await self._app(scope, receive, send)
        elif wait := self._wait(scope):
            await refuse(scope, receive, send, 429, TOO_FAST, wait)
        else:
            await self._bounded(scope, receive, send)

    def _wait(self, scope: Scope) -> float:
        address = address_of(scope)
        return self._rates.take(scope[KEY] or address) or self._of_addresses.take(address)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = scope["path"].startswith(KEPT)
        address = address_of(scope)
        meter = self._uploads.meter(scope[KEY] or address, address) if kept else None
        bounded = Bounded(receive, send, self._limit(scope["path"]), meter)
        try:
            bounded.require_length(Headers(scope=scope).get("content-length"))
            await self._app(scope, bounded.receive, bounded.send)
        except Exception:
            if bounded.given_up is None:
                raise
        finally:
            if meter is not None:
                await self._kept(meter)
        end = bounded.given_up
        if end is not None and not bounded.answered:
            await refuse(scope, receive, send, end.status, end.error, end.wait)

    async def _kept(self, meter: Meter) -> None:
        # also when the client has gone; the next upload writes what a busy database refuses
        with anyio.CancelScope(shield=True), suppress(OperationalError):
            await to_thread.run_sync(meter.keep)

    def _limit(self, path: str) -> int:
        if path.startswith((UPLOAD, PROGRAM_FILES)):
            return self._upload_bytes + FORM_BYTES
        return MASK_BYTES if path.startswith("/mask/") else JSON_BYTES


def too_large(limit: int) -> UserError:
    """Return the error for a file of more than ``limit`` bytes."""
    size = f"{limit >> 20} MB"
    return UserError("too_large", f"The file is larger than {size}.", "Upload one scan, compressed as .nii.gz.")
