"""The engine that every engine is: so many workers, each running one job at a time, replaced when they are lost."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Generic, Protocol, Self, TypeVar

from core.engine.protocol import JobSpec, WorkerLost
from core.events import Event, Failed, Finished

log = logging.getLogger(__name__)

# failures after which memory or the GPU of a process may be in any state
SPOILED = ("internal", "out_of_memory")


class Worker(Protocol):
    """Runs one job at a time somewhere, until it is lost or killed."""

    def events(self, spec: JobSpec, silence: float) -> Iterator[Event]:
        """Start the job and yield its events up to the last one; ``WorkerLost`` when its process ends, or is silent for
        ``silence`` seconds."""
        ...

    def usable(self) -> bool:
        """Return whether it can take another job."""
        ...

    def kill(self) -> None:
        """Kill the job and what it has started, without waiting; a thread in ``events`` finds its end."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for its end, which is to come by itself, and return whether it came."""
        ...

    def end(self, seconds: float) -> None:
        """Kill it and wait up to ``seconds`` until it is gone."""
        ...


One = TypeVar("One", bound=Worker)


class Pool(Generic[One]):
    """Runs jobs on ``slots`` workers that stay between jobs.

    spawn: starts a worker without waiting for it, or raises OSError; device: what a job with device ``"auto"`` runs on.
    silence: seconds without an event after which a worker counts as hung and is killed.
    grace: seconds to wait for the death of a killed worker; one that hangs in the kernel longer is left to itself.
    Safe to use from several threads; ``run`` waits for a free worker. Nothing waits under the lock.
    """

    def __init__(self, spawn: Callable[[], One], slots: int, device: str, silence: float, grace: float) -> None:
        self.slots = slots
        self._spawn = spawn
        self._device = device
        self._silence = silence
        self._grace = grace
        self._change = threading.Condition()
        self._closed = False
        self._jobs: dict[str, One | None] = {}
        self._workers = [spawn() for _ in range(slots)]
        self._idle = list(self._workers)

    def run(self, job_id: str, spec: JobSpec) -> Generator[Event, None, None]:
        """Yield the job's events; raise ``WorkerLost`` when its worker dies, hangs or is cancelled.

        Leaving the iterator before its last event kills the worker. ``ValueError`` if the job already runs.
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
        """Kill the job's worker, or take the job out of the waiting line; does nothing for an unknown job."""
        with self._change:
            worker = self._jobs.get(job_id)
            if worker is not None:
                self._jobs[job_id] = None
                # under the lock, so that it does not hit the next job of this worker
                worker.kill()
            elif job_id in self._jobs:
                del self._jobs[job_id]
                self._change.notify_all()
        if worker is not None:
            worker.end(self._grace)

    def close(self) -> None:
        """Kill every worker and wait for its end; jobs that run raise ``WorkerLost``."""
        with self._change:
            self._closed = True
            workers, self._workers, self._idle = self._workers, [], []
            self._change.notify_all()
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.end(self._grace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _take(self, job_id: str) -> One:
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

    def _after_sudden_death(self, job_id: str, worker: One) -> One | None:
        """Return a fresh worker if the worker died before it could begin, and not by a cancel.

        A killed process does not count as dead until its last thread has gone, so it may still be handed a job.
        """
        if not worker.wait(1.0):
            return None
        with self._change:
            if self._closed or self._jobs.get(job_id) is not worker:
                return None
            fresh = self._renewed(worker)
            self._jobs[job_id] = fresh
            return fresh

    def _give_back(self, job_id: str, worker: One) -> None:
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

    def _renewed(self, worker: One) -> One:
        """Return ``worker``, or a fresh one in its place if it is dead or was killed. OSError."""
        if worker.usable():
            return worker
        fresh = self._spawn()
        self._workers[self._workers.index(worker)] = fresh
        return fresh
