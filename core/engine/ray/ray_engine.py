"""The engine of several machines: warm actors of a Ray cluster, each running one job at a time."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from core import device as devices
from core.engine.child_process import start
from core.engine.execute import TASKS
from core.engine.line import Line
from core.engine.pool import Pool
from core.engine.protocol import JobSpec
from core.engine.ray.ray_plan import Plan
from core.errors import UserError
from core.events import Event

log = logging.getLogger(__name__)

# seconds: until a cluster that cannot be joined is given up at first, and when it was lost; until a Ray of our own has
# started; until the bridge has ended what it had
PATIENCE, LONG_PATIENCE, START, END = 10.0, 600.0, 120.0, 20.0
# a node of Ray dies where its helpers take longer than 15 s to start, as on a machine whose cores compute: its issue
# 65983, of version 2.60; the next time their files are in memory
TRIES = 5
# what a job may wait for an actor besides the time for which its child may be silent
WAIT = 700.0


class _Bridge:
    """The process that is a driver of Ray, with a Ray of its own where no cluster is given."""

    def __init__(self, plan: Plan) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="counterscan-ray-")) if not plan.address else None
        plan = replace(plan, folder=str(self._folder or ""))
        self._control, theirs = socket.socketpair()
        with theirs:
            self.process = start("core.engine.ray.bridge", theirs, plan.to_json(), environment=_environment(plan))

    def require_ready(self, seconds: float) -> None:
        """Wait until the cluster is joined; UserError ray_unreachable."""
        answer = b""
        with contextlib.suppress(OSError):
            self._control.settimeout(seconds)
            while not answer.endswith(b"\n") and (more := self._control.recv(1 << 12)):
                answer += more
        if not answer.endswith(b"\n"):
            raise UserError("ray_unreachable", "Ray did not start in time.", "The log has the details.")
        if error := json.loads(answer):
            raise UserError(*error)

    def alive(self) -> bool:
        """Return whether the process runs."""
        return self.process.poll() is None

    def connect(self) -> socket.socket:
        """Return this end of a new line; a bridge that is dead hangs up at once."""
        ours, theirs = socket.socketpair()
        with theirs, contextlib.suppress(OSError):
            socket.send_fds(self._control, [b"+"], [theirs.fileno()])
        return ours

    def end(self) -> None:
        """Leave the cluster, or end it where it is our own, and remove its files."""
        self._control.close()
        try:
            self.process.wait(END)
        except subprocess.TimeoutExpired:
            log.exception("the bridge to Ray does not end; killing it")
        # what is left of its group
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class _Remote(Line):
    """One slot: a line to the bridge, which runs its jobs on an actor. Hanging up ends a job; once it has ended, the
    bridge hangs up too."""

    def __init__(self, bridge: _Bridge) -> None:
        super().__init__(bridge.connect())
        self._bridge = bridge

    def events(self, spec: JobSpec, silence: float) -> Iterator[Event]:
        """Send the job and yield its events; the actor's own engine looks after its child's silence."""
        yield from super().events(spec, silence + WAIT)

    def usable(self) -> bool:
        """Return whether the line is open."""
        if not self._bridge.alive():
            self.kill()
        return not self._killed

    def wait(self, seconds: float) -> bool:
        """Wait up to ``seconds`` until the bridge has hung up and return whether it has."""
        if not self._killed and not _ended(self._link, seconds):
            return False
        self.kill()
        return True

    def end(self, seconds: float) -> None:
        """Hang up and wait up to ``seconds`` for the end of the job."""
        with self._state:
            copy = None if self._link.fileno() < 0 else self._link.dup()
        self.kill()
        if copy is not None:
            with copy:
                if not _ended(copy, seconds):
                    log.error("a worker does not end; another takes its place")
                    with contextlib.suppress(OSError):
                        copy.shutdown(socket.SHUT_RDWR)

    def _stop(self) -> None:
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_WR)


class RayEngine(Pool[_Remote]):
    """Runs jobs in ``slots`` warm actors of a Ray cluster, wherever there is room for one.

    address: HOST:PORT of the head of a cluster that this machine belongs to; "": a Ray of its own on this machine.
    threads: what each actor computes with, and how many cores of a node it takes; 0: as many as the local engine would
    have here, so that results are the same. GPUs of the cluster are divided among the slots, unless device is "cpu".
    The rest is that of ``LocalEngine``. Machines share no disk: files travel with the job. A lost actor is replaced as
    soon as a node has room, and so is the connection to a lost cluster. UserError not_installed, ray_unreachable.
    """

    def __init__(
        self,
        address: str = "",
        device: str = "auto",
        slots: int = 1,
        *,
        tasks: str = TASKS,
        warm: Sequence[str] = (),
        threads: int = 0,
        silence: float = 900.0,
        grace: float = 30.0,
    ) -> None:
        _require_installed()
        # which GPU of a node is free, Ray decides
        device = "cuda" if device.startswith("cuda") else device
        count = threads or devices.threads()
        self._plan = Plan(address, "", slots, device, tasks, tuple(warm), count, silence, PATIENCE)
        self._bridge = _ready(self._plan, TRIES if not address else 1)
        # of one that is started later nobody waits for the answer
        self._plan = replace(self._plan, patience=LONG_PATIENCE)
        super().__init__(self._connected, slots, device, silence, grace)

    @property
    def bridge(self) -> int:
        """Process id of the driver, from which a Ray of its own descends."""
        return self._bridge.process.pid

    def close(self) -> None:
        """Kill every job and leave the cluster, or end it where it is our own."""
        super().close()
        self._bridge.end()

    def _connected(self) -> _Remote:
        if not self._bridge.alive():
            log.error("Ray was lost; joining it again")
            self._bridge.end()
            self._bridge = _Bridge(self._plan)
        return _Remote(self._bridge)


def _ready(plan: Plan, tries: int) -> _Bridge:
    """Return a bridge that has joined its cluster; UserError ray_unreachable."""
    while True:
        bridge, tries = _Bridge(plan), tries - 1
        try:
            bridge.require_ready(START)
            return bridge
        except UserError:
            bridge.end()
            if not tries:
                raise
        except BaseException:
            bridge.end()
            raise


def _ended(link: socket.socket, seconds: float) -> bool:
    """Wait up to ``seconds`` and return whether the other end of ``link`` was closed; what comes is thrown away."""
    try:
        link.settimeout(seconds)
        while link.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def _environment(plan: Plan) -> dict[str, str]:
    """Return the settings of Ray: no statistics are sent anywhere, and nobody comes in without a token unless whoever
    runs a cluster wants it so. A Ray of our own has a token that only its processes know."""
    settings = {"RAY_USAGE_STATS_ENABLED": "0"}
    if plan.address:
        return settings | {"RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", "token")}
    return settings | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _require_installed() -> None:
    if importlib.util.find_spec("ray") is None:
        raise UserError(
            "not_installed",
            "The engine ray needs the package ray, which is not installed.",
            "Run pip install 'counterscan[ray]', or choose the engine local.",
        )
