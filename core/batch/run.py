"""Many scans through one task: on the workers of an engine, each tried twice, none done twice."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import job
from core.batch.completion import is_done, key_of, mark_done
from core.batch.pace import Pace, Standing, State
from core.batch.scan_list import Scan
from core.batch.thumbnail import write_thumbnail
from core.declaration import Task
from core.engine.protocol import Engine, WorkerLost
from core.errors import UserError
from core.events import Event, Finished, Progress

log = logging.getLogger(__name__)

TRIES = 2
REFRESH_SECONDS = 0.5


@dataclass(frozen=True)
class Batch:
    """Scans and what is done to each of them, in a folder of its own below ``out``; params: raw, of all scans, over
    which a scan has its own."""

    task: Task
    scans: tuple[Scan, ...]
    out: Path
    params: Mapping[str, object] = field(default_factory=dict)
    device: str = "auto"
    deface: bool = False

    def folder(self, scan: Scan) -> Path:
        """Return the folder of the results of ``scan``."""
        return self.out / scan.name


@dataclass(frozen=True)
class Outcome:
    """What became of a scan; error: why it failed, the last time."""

    scan: Scan
    state: State
    error: UserError | None = None


def run_batch(
    batch: Batch,
    engine: Engine,
    on_ended: Callable[[Outcome], None] = lambda outcome: None,
    on_progress: Callable[[Standing], None] = lambda standing: None,
    *,
    on_again: Callable[[Outcome], None] = lambda outcome: None,
    use: Callable[[Scan], None] = lambda scan: None,
) -> tuple[Outcome, ...]:
    """Run the task on every scan and return what became of them, in their order.

    What an earlier batch has done of the same bytes with the same parameters is kept, once its files are found
    unchanged. A scan that fails is tried once more, after all others. While the engine's workers compute, one more scan
    is read or checked. on_ended: called for each scan that needs nothing more; on_progress: several times a second;
    on_again: for each that has failed and will be tried once more. use: called with each scan whose results are there,
    from several threads; what it raises is a failure of that scan. Where this is interrupted, the engine is closed.
    """
    pace = Pace(len(batch.scans))
    ended: dict[str, Outcome] = {}

    def end(outcome: Outcome, last: bool) -> None:
        final = last or outcome.state != "failed"
        pace.ended(outcome.scan.name, outcome.state if final else None)
        if final:
            ended[outcome.scan.name] = outcome
            on_progress(pace.standing())
            on_ended(outcome)
        else:
            on_again(outcome)

    with ThreadPoolExecutor(engine.slots + 1, thread_name_prefix="batch") as pool:
        stopped = threading.Event()
        try:
            for attempt in range(1, TRIES + 1):
                left = [scan for scan in batch.scans if scan.name not in ended]
                results: queue.SimpleQueue[Outcome] = queue.SimpleQueue()

                def work(scan: Scan, results: queue.SimpleQueue[Outcome] = results) -> None:
                    if not stopped.is_set():
                        results.put(_outcome(batch, scan, engine, pace, use))

                for scan in left:
                    pool.submit(work, scan)
                for _ in left:
                    end(_next(results, pace, on_progress), attempt == TRIES)
        finally:
            # after an interruption nothing new begins, and what runs ends
            stopped.set()
            if len(ended) < len(batch.scans):
                engine.close()
    return tuple(ended[scan.name] for scan in batch.scans)


def _next(results: queue.SimpleQueue[Outcome], pace: Pace, on_progress: Callable[[Standing], None]) -> Outcome:
    while True:
        on_progress(pace.standing())
        with contextlib.suppress(queue.Empty):
            return results.get(timeout=REFRESH_SECONDS)


def _outcome(batch: Batch, scan: Scan, engine: Engine, pace: Pace, use: Callable[[Scan], None]) -> Outcome:
    try:
        state = _done(batch, scan, engine, pace)
        use(scan)
        return Outcome(scan, state)
    except UserError as error:
        failure = error
    except WorkerLost:
        failure = UserError("worker_lost", "The process that ran the scan died.", "Use fewer samples or workers.")
    except Exception:
        log.exception("scan failed")
        failure = UserError("internal", "Something unexpected went wrong.", "COUNTERSCAN_DEBUG=1 logs the cause.")
    with contextlib.suppress(OSError):
        # an empty folder is no result
        batch.folder(scan).rmdir()
    return Outcome(scan, "failed", failure)


def _done(batch: Batch, scan: Scan, engine: Engine, pace: Pace) -> State:
    task, folder = batch.task, batch.folder(scan)
    given: dict[str, Any] = {**batch.params, **scan.params}
    key = key_of(task, scan, task.parse(given), batch.deface)
    if is_done(folder, key):
        return "kept"

    def listen(event: Event) -> None:
        if isinstance(event, Progress):
            pace.progress(scan.name, event.fraction)

    finished = job.run(
        task.name,
        scan.inputs,
        folder,
        device=batch.device,
        deface=batch.deface,
        engine=engine,
        on_event=listen,
        **given,
    )
    mark_done(folder, key, [*map(Path, finished.files.values()), *_pictures(task, scan, folder, finished)])
    return "done"


def _pictures(task: Task, scan: Scan, folder: Path, finished: Finished) -> Sequence[Path]:
    try:
        made = write_thumbnail(folder, task, {name: Path(path) for name, path in scan.inputs.items()}, finished.result)
    except Exception:
        # a result is not lost for its picture
        log.exception("no thumbnail")
        return ()
    return () if made is None else (made,)
