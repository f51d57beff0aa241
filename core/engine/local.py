"""The local engine: warm spawned children on this machine, each running one job at a time."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from core.engine.execute import TASKS
from core.engine.protocol import JobSpec, WorkerLost
from core.engine.wire import decode_event, encode_spec
from core.events import Event, Failed, Finished

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent.parent
# failures after which memory or the GPU of a child may be in any state
SPOILED = ("internal", "out_of_memory")


class LocalEngine:
    """Runs jobs in ``slots`` children that stay warm between jobs.

    device: what a job with device ``"auto"`` runs on.
    tasks: the module whose ``TASKS`` the children know.
    preload: load torch when a child starts instead of in its first job.
    threads: what each child computes with; 0: as many as ``core.device.threads`` finds.
    silence: seconds without an event after which a child counts as hung and is killed.
    grace: seconds to wait for the death of a killed child; one that hangs in the kernel longer is left to itself.
    Safe to use from several threads; ``run`` waits for a free child. A fork would share locks and GPU state with
    this process, so children are new processes that hold nothing of it but one socket. Nothing waits under the lock.
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
        self.slots = slots
        self._device = device
        self._tasks = tasks
        self._preload = preload
        self._threads = threads
        self._silence = silence
        self._grace = grace
        self._change = threading.Condition()
        self._closed = False
        self._jobs: dict[str, _Worker | None] = {}
        self._workers = [self._spawn() for _ in range(slots)]
        self._idle = list(self._workers)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the children."""
        with self._change:
            return tuple(worker.process.pid for worker in self._workers)

    def run(self, job_id: str, spec: JobSpec) -> Iterator[Event]:
        """Yield the job's events; raise ``WorkerLost`` when its child dies, hangs or is cancelled.

        Leaving the iterator before its last event kills the child. ``ValueError`` if the job already runs.
        """
        if spec.device == "auto":
            spec = replace(spec, device=self._device)
        worker = self._take(job_id)
        ended = False
        try:
            events = worker.events(spec, self._silence)
            try:
                first = next(events)
            except WorkerLost:
                fresh = self._after_sudden_death(job_id, worker)
                if fresh is None:
                    raise
                worker = fresh
                events = worker.events(spec, self._silence)
                first = next(events)
            for event in itertools.chain([first], events):
                ended = isinstance(event, Finished | Failed)
                if isinstance(event, Failed) and event.code in SPOILED:
                    worker.end(self._grace)
                if ended:
                    self._give_back(job_id, worker)
                yield event
        finally:
            if not ended:
                worker.end(self._grace)
                self._give_back(job_id, worker)

    def cancel(self, job_id: str) -> None:
        """Kill the job's child, or take the job out of the waiting line; does nothing for an unknown job."""
        with self._change:
            worker = self._jobs.get(job_id)
            if worker is not None:
                self._jobs[job_id] = None
                # under the lock, so that it does not hit the next job of this child
                worker.kill()
            elif job_id in self._jobs:
                del self._jobs[job_id]
                self._change.notify_all()
        if worker is not None:
            worker.end(self._grace)

    def close(self) -> None:
        """Kill every child and wait for its end; jobs that run raise ``WorkerLost``."""
        with self._change:
            self._closed = True
            workers, self._workers, self._idle = self._workers, [], []
            self._change.notify_all()
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.end(self._grace)

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _take(self, job_id: str) -> _Worker:
        with self._change:
            if job_id in self._jobs:
                raise ValueError(f"job {job_id} already runs")
            self._jobs[job_id] = None
            self._change.wait_for(lambda: self._idle or self._closed or job_id not in self._jobs)
            if self._closed or job_id not in self._jobs:
                self._jobs.pop(job_id, None)
                raise WorkerLost("cancelled before it started")
            worker = self._idle.pop()
            try:
                worker = self._renewed(worker)
            except OSError as error:
                self._jobs.pop(job_id)
                self._idle.append(worker)
                self._change.notify_all()
                raise WorkerLost("no process could be started") from error
            self._jobs[job_id] = worker
            return worker

    def _after_sudden_death(self, job_id: str, worker: _Worker) -> _Worker | None:
        """Return a fresh worker if the child died before it could begin, and not by a cancel.

        A killed child does not count as dead until its last thread has gone, so it may still be handed a job.
        """
        if not worker.wait(1.0):
            return None
        with self._change:
            if self._closed or self._jobs.get(job_id) is not worker:
                return None
            fresh = self._renewed(worker)
            self._jobs[job_id] = fresh
            return fresh

    def _give_back(self, job_id: str, worker: _Worker) -> None:
        with self._change:
            self._jobs.pop(job_id, None)
            if self._closed:
                return
            try:
                worker = self._renewed(worker)
            except OSError:
                # the next job tries again
                log.exception("no process could be started")
            self._idle.append(worker)
            self._change.notify_all()

    def _renewed(self, worker: _Worker) -> _Worker:
        """Return ``worker``, or a fresh one in its place if its child is dead or was killed. OSError."""
        if worker.usable():
            return worker
        fresh = self._spawn()
        self._workers[self._workers.index(worker)] = fresh
        return fresh

    def _spawn(self) -> _Worker:
        return _Worker(self._tasks, self._preload, self._threads)


class _Worker:
    """One child, which leads a group of processes, and the socket to it."""

    def __init__(self, tasks: str, preload: bool, threads: int) -> None:
        self._state = threading.Lock()
        self._busy = False
        self._killed = False
        self._link, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-m", "core.engine.worker", str(theirs.fileno()), tasks]
            self.process = subprocess.Popen(
                [*command, "preload" if preload else "lazy"],
                stdin=subprocess.DEVNULL,
                stdout=sys.__stderr__ if _has_file(sys.__stderr__) else subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_thread_setting(threads), "PYTHONPATH": os.pathsep.join(_paths())},
                start_new_session=True,
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


def _has_file(stream: object) -> bool:
    try:
        return stream is not None and stream.fileno() >= 0  # type: ignore[attr-defined]
    except (OSError, ValueError, AttributeError):
        return False


def _thread_setting(threads: int) -> dict[str, str]:
    return {"COUNTERSCAN_THREADS": str(threads)} if threads else {}


def _paths() -> list[str]:
    inherited = os.environ.get("PYTHONPATH")
    return [str(ROOT), inherited] if inherited else [str(ROOT)]
