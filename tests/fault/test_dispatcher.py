"""Workers and servers die in mid-job; no job may be lost, and none may run for ever."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec, WorkerLost
from core.events import Event, Progress, Started
from tests.phantom import Phantom
from tests.waiting import LONGEST, wait_until
from tests.webapp.fakes import FakeEngine, finish, load, wait_for
from webapp.app import build_services
from webapp.services import Services
from webapp.settings import Settings


def dies(times: int) -> FakeEngine:
    """An engine whose worker dies in the middle of the first ``times`` attempts."""

    def script(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        if attempt > times:
            yield from finish(job_id, spec, attempt)
            return
        yield Started("cpu")
        (Path(spec.out) / "result.nii.gz").write_bytes(b"half")
        raise WorkerLost("killed")

    return FakeEngine(script)


def submit(services: Services, head: Phantom, folder: Path) -> str:
    scan, mask = load(services, head, folder)
    return services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {})


@pytest.mark.parametrize(("times", "state"), [(1, "done"), (2, "failed")])
def test_a_dead_worker_costs_one_retry(
    settings: Settings, head: Phantom, tmp_path: Path, times: int, state: str
) -> None:
    engine = dies(times)
    services = build_services(settings, lambda: engine)
    job_id = submit(services, head, tmp_path)
    services.dispatcher.start()
    job = wait_for(services, job_id)
    services.dispatcher.stop()
    assert (job.state, len(engine.started)) == (state, 2)
    assert (job.error is None) if state == "done" else (job.error and job.error.code == "worker_lost")
    if state == "done":
        assert services.blobs.path(job.artifacts[0].blob).read_bytes() != b"half"
    assert not list((settings.data / "work").iterdir())


def test_a_job_of_a_killed_server_starts_again(settings: Settings, head: Phantom, tmp_path: Path) -> None:
    dead = build_services(settings, FakeEngine)
    job_id = submit(dead, head, tmp_path)
    # what a server leaves that is killed in mid-job: a claim, half a result, a file without a row
    assert dead.dispatcher.queue.claim("dead", 0.0, 1e12)
    orphan = dead.blobs.put(lambda path: path.touch())
    half = settings.data / "work" / f"{job_id}-1"
    upload = settings.data / "uploads" / "hash" / "t1.nii.gz"
    for folder in (half, upload.parent):
        folder.mkdir(parents=True)
    upload.touch()
    engine = FakeEngine()
    services = build_services(settings, lambda: engine)
    services.dispatcher.start()
    job = wait_for(services, job_id)
    services.dispatcher.stop()
    assert (job.state, engine.started) == ("done", [job_id])
    assert not half.exists() and not upload.exists() and not services.blobs.path(orphan.name).exists()


def test_a_job_that_kills_every_server_ends(settings: Settings, head: Phantom, tmp_path: Path) -> None:
    services = build_services(settings, FakeEngine)
    job_id = submit(services, head, tmp_path)
    for _ in range(2):
        assert services.dispatcher.queue.claim("dead", 0.0, 1e12)
        services.dispatcher.queue.reclaim(0.0, everything=True)
    job = services.repo.job(job_id, "a")
    assert job.error and (job.state, job.error.code) == ("failed", "worker_lost")


def test_a_stop_puts_the_running_job_back(settings: Settings, head: Phantom, tmp_path: Path) -> None:
    running = threading.Event()

    def slow(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        running.set()
        while True:
            threading.Event().wait(0.02)
            yield Progress(0.5, 1, 2, "half")

    first = build_services(settings, lambda: FakeEngine(slow))
    job_id = submit(first, head, tmp_path)
    first.dispatcher.start()
    assert running.wait(LONGEST)
    first.dispatcher.stop()
    assert first.repo.job(job_id, "a").state == "queued"
    second = build_services(settings, FakeEngine)
    second.dispatcher.start()
    assert wait_for(second, job_id).state == "done"
    second.dispatcher.stop()


def test_another_server_on_the_same_data_leaves_running_jobs_alone(
    settings: Settings, head: Phantom, tmp_path: Path
) -> None:
    gate, running = threading.Event(), threading.Event()

    def slow(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        running.set()
        gate.wait(LONGEST)
        yield from finish(job_id, spec, attempt)

    one, other = FakeEngine(slow), FakeEngine()
    first, second = build_services(settings, lambda: one), build_services(settings, lambda: other)
    job_id = submit(first, head, tmp_path)
    first.dispatcher.start()
    assert running.wait(LONGEST)
    second.dispatcher.start()
    gate.set()
    assert wait_for(first, job_id).state == "done"
    for services in (first, second):
        services.dispatcher.stop()
    assert other.started == []


def test_a_result_that_cannot_be_recorded_leaves_no_file(settings: Settings, head: Phantom, tmp_path: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    def script(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        *earlier, last = finish(job_id, spec, attempt)
        yield from earlier
        entered.set()
        leave.wait(LONGEST)
        yield last

    engine = FakeEngine(script)
    services = build_services(settings, lambda: engine)
    job_id = submit(services, head, tmp_path)
    before = services.repo.blobs()
    services.dispatcher.start()
    assert entered.wait(LONGEST)
    # cancelled in the database only, as another server would do it, while the last event is on its way
    services.dispatcher.queue.cancel(job_id, "a")
    leave.set()
    wait_until(lambda: list((settings.data / "work").iterdir()), lambda left: not left)
    services.dispatcher.stop()
    assert services.repo.job(job_id, "a").state == "cancelled"
    assert {path.name for path in services.blobs.root.rglob("*.*")} == before


@pytest.mark.parametrize("kills", [1, 2])
def test_kill_9_of_the_real_worker(settings: Settings, head: Phantom, tmp_path: Path, kills: int) -> None:
    engine = LocalEngine("cpu", tasks="tests.fault.slow_task", preload=False)
    from tests.fault.slow_task import find

    services = build_services(settings, lambda: engine, find=find)
    scan, _ = load(services, head, tmp_path)
    job_id = services.dispatcher.submit("a", "slow", {"t1": scan.id}, {"seconds": 30 if kills == 2 else 1})
    services.dispatcher.start()
    for _ in range(kills):
        wait_until(lambda: services.repo.job(job_id, "a"), lambda job: job.fraction > 0)
        os.kill(engine.pids[0], signal.SIGKILL)
        wait_until(lambda: services.repo.job(job_id, "a"), lambda job: job.fraction == 0 or job.over)
    job = wait_for(services, job_id)
    services.dispatcher.stop()
    assert job.state == ("done" if kills == 1 else "failed")
    assert (job.error and job.error.code) == (None if kills == 1 else "worker_lost")
