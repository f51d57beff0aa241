"""What is counted of every request, and the name by which the log and an error page know it."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from webapp.door.addresses import ACCESS
from webapp.door.limits import KEPT
from webapp.door.refusals import CODE, REQUEST
from webapp.door.streams import is_stream
from webapp.store.clock import new_id
from webapp.telemetry import log
from webapp.telemetry.metrics import Metrics

ID_LETTERS = 12
# the access of a request that was answered before its address was looked up
UNKNOWN = "none"


class Watch:
    """ASGI middleware: names a request, in its scope, its answer and the log, and counts it; clock: seconds."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        name = scope[REQUEST] = new_id()[:ID_LETTERS]
        seen = _Seen()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = name
            await send(message)

        async def receiving() -> Message:
            message = await receive()
            self._metrics.upload_bytes.inc(len(message.get("body", b"")))
            return message

        with bound_contextvars(**{log.REQUEST: name}):
            if is_stream(scope["path"]):
                with self._metrics.streams.track_inprogress():
                    await self._app(scope, receive, sending)
                self._count(scope, seen.status)
                return
            begun = self._clock()
            try:
                await self._app(scope, receiving if scope["path"].startswith(KEPT) else receive, sending)
            finally:
                seconds = self._clock() - begun
                self._metrics.request_seconds.labels(scope.get(ACCESS, UNKNOWN)).observe(seconds)
                self._count(scope, seen.status)

    def _count(self, scope: Scope, status: int) -> None:
        self._metrics.requests.labels(scope.get(ACCESS, UNKNOWN), str(status)).inc()
        if CODE in scope:
            self._metrics.refusals.labels(scope[CODE]).inc()


class _Seen:
    """The status of an answer; 500 until one begins."""

    status = 500
