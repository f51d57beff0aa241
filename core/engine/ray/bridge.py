"""The process between an engine and Ray: one line for each slot on this side, one actor for each on the other.

A driver ends with the cluster it belongs to, so it is a process of its own: a server outlives the loss of its cluster.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray._private import services
from ray.actor import ActorHandle
from ray.exceptions import RayError

from core.engine.execute import failure
from core.engine.protocol import JobSpec, WorkerLost
from core.engine.ray.actor import JobRunner, Sent
from core.engine.ray.crew import ON_THE_WAY, Crew, answers
from core.engine.ray.parcels import INPUTS, KEPT, OUT, Piece, folder_files, input_files, pieces, put
from core.engine.ray.ray_plan import Plan
from core.engine.wire import decode_event, decode_spec, encode_event, encode_spec
from core.errors import UserError
from core.events import Failed, Finished
from core.traces import log_to_stderr

log = logging.getLogger(__name__)

# seconds of silence after which an actor has to answer; for which a cancelled job is waited for; between two tries to
# join a cluster; bytes of shared memory for each slot of a Ray of our own
SILENCE, GRACE, PAUSE, STORE = 5.0, 10.0, 5.0, 160 << 20
# seconds until a Ray of our own has started
LONGEST_START = 150.0


def main(descriptor: int, text: str) -> None:
    """Join the cluster, report how that went on the socket ``descriptor``, and serve the lines that come through it
    until its other end closes; then everything that was started ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to_stderr()
    os.set_inheritable(descriptor, False)
    control, plan = socket.socket(fileno=descriptor), Plan.from_json(text)
    try:
        join(plan)
        crew = Crew(plan)
    except UserError as error:
        control.sendall(json.dumps([error.code, error.message, error.hint]).encode() + b"\n")
        return
    control.sendall(b"[]\n")
    while True:
        byte, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not byte:
            break
        desk = Desk(socket.socket(fileno=descriptors[0]), crew)
        threading.Thread(target=desk.serve, name="line", daemon=True).start()
    ray.shutdown()
    # threads that wait for a cluster never end
    os._exit(0)


def join(plan: Plan) -> None:
    """Join the cluster of ``plan``, or start one on this machine. UserError ray_unreachable."""
    options = {"log_to_driver": False, "configure_logging": False, "namespace": "counterscan"}
    if not plan.address:
        _start(plan, options)
        return
    end = time.monotonic() + plan.patience
    while True:
        hint = "Check address and port: they are those that ray start --head prints."
        try:
            _reach(plan.address)
            hint = (
                f"Check the token, and let this machine belong to it: ray start --address={plan.address} --num-cpus=0."
            )
            ray.init(plan.address, **options)
            return
        except Exception as error:
            # Ray raises plain ones too
            log.exception("the cluster cannot be joined")
            if time.monotonic() > end:
                raise UserError(
                    "ray_unreachable", f"The Ray cluster at {plan.address} cannot be joined.", hint
                ) from error
            time.sleep(PAUSE)


def _start(plan: Plan, options: Mapping[str, Any]) -> None:
    wait_for_nodes(LONGEST_START)
    try:
        ray.init(
            num_cpus=plan.slots,
            include_dashboard=False,
            object_store_memory=STORE * plan.slots,
            _temp_dir=plan.folder,
            **options,
        )
    except Exception as error:
        # Ray raises plain ones too
        log.exception("no Ray on this machine")
        raise UserError(
            "ray_unreachable", "Ray could not be started on this machine.", "The log has the details."
        ) from error


def wait_for_nodes(seconds: float) -> None:
    """Have Ray wait up to ``seconds`` for a node that it starts: its own half a minute, which no setting of Ray 2.60
    changes, is short on a machine whose cores compute."""
    find = services.get_node

    def get_node(address: str, node: str) -> object:
        end = time.monotonic() + seconds
        while True:
            try:
                return find(address, node)
            except RuntimeError:
                if time.monotonic() > end:
                    raise
            time.sleep(0.1)

    services.get_node = get_node


def _reach(address: str) -> None:
    """Connect to the head once: Ray itself would try for a minute. OSError."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), PAUSE).close()


class Desk:
    """One line of the engine: jobs come in, events go out; a line that is hung up ends its job, and a job that is lost
    ends the line."""

    def __init__(self, link: socket.socket, crew: Crew) -> None:
        self._link = link
        self._crew = crew
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._gone = threading.Event()
        self._change = threading.Lock()
        self._cancel: Callable[[], object] = _nothing

    def serve(self) -> None:
        """Run one job after the other until the line is hung up or a job lost."""
        threading.Thread(target=self._read, name="line-read", daemon=True).start()
        with self._link:
            with contextlib.suppress(WorkerLost):
                while line := self._lines.get():
                    self._run(decode_spec(line))
            # the thread that reads has it open too
            with contextlib.suppress(OSError):
                self._link.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._link.makefile("rb") as stream:
            for line in stream:
                self._lines.put(line)
        with self._change:
            self._gone.set()
            self._cancel()
        self._lines.put(None)

    def _run(self, spec: JobSpec) -> None:
        try:
            actor = self._crew.take(self._gone)
        except UserError as error:
            self._send(encode_event(Failed(error.code, error.message, error.hint)))
            return
        if actor is None:
            raise WorkerLost("cancelled")
        try:
            lost = self._relay(actor, spec)
        except OSError as error:
            # the disk of this machine
            log.exception("job failed")
            self._crew.replace(actor)
            self._send(encode_event(failure(error)))
            return
        except (RayError, WorkerLost) as error:
            log.warning("a worker was lost: %s", str(error).strip().splitlines()[0])
            self._crew.replace(actor)
            raise WorkerLost("the worker was lost") from error
        self._crew.give(actor)
        if lost:
            raise WorkerLost(lost)

    def _relay(self, actor: ActorHandle[JobRunner], spec: JobSpec) -> str:
        """Send the job to an actor and pass on what comes back; return why it was lost there, "" if it was not.

        RayError, and WorkerLost for an actor that does not answer."""
        job, lost = uuid.uuid4().hex, ""
        stream = actor.run.options(num_returns="streaming", _generator_backpressure_num_objects=ON_THE_WAY).remote(
            job, encode_spec(spec), _references(spec)
        )
        with self._running(actor, job):
            for sent in self._followed(actor, stream):
                if isinstance(sent, Piece):
                    put(sent, Path(spec.out if sent.place == OUT else spec.kept))
                elif isinstance(sent, bytes):
                    self._send(_here(sent, Path(spec.out)))
                else:
                    lost = sent
        return lost

    @contextlib.contextmanager
    def _running(self, actor: ActorHandle[JobRunner], job: str) -> Iterator[None]:
        """Have the job cancelled when the line is hung up, or at once where it was already."""
        with self._change:
            self._cancel = lambda: actor.cancel.remote(job)
            if self._gone.is_set():
                self._cancel()
        try:
            yield
        finally:
            with self._change:
                self._cancel = _nothing

    def _followed(self, actor: ActorHandle[JobRunner], stream: ray.ObjectRefGenerator[Sent]) -> Iterator[Sent]:
        """Yield what an actor sends; WorkerLost where it does not answer, or does not end a job that was cancelled."""
        waited = 0.0
        while True:
            ready, _ = ray.wait([stream], timeout=SILENCE)
            if ready:
                try:
                    yield ray.get(next(stream), timeout=60)
                except StopIteration:
                    return
                continue
            waited += SILENCE if self._gone.is_set() else 0.0
            if waited > GRACE or not answers(actor):
                raise WorkerLost("a worker does not answer")

    def _send(self, line: bytes) -> None:
        # whoever does not listen any more has hung up, which the other thread sees
        with contextlib.suppress(OSError):
            self._link.sendall(line)


def _nothing() -> None:
    """Cancel nothing."""


def _references(spec: JobSpec) -> list[ray.ObjectRef[Piece]]:
    """Put the files of a job into Ray's memory and return references to their pieces."""
    files = [
        (f"{INPUTS}/{name}", found)
        for name, path in spec.inputs.items()
        if path
        for found in input_files(Path(path)).items()
    ]
    if spec.kept:
        files += [(KEPT, found) for found in folder_files(Path(spec.kept)).items()]
    return [ray.put(piece) for place, (name, path) in files for piece in pieces(place, name, path)]


def _here(line: bytes, out: Path) -> bytes:
    """Return the line of an event with the paths that files have here."""
    event = decode_event(line)
    if not isinstance(event, Finished):
        return line
    files = tuple(replace(each, path=str(out / each.path)) for each in event.result.artifacts)
    return encode_event(Finished(replace(event.result, artifacts=files)))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
