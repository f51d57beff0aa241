"""The actor: what Ray keeps on a node for each share of it, with one warm child that runs the jobs."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import ray

from core.engine.execute import failure
from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec, WorkerLost
from core.engine.ray.parcels import INPUTS, KEPT, OUT, Piece, folder_files, pieces, put, room
from core.engine.ray.ray_plan import Plan, program
from core.engine.wire import decode_spec, encode_event
from core.events import Event, Failed, Finished

log = logging.getLogger(__name__)

# what travels back: a line as of ``encode_event``, a piece of a file, the reason for which a job was lost
Sent = bytes | Piece | str


class JobRunner:
    """Runs one job at a time in a child of its own; the weights that the child has loaded stay for the next job.

    The child is that of the local engine, so that a job meets the same process everywhere: it is killed with all that
    it has started, and ends when this actor ends. ``cancel`` and ``ping`` are answered while a job runs.
    """

    def __init__(self, plan: str) -> None:
        wanted = Plan.from_json(plan)
        self._engine = LocalEngine(
            wanted.device, tasks=wanted.tasks, warm=wanted.warm, threads=wanted.threads, silence=wanted.silence
        )
        self._rooms = Path(wanted.folder or tempfile.gettempdir())
        self._cancelled: set[str] = set()

    def program(self) -> str:
        """Return what is installed here."""
        return program()

    def ping(self) -> None:
        """Answer."""

    def cancel(self, job: str) -> None:
        """Kill the job, which has begun or is on its way here."""
        self._cancelled.add(job)
        self._engine.cancel(job)

    def run(self, job: str, line: bytes, given: Sequence[ray.ObjectRef[Piece]]) -> Iterator[Sent]:
        """Yield the events of a job, its files before ``Finished``, or the reason for which it was lost.

        line: its ``JobSpec`` as the engine has it; given: the files of its inputs, and of what a stopped run has left.
        Paths of files in the result are relative to the output folder. A job that did not finish sends back what it
        kept.
        """
        try:
            with room(self._rooms) as here:
                yield from self._run(job, decode_spec(line), given, here)
        except OSError as error:
            # the disk of this node
            log.exception("job failed")
            yield encode_event(failure(error))
        finally:
            self._cancelled.discard(job)

    def _run(self, job: str, spec: JobSpec, given: Sequence[ray.ObjectRef[Piece]], here: Path) -> Iterator[Sent]:
        for reference in given:
            piece = ray.get(reference)
            put(piece, here / piece.place)
        spec = _there(spec, here)
        try:
            for event in self._events(job, spec):
                if isinstance(event, Finished):
                    yield from _files(OUT, Path(spec.out))
                    event = relative(event, Path(spec.out))
                elif isinstance(event, Failed):
                    yield from _files(KEPT, here / KEPT)
                yield encode_event(event)
        except WorkerLost as lost:
            yield from _files(KEPT, here / KEPT)
            yield str(lost)

    def _events(self, job: str, spec: JobSpec) -> Iterator[Event]:
        with closing(self._engine.run(job, spec)) as events:
            for event in events:
                yield event
                # cancelled before the engine knew it
                if job in self._cancelled:
                    raise WorkerLost("cancelled")


def relative(event: Finished, out: Path) -> Finished:
    """Return the event with paths of files relative to ``out``."""
    files = tuple(
        replace(artifact, path=Path(artifact.path).relative_to(out).as_posix()) for artifact in event.result.artifacts
    )
    return Finished(replace(event.result, artifacts=files))


def _there(spec: JobSpec, here: Path) -> JobSpec:
    """Return the job with the paths that its files have below ``here``."""
    inputs = {name: str(here / INPUTS / name / Path(path).name) if path else "" for name, path in spec.inputs.items()}
    for place in (OUT, KEPT):
        (here / place).mkdir(exist_ok=True)
    return replace(spec, inputs=inputs, out=str(here / OUT), kept=str(here / KEPT) if spec.kept else "")


def _files(place: str, folder: Path) -> Iterator[Piece]:
    for name, path in folder_files(folder).items():
        yield from pieces(place, name, path)
