from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from core.engine.protocol import JobSpec
from core.errors import UserError
from core.events import Event, Failed, Started
from tests.dicom_files import as_series
from tests.hand_clock import HandClock
from tests.phantom import Phantom
from tests.waiting import wait_until
from tests.webapp.fakes import FakeEngine, endless, finish, load, wait_for
from webapp.app import build_services
from webapp.intake.scans import accept
from webapp.jobs.board import LIFE
from webapp.services import Services
from webapp.settings import Settings


def submit(services: Services, head: Phantom, folder: Path, session: str = "a") -> str:
    scan, mask = load(services, head, folder, session)
    return services.dispatcher.submit(session, "inpaint", {"t1": scan.id, "mask": mask.id}, {"method": "shell"})


def test_a_job_goes_from_queued_to_done_with_files(services: Services, head: Phantom, tmp_path: Path) -> None:
    job_id = submit(services, head, tmp_path)
    waiting = services.repo.job(job_id, "a")
    assert (waiting.state, waiting.position, waiting.params["method"]) == ("queued", 1, "shell")
    services.dispatcher.start()
    done = wait_for(services, job_id)
    assert (done.state, done.fraction, done.position) == ("done", 1.0, None)
    assert [artifact.name for artifact in done.artifacts] == ["result", "run", "report"]
    assert all(services.blobs.path(artifact.blob).is_file() for artifact in done.artifacts)
    assert done.started and done.finished and done.seconds is not None
    wait_until(lambda: list((services.settings.data / "work").iterdir()), lambda left: not left)


def test_what_a_scan_was_warned_of_goes_with_the_job(
    services: Services, engine: FakeEngine, head: Phantom, tmp_path: Path
) -> None:
    given: list[JobSpec] = []

    def script(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        given.append(spec)
        return finish(job_id, spec, attempt)

    engine.script = script
    t1, _ = head.write(tmp_path)
    series = sorted(as_series(t1, tmp_path / "series").iterdir())
    scan = accept(services, series, "series", "a")
    assert any("not measured" in text for text in scan.warnings)
    job_id = services.dispatcher.submit("a", "translate", {"t1": scan.id}, {"target": "t2"})
    services.dispatcher.start()
    wait_for(services, job_id)
    assert [(note.level, note.text) for note in given[0].notes] == [
        ("warning", f"t1: {text}") for text in scan.warnings
    ]


def test_progress_is_in_the_database_while_the_job_runs(
    services: Services, engine: FakeEngine, head: Phantom, tmp_path: Path
) -> None:
    engine.script = endless
    job_id = submit(services, head, tmp_path)
    services.dispatcher.start()
    job = wait_until(lambda: services.repo.job(job_id, "a"), lambda seen: seen.fraction > 0)
    assert (job.state, job.text) == ("running", "step 1 of 4")


def test_cancel_a_running_job(services: Services, engine: FakeEngine, head: Phantom, tmp_path: Path) -> None:
    engine.script = endless
    job_id = submit(services, head, tmp_path)
    services.dispatcher.start()
    wait_until(lambda: services.repo.job(job_id, "a"), lambda seen: seen.state == "running")
    services.dispatcher.cancel(job_id, "a")
    assert services.repo.job(job_id, "a").state == "cancelled"
    engine.script = finish
    following = submit(services, head, tmp_path)
    assert wait_for(services, following).state == "done"
    assert services.repo.job(job_id, "a").state == "cancelled"


def test_cancel_a_waiting_job_and_one_that_is_over(services: Services, head: Phantom, tmp_path: Path) -> None:
    first, second = (submit(services, head, tmp_path) for _ in range(2))
    services.dispatcher.cancel(first, "a")
    services.dispatcher.start()
    assert wait_for(services, second).state == "done"
    services.dispatcher.cancel(second, "a")
    assert services.repo.job(second, "a").state == "done"
    assert services.repo.job(first, "a").state == "cancelled"


def test_a_stranger_cannot_cancel(services: Services, head: Phantom, tmp_path: Path) -> None:
    job_id = submit(services, head, tmp_path)
    with pytest.raises(UserError, match="not_found"):
        services.dispatcher.cancel(job_id, "b")
    assert services.repo.job(job_id, "a").state == "queued"


def test_turns_go_round_the_sessions(services: Services, engine: FakeEngine, head: Phantom, tmp_path: Path) -> None:
    greedy = [submit(services, head, tmp_path, "a") for _ in range(4)]
    modest = submit(services, head, tmp_path, "b")
    services.dispatcher.start()
    for job_id in greedy:
        wait_for(services, job_id)
    assert engine.started == [greedy[0], modest, *greedy[1:]]


def test_too_many_waiting_jobs_are_refused(services: Services, head: Phantom, tmp_path: Path) -> None:
    scan, mask = load(services, head, tmp_path)
    inputs = {"t1": scan.id, "mask": mask.id}
    for _ in range(services.settings.queue_per_session):
        services.dispatcher.submit("a", "inpaint", inputs, {})
    with pytest.raises(UserError) as refused:
        services.dispatcher.submit("a", "inpaint", inputs, {})
    assert refused.value.code == "queue_full"
    assert len(services.repo.jobs("a")) == services.settings.queue_per_session


def test_a_failure_of_the_task_is_kept(services: Services, engine: FakeEngine, head: Phantom, tmp_path: Path) -> None:
    failed = Failed("out_of_memory", "Too big.", "Crop it.")
    engine.script = lambda job_id, spec, attempt: iter([Started("cpu"), failed])
    job_id = submit(services, head, tmp_path)
    services.dispatcher.start()
    job = wait_for(services, job_id)
    assert (job.state, job.error) == ("failed", failed)
    assert engine.started == [job_id]


def test_a_mistake_of_the_engine_ends_the_job_and_not_the_queue(
    services: Services, engine: FakeEngine, head: Phantom, tmp_path: Path
) -> None:
    def broken(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        raise RuntimeError("unforeseen")

    engine.script = broken
    first = submit(services, head, tmp_path)
    services.dispatcher.start()
    job = wait_for(services, first)
    assert job.error and (job.state, job.error.code) == ("failed", "internal")
    engine.script = finish
    assert wait_for(services, submit(services, head, tmp_path)).state == "done"


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"mask": "mask"}, "input_missing"),
        ({"t1": "t1"}, "input_missing"),
        ({"t1": "mask", "mask": "mask"}, "wrong_input"),
        ({"t1": "t1", "mask": "t1"}, "wrong_input"),
        ({"t1": "t1", "mask": "mask", "flair": "t1"}, "unknown_input"),
        ({"t1": "nothing", "mask": "mask"}, "not_found"),
        ({"t1": "other", "mask": "mask"}, "mask_other_scan"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    services: Services, head: Phantom, tmp_path: Path, inputs: dict[str, str], code: str
) -> None:
    scan, mask = load(services, head, tmp_path)
    other, _ = load(services, head, tmp_path)
    ids = {"t1": scan.id, "mask": mask.id, "other": other.id}
    with pytest.raises(UserError) as refused:
        services.dispatcher.submit("a", "inpaint", {name: ids.get(kind, kind) for name, kind in inputs.items()}, {})
    assert refused.value.code == code
    assert services.repo.jobs("a") == ()


def test_the_scans_of_a_stranger_are_no_inputs(services: Services, head: Phantom, tmp_path: Path) -> None:
    scan, mask = load(services, head, tmp_path)
    with pytest.raises(UserError) as refused:
        services.dispatcher.submit("b", "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    assert refused.value.code == "not_found"


def test_all_open_pages_share_one_count_of_the_queue(services: Services, head: Phantom, tmp_path: Path) -> None:
    scan, mask = load(services, head, tmp_path)
    services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    clock = services.dispatcher.board._clock = HandClock()
    statements: list[str] = []
    event.listen(services.repo.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert [services.dispatcher.waiting() for _ in range(100)] == [1] * 100
    # the jobs, and their places
    assert len([one for one in statements if one.startswith("SELECT")]) == 2
    services.dispatcher.queue.add("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {}, own=9, total=9)
    assert services.dispatcher.waiting() == 1
    clock.forward(LIFE)
    assert services.dispatcher.waiting() == 2


def test_what_a_visitor_does_to_the_queue_is_counted_at_once(services: Services, head: Phantom, tmp_path: Path) -> None:
    scan, mask = load(services, head, tmp_path)
    assert services.dispatcher.waiting() == 0
    job = services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    assert services.dispatcher.waiting() == 1
    services.dispatcher.cancel(job, "a")
    assert services.dispatcher.waiting() == 0
    services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {"method": "shell"})
    steps = services.dispatcher.next_job()
    assert steps is not None and services.dispatcher.waiting() == 1
    list(steps)
    assert services.dispatcher.waiting() == 0


def test_a_day_has_so_many_jobs(settings: Settings, engine: FakeEngine, head: Phantom, tmp_path: Path) -> None:
    few = settings.model_copy(update={"jobs_per_day": 2, "jobs_per_day_total": 3, "queue_per_session": 2})
    services = build_services(few, lambda: engine)
    try:
        for session in ("a", "a", "b"):
            submit(services, head, tmp_path, session)
        # deleting what was started gives nothing back
        services.erasure.delete_session("a")
        for session in ("a", "c"):
            with pytest.raises(UserError) as refused:
                submit(services, head, tmp_path, session)
            assert (refused.value.code, "24 hours" in refused.value.hint) == ("job_limit", True)
    finally:
        services.dispatcher.stop()
        services.repo.engine.dispose()
