"""Workers and servers die in mid-job; no job may be lost, and none may run for ever."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec, WorkerLost
from core.events import Event, Failed, Progress, Started
from tests.fault.refusals import Fault, Refusals
from tests.hand_clock import HandClock
from tests.phantom import Phantom
from tests.waiting import LONGEST, wait_until
from tests.webapp.fakes import FakeEngine, finish, load, wait_for
from webapp.app import build_services
from webapp.jobs.runner import FIRST_PAUSE
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.blobs import DAY
from webapp.store.queue import SERVER_LOSSES


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


def started(services: Services) -> Generator[float, None, None]:
    """Let a server without threads take a job and begin it."""
    services.dispatcher.recover()
    steps = services.dispatcher.next_job()
    assert steps is not None
    next(steps)
    return steps


def die(services: Services) -> None:
    """Leave what a killed server leaves: its claims and files, and no lock."""
    services.dispatcher._data.leave()


def test_a_job_of_a_killed_server_starts_again(settings: Settings, head: Phantom, tmp_path: Path) -> None:
    dead = build_services(settings, FakeEngine)
    job_id = submit(dead, head, tmp_path)
    steps = started(dead)
    orphan = dead.blobs.put(lambda path: path.touch())
    (half,) = (settings.data / "work").iterdir()
    incoming = settings.data / "incoming" / "t1.nii.gz"
    incoming.parent.mkdir(exist_ok=True)
    incoming.touch()
    die(dead)
    engine = FakeEngine()
    services = build_services(settings, lambda: engine)
    services.dispatcher.start()
    job = wait_for(services, job_id)
    services.dispatcher.stop()
    assert (job.state, engine.started) == ("done", [job_id])
    assert not half.exists() and not incoming.exists()
    # too young to be taken for lost
    assert services.blobs.path(orphan.name).exists()
    steps.close()


def test_a_restart_is_no_death_of_the_process(settings: Settings, head: Phantom, tmp_path: Path) -> None:
    engine = dies(1)
    before = build_services(settings, FakeEngine)
    job_id = submit(before, head, tmp_path)
    left = started(before)
    die(before)
    services = build_services(settings, lambda: engine)
    services.dispatcher.start()
    job = wait_for(services, job_id)
    services.dispatcher.stop()
    assert (job.state, len(engine.started)) == ("done", 2)
    left.close()


def test_a_job_that_kills_every_server_ends(settings: Settings, head: Phantom, tmp_path: Path) -> None:
    services = build_services(settings, FakeEngine)
    job_id = submit(services, head, tmp_path)
    left = []
    for _ in range(SERVER_LOSSES):
        left.append(started(services))
        die(services)
    services.dispatcher.recover()
    services.dispatcher.stop()
    job = services.repo.job(job_id, "a")
    assert job.error and (job.state, job.error.code) == ("failed", "server_lost")
    for steps in left:
        steps.close()


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


def test_servers_on_the_same_data_leave_each_other_s_jobs_alone(
    settings: Settings, head: Phantom, tmp_path: Path
) -> None:
    gate, running = threading.Event(), threading.Event()

    def slow(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        (Path(spec.out) / "half").touch()
        running.set()
        gate.wait(LONGEST)
        yield from finish(job_id, spec, attempt)

    first = build_services(settings, FakeEngine)
    first.dispatcher.start()
    one = FakeEngine(slow)
    second = build_services(settings, lambda: one)
    second.dispatcher.start()
    first.dispatcher.stop()
    job_id = submit(first, head, tmp_path)
    assert running.wait(LONGEST)
    half = list((settings.data / "work").glob("*/half"))
    # the first of the two comes back while the second works
    other = FakeEngine()
    again = build_services(settings, lambda: other)
    again.dispatcher.start()
    assert again.repo.job(job_id, "a").state == "running"
    assert len(half) == 1 and half[0].exists()
    gate.set()
    assert wait_for(second, job_id).state == "done"
    for services in (second, again):
        services.dispatcher.stop()
    assert (one.started, other.started) == ([job_id], [])


def test_a_start_with_another_database_moves_no_file(settings: Settings, head: Phantom, tmp_path: Path) -> None:
    right = build_services(settings, FakeEngine)
    load(right, head, tmp_path)
    before = {path for path in right.blobs.root.rglob("*") if path.is_file()}

    later = HandClock()
    later.forward(30 * DAY)
    wrong = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/other.db"})
    services = build_services(wrong, FakeEngine)
    services.dispatcher._clock = later
    services.dispatcher.recover()
    services.dispatcher.stop()
    assert before == {path for path in right.blobs.root.rglob("*") if path.is_file()} and len(before) == 2


@pytest.mark.parametrize("fault", ["refused", "answer lost"])
@pytest.mark.parametrize("end", ["done", "failed"])
def test_a_last_write_that_the_database_refuses_is_tried_again(
    settings: Settings, head: Phantom, tmp_path: Path, end: str, fault: Fault
) -> None:
    reached, leave = threading.Event(), threading.Event()

    def script(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        *earlier, last = finish(job_id, spec, attempt)
        yield from earlier
        reached.set()
        leave.wait(LONGEST)
        yield last if end == "done" else Failed("empty_mask", "Empty.", "Draw one.")

    engine = FakeEngine(script)
    services = build_services(settings, lambda: engine)
    refusals = Refusals(services.repo.engine)
    job_id = submit(services, head, tmp_path)
    services.dispatcher.start()
    assert reached.wait(LONGEST)
    refusals.set(fault, 1)
    leave.set()
    wait_until(lambda: refusals.met, lambda met: met == 1)
    job = wait_for(services, job_id)
    following = submit(services, head, tmp_path)
    assert wait_for(services, following).over
    services.dispatcher.stop()
    assert (job.state, engine.started) == (end, [job_id, following])
    assert all(services.blobs.path(artifact.blob).is_file() for artifact in job.artifacts)
    assert len(job.artifacts) == (3 if end == "done" else 0)


def test_progress_that_the_database_refuses_does_not_end_the_job(
    settings: Settings, head: Phantom, tmp_path: Path
) -> None:
    engine = FakeEngine()
    services = build_services(settings, lambda: engine)
    clock = services.dispatcher._runner.clock = HandClock()
    refusals = Refusals(services.repo.engine)
    job_id = submit(services, head, tmp_path)
    services.dispatcher.recover()
    steps = services.dispatcher.next_job()
    assert steps is not None
    refusals.set("refused", 1)
    # its scan could not be read; then it begins
    assert [next(steps), next(steps)] == [FIRST_PAUSE, 0.0]
    clock.forward(1.0)
    refusals.set("refused", 1)
    assert next(steps) == 0.0 and refusals.met == 2
    assert services.repo.job(job_id, "a").text == "Started"
    assert list(steps) == []
    services.dispatcher.stop()
    assert (services.repo.job(job_id, "a").state, engine.started) == ("done", [job_id])


def test_a_job_cancelled_elsewhere_is_killed_though_it_is_silent(
    settings: Settings, head: Phantom, tmp_path: Path
) -> None:
    engine = FakeEngine(lambda job_id, spec, attempt: iter([Started("cpu"), *[Progress(0.5, 1, 2, "")] * 9]))
    services, other = (build_services(settings, lambda: engine) for _ in range(2))
    job_id = submit(services, head, tmp_path)
    steps = started(services)
    other.dispatcher.cancel(job_id, "a")
    assert engine.cancelled == set()
    services.dispatcher.renew()
    assert [name.partition("-")[0] for name in engine.cancelled] == [job_id]
    list(steps)
    services.dispatcher.stop()
    assert services.repo.job(job_id, "a").state == "cancelled"


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
    engine = LocalEngine("cpu", tasks="tests.fault.slow_task")
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
