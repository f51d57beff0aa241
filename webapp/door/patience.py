"""How long the server waits for a slow client: for the head of a request, and for it to read an answer."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from webapp.door.proxies import Proxies, plain

# to send the head of a request, and the most that an idle connection is kept
HEAD_SECONDS = 20.0
# for which a connection of a proxy is kept: longer than proxies keep theirs, or one would send the next request into a
# connection that is just being closed, and answer 502
PROXY_SECONDS = 620
# without reading anything of an answer that waits
READ_SECONDS = 300.0


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, but a connection that sends no request or reads no answer is closed.

    Bodies are the business of ``webapp.door.limits``.
    """

    _head: asyncio.TimerHandle | None = None
    _read: asyncio.TimerHandle | None = None
    _idle_seconds: float

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._idle_seconds = HEAD_SECONDS
        if self.client is not None and plain(self.client[0]) in Proxies():
            self._idle_seconds = self.timeout_keep_alive = PROXY_SECONDS
        self._wait_for_head(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self._wait_for_head(self._idle_seconds)

    def pause_writing(self) -> None:
        """Begin to wait for the client to read."""
        super().pause_writing()
        if self._read is None:
            self._read = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads."""
        super().resume_writing()
        if self._read is not None:
            self._read.cancel()
            self._read = None

    def _wait_for_head(self, seconds: float) -> None:
        if self._head is not None:
            self._head.cancel()
        self._head = self.loop.call_later(seconds, self._close_idle)

    def _close_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _stop_waiting(self) -> None:
        for timer in (self._head, self._read):
            if timer is not None:
                timer.cancel()
