"""The local engine: warm spawned children on this machine, each running one job at a time."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

from core.engine.child_process import start
from core.engine.execute import TASKS
from core.engine.pool import Pool
from core.engine.protocol import JobSpec, WorkerLost
from core.engine.wire import decode_event, encode_spec
from core.events import Event, Failed, Finished

log = logging.getLogger(__name__)


class _Child:
    """One child, which leads a group of processes, and the socket to it."""

    def __init__(self, tasks: str, preload: bool, threads: int) -> None:
        self._state = threading.Lock()
        self._busy = False
        self._killed = False
        self._link, theirs = socket.socketpair()
        with theirs:
            environment = {"COUNTERSCAN_THREADS": str(threads)} if threads else {}
            self.process = start(
                "core.engine.worker", theirs, tasks, "preload" if preload else "lazy", environment=environment
            )

    def events(self, spec: JobSpec, silence: float) -> Iterator[Event]:
        """Send the job and yield its events up to the last one; ``WorkerLost`` at the end of the child."""
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

    def usable(self) -> bool:
        """Return whether the child lives and was not killed; what a dead one has started is killed."""
        if self.process.poll() is not None:
            self.kill()
        return not self._killed

    def kill(self) -> None:
        """Kill the child and all that it has started, without waiting; a thread in ``events`` finds the socket ended.

        The socket is closed, or that is left to the thread that reads it.
        """
        with self._state:
            if self._killed:
                return
            self._killed = True
            # the number of a dead child stays that of its group while there is one
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                self._link.shutdown(socket.SHUT_RDWR)
            if not self._busy:
                self._link.close()

    def wait(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for the child's end and return whether it came; what it has started is killed."""
        end = time.monotonic() + seconds
        while self.usable():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def end(self, seconds: float) -> None:
        """Kill the child and wait up to ``seconds`` until it is gone."""
        self.kill()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            log.error("process %d does not die; another takes its place", self.process.pid)
            threading.Thread(target=self.process.wait, name="undead", daemon=True).start()


class LocalEngine(Pool[_Child]):
    """Runs jobs in ``slots`` children on this machine that stay warm between jobs.

    tasks: the module whose ``TASKS`` the children know.
    preload: load torch when a child starts instead of in its first job.
    threads: what each child computes with; 0: as many as ``core.device.threads`` finds.
    The rest is that of ``Pool``. A fork would share locks and GPU state with this process, so children are new
    processes that hold nothing of it but one socket.
    """

    def __init__(
        self,
        device: str = "auto",
        slots: int = 1,
        *,
        tasks: str = TASKS,
        preload: bool = True,
        threads: int = 0,
        silence: float = 900.0,
        grace: float = 10.0,
    ) -> None:
        super().__init__(lambda: _Child(tasks, preload, threads), slots, device, silence, grace)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the children."""
        with self._change:
            return tuple(worker.process.pid for worker in self._workers)
