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
from collections.abc import Sequence

from core.engine.child_process import start
from core.engine.execute import TASKS
from core.engine.line import Line
from core.engine.pool import Pool

log = logging.getLogger(__name__)


class _Child(Line):
    """One child, which leads a group of processes, and the socket to it."""

    def __init__(self, tasks: str, device: str, warm: Sequence[str], threads: int) -> None:
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        with theirs:
            environment = {"COUNTERSCAN_THREADS": str(threads)} if threads else {}
            self.process = start("core.engine.worker", theirs, tasks, device, *warm, environment=environment)

    def usable(self) -> bool:
        """Return whether the child lives and was not killed; what a dead one has started is killed."""
        if self.process.poll() is not None:
            self.kill()
        return not self._killed

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

    def _stop(self) -> None:
        # the number of a dead child stays that of its group while there is one
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)


class LocalEngine(Pool[_Child]):
    """Runs jobs in ``slots`` children on this machine that stay warm between jobs.

    tasks: the module whose ``TASKS`` the children know.
    warm: the tasks whose libraries, code and networks a child loads while it has no job, before its first one too.
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
        warm: Sequence[str] = (),
        threads: int = 0,
        silence: float = 900.0,
        grace: float = 10.0,
    ) -> None:
        super().__init__(lambda: _Child(tasks, device, warm, threads), slots, device, silence, grace)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the children."""
        with self._change:
            return tuple(worker.process.pid for worker in self._workers)
