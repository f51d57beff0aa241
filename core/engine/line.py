"""A worker at the other end of a socket: a job goes out as a line, its events come back as lines."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

from core.engine.protocol import JobSpec, WorkerLost
from core.engine.wire import decode_event, encode_spec
from core.events import Event, Failed, Finished


class Line:
    """This end of the socket, and whether what is at the other end was killed.

    ``_stop`` kills it; the socket is closed by that, or by the thread that reads it.
    """

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._state = threading.Lock()
        self._busy = False
        self._killed = False

    def events(self, spec: JobSpec, silence: float) -> Iterator[Event]:
        """Send the job and yield its events up to the last one; ``WorkerLost`` when the other end is closed."""
        with self._state:
            self._busy = True
        buffer = b""
        try:
            self._link.settimeout(silence)
            self._link.sendall(encode_spec(spec))
            while data := self._link.recv(1 << 16):
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    event = decode_event(line)
                    yield event
                    if isinstance(event, Finished | Failed):
                        return
        except TimeoutError as error:
            raise WorkerLost(f"no sign of life for {silence:g} s") from error
        except (OSError, ValueError) as error:
            raise WorkerLost("the worker's line broke") from error
        finally:
            with self._state:
                self._busy = False
                if self._killed:
                    self._link.close()
        raise WorkerLost("the worker ended")

    def kill(self) -> None:
        """Kill what is at the other end, without waiting; a thread in ``events`` finds the socket ended."""
        with self._state:
            if self._killed:
                return
            self._killed = True
            self._stop()
            if not self._busy:
                self._link.close()

    def _stop(self) -> None:
        raise NotImplementedError
