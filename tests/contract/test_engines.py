"""What every engine must do, whatever it runs on."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec, WorkerLost
from core.events import Event, Failed, Finished, Progress, Started
from tests.waiting import LONGEST, wait_until

FAKES = "tests.contract.fake_tasks"
LONG: dict[str, Any] = {"steps": 1000, "pause": 0.05}


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalEngine]:
    with LocalEngine("cpu", tasks=FAKES, preload=False) as engine:
        yield engine


@pytest.fixture
def engine(shared: LocalEngine) -> LocalEngine:
    return shared


def spec(out: Path, task: str = "count", **params: object) -> JobSpec:
    return JobSpec(task, {}, params, str(out))


def pid_of(events: list[Event]) -> int:
    last = events[-1]
    assert isinstance(last, Finished)
    pid = last.result.finding("pid")
    assert isinstance(pid, int)
    return pid


def alive(pid: int) -> bool:
    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


def test_events_come_in_order_and_files_are_there(engine: LocalEngine, tmp_path: Path) -> None:
    events = list(engine.run("a", spec(tmp_path)))
    assert [type(event) for event in events] == [Started, Progress, Progress, Progress, Finished]
    assert events[0] == Started("cpu")
    assert (tmp_path / "count.json").read_text() == "3"
    last = events[-1]
    assert isinstance(last, Finished)
    assert set(last.files) == {"count", "run"}
    assert all(Path(path).is_file() for path in last.files.values())


def test_a_child_stays_warm(engine: LocalEngine, tmp_path: Path) -> None:
    first, second = (pid_of(list(engine.run(name, spec(tmp_path)))) for name in "ab")
    assert first == second != os.getpid()
    assert engine.pids == (first,)


def test_a_task_error_is_failed_and_the_child_stays(engine: LocalEngine, tmp_path: Path) -> None:
    before = engine.pids
    events = list(engine.run("a", spec(tmp_path, "refuse")))
    assert events[-1] == Failed("empty_mask", "The mask is empty.", "Draw one.")
    assert engine.pids == before
    assert pid_of(list(engine.run("b", spec(tmp_path)))) == before[0]


@pytest.mark.parametrize(("task", "code"), [("crash", "internal"), ("exhaust", "out_of_memory")])
def test_a_fault_is_failed_and_the_child_is_replaced(engine: LocalEngine, tmp_path: Path, task: str, code: str) -> None:
    before = engine.pids
    last = list(engine.run("a", spec(tmp_path, task)))[-1]
    assert isinstance(last, Failed)
    assert last.code == code
    assert engine.pids != before
    assert list(engine.run("b", spec(tmp_path)))[-1].__class__ is Finished


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (JobSpec("nothing", {}), "unknown_task"),
        (JobSpec("count", {}, {"steps": 0}), "bad_parameter"),
        (JobSpec("count", {"t1": "x"}), "unknown_input"),
        (JobSpec("count", {}, device="tpu"), "device_unavailable"),
    ],
)
def test_a_job_that_cannot_start_fails_alone(engine: LocalEngine, job: JobSpec, code: str) -> None:
    events = list(engine.run("a", job))
    assert [type(event) for event in events] == [Failed]
    assert isinstance(events[0], Failed)
    assert events[0].code == code


def test_noise_on_the_streams_does_no_harm_and_progress_never_falls(engine: LocalEngine, tmp_path: Path) -> None:
    events = list(engine.run("a", spec(tmp_path, "shout")))
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert fractions == [0.9, 0.9]
    assert isinstance(events[-1], Finished)
    assert any(isinstance(event, Progress) and event.text == "line\nbreak \u2603" for event in events)


def test_a_child_killed_in_mid_job_is_lost_and_replaced(engine: LocalEngine, tmp_path: Path) -> None:
    victim = engine.pids[0]
    events: list[Event] = []
    with pytest.raises(WorkerLost):
        for event in engine.run("a", spec(tmp_path, **LONG)):
            events.append(event)
            if len(events) == 3:
                os.kill(victim, signal.SIGKILL)
    assert not any(isinstance(event, Finished | Failed) for event in events)
    assert not alive(victim)
    assert pid_of(list(engine.run("a", spec(tmp_path)))) != victim


def test_a_child_killed_between_jobs_is_replaced_unseen(engine: LocalEngine, tmp_path: Path) -> None:
    victim = engine.pids[0]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: alive(victim), lambda still: not still)
    assert pid_of(list(engine.run("a", spec(tmp_path)))) != victim


def test_cancel_from_another_thread_does_not_wait_for_the_job(engine: LocalEngine, tmp_path: Path) -> None:
    events = engine.run("a", spec(tmp_path, steps=1, pause=600))
    assert next(events) == Started("cpu")
    victim = engine.pids[0]
    # the job itself would go on for ten minutes
    threading.Timer(0.1, engine.cancel, ["a"]).start()
    with pytest.raises(WorkerLost):
        next(events)
    assert not alive(victim)
    engine.cancel("a")
    engine.cancel("unknown")
    assert isinstance(list(engine.run("a", spec(tmp_path)))[-1], Finished)


def test_leaving_a_job_kills_its_child(engine: LocalEngine, tmp_path: Path) -> None:
    events = engine.run("a", spec(tmp_path, **LONG))
    next(events)
    victim = engine.pids[0]
    events.close()  # type: ignore[attr-defined]
    assert not alive(victim)
    assert isinstance(list(engine.run("a", spec(tmp_path)))[-1], Finished)


def test_a_second_job_waits_for_the_child_and_can_be_cancelled_while_it_waits(
    engine: LocalEngine, tmp_path: Path
) -> None:
    first = engine.run("first", spec(tmp_path, **LONG))
    next(first)
    outcome: list[object] = []

    def second() -> None:
        try:
            outcome.extend(engine.run("second", spec(tmp_path)))
        except WorkerLost as error:
            outcome.append(error)

    thread = threading.Thread(target=second)
    thread.start()
    time.sleep(0.1)
    assert outcome == []
    engine.cancel("second")
    thread.join(LONGEST)
    assert [type(item) for item in outcome] == [WorkerLost]
    assert isinstance(next(first), Progress)
    engine.cancel("first")
    with pytest.raises(WorkerLost):
        list(first)


def test_the_same_job_cannot_run_twice_at_once(engine: LocalEngine, tmp_path: Path) -> None:
    events = engine.run("a", spec(tmp_path, **LONG))
    next(events)
    with pytest.raises(ValueError, match="already runs"):
        next(iter(engine.run("a", spec(tmp_path))))
    events.close()  # type: ignore[attr-defined]


def test_two_slots_run_two_jobs(tmp_path: Path) -> None:
    with LocalEngine("cpu", slots=2, tasks=FAKES, preload=False) as engine:
        first, second = (engine.run(name, spec(tmp_path, **LONG)) for name in "ab")
        assert next(first) == next(second) == Started("cpu")
        assert len(set(engine.pids)) == 2


def test_a_hung_child_is_killed(tmp_path: Path) -> None:
    with LocalEngine("cpu", tasks=FAKES, preload=False) as engine:
        # a child that still starts is silent too
        list(engine.run("warm", spec(tmp_path)))
        engine._silence = 1.5
        with pytest.raises(WorkerLost, match="no sign of life"):
            list(engine.run("a", spec(tmp_path, steps=1, pause=600)))


@pytest.fixture
def immortal(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Children that no signal reaches, as when the kernel waits for a disk or a driver; undone, they can be killed."""
    monkeypatch.setattr(os, "killpg", lambda group, number: None)
    monkeypatch.setattr(subprocess.Popen, "kill", lambda process: None)
    yield monkeypatch


def test_a_child_that_cannot_be_killed_stops_nobody(tmp_path: Path, immortal: pytest.MonkeyPatch) -> None:
    engine = LocalEngine("cpu", tasks=FAKES, preload=False, grace=0.1)
    pids = list(engine.pids)
    try:
        events = engine.run("a", spec(tmp_path, steps=1, pause=600))
        next(events)
        # nor does it notice that its socket ends
        os.kill(pids[0], signal.SIGSTOP)
        wait_until(psutil.Process(pids[0]).status, lambda seen: seen == psutil.STATUS_STOPPED)
        engine.cancel("a")
        with pytest.raises(WorkerLost):
            next(events)
        assert alive(pids[0])
        assert isinstance(list(engine.run("b", spec(tmp_path)))[-1], Finished)
        pids += engine.pids
        engine.close()
    finally:
        immortal.undo()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    # they leave no zombies behind either
    wait_until(lambda: [pid for pid in pids if psutil.pid_exists(pid)], lambda left: not left)


@pytest.mark.parametrize("end", ["cancel", "crash", "close", "leave"])
def test_what_a_child_has_started_dies_with_it(tmp_path: Path, end: str) -> None:
    with LocalEngine("cpu", tasks=FAKES, preload=False) as engine:
        events = engine.run("a", spec(tmp_path, "helper", pause=0 if end == "crash" else 600))
        assert next(events) == Started("cpu")
        progress = next(events)
        assert isinstance(progress, Progress)
        started = int(progress.text)
        if end == "leave":
            events.close()  # type: ignore[attr-defined]
        else:
            if end != "crash":
                getattr(engine, end)(*["a"][: end == "cancel"])
            with pytest.raises(WorkerLost):
                next(events)
        wait_until(lambda: alive(started), lambda still: not still)


def test_a_process_that_cannot_be_started_costs_the_job_and_not_the_slot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    with LocalEngine("cpu", tasks=FAKES, preload=False) as engine:
        events = engine.run("a", spec(tmp_path, **LONG))
        next(events)
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", refuse)
            engine.cancel("a")
            with pytest.raises(WorkerLost):
                list(events)
            with pytest.raises(WorkerLost, match="started"):
                list(engine.run("b", spec(tmp_path)))
        assert isinstance(list(engine.run("c", spec(tmp_path)))[-1], Finished)


def test_close_leaves_no_child_and_ends_running_jobs(tmp_path: Path) -> None:
    engine = LocalEngine("cpu", slots=2, tasks=FAKES, preload=False)
    pids = engine.pids
    events = engine.run("a", spec(tmp_path, **LONG))
    next(events)
    engine.close()
    with pytest.raises(WorkerLost):
        list(events)
    assert not any(alive(pid) for pid in pids)
    with pytest.raises(WorkerLost):
        list(engine.run("b", spec(tmp_path)))
    engine.close()


def test_no_descriptor_leaks_through_many_children(tmp_path: Path) -> None:
    process = psutil.Process()
    with LocalEngine("cpu", tasks=FAKES, preload=False) as engine:
        before = process.num_fds()
        for number in range(5):
            events = engine.run(str(number), spec(tmp_path, **LONG))
            next(events)
            engine.cancel(str(number))
            with pytest.raises(WorkerLost):
                list(events)
        assert process.num_fds() == before
    assert process.num_fds() < before


@pytest.mark.parametrize("task", ["count", "helper"])
def test_children_end_when_the_engine_is_killed(tmp_path: Path, task: str) -> None:
    script = (
        "import sys; from core.engine.protocol import JobSpec; from core.engine.local import LocalEngine\n"
        f"engine = LocalEngine('cpu', tasks={FAKES!r}, preload=False)\n"
        f"events = engine.run('a', JobSpec({task!r}, {{}}, {{'steps': 1, 'pause': 600}}, {str(tmp_path)!r}))\n"
        "next(events); print(engine.pids[0], flush=True)\n"
        "print(next(events).text, flush=True); next(events)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(parent.stdout.readline())]
        if task == "helper":
            pids.append(int(parent.stdout.readline()))
        assert all(alive(pid) for pid in pids)
        parent.kill()
    wait_until(lambda: [pid for pid in pids if alive(pid)], lambda left: not left)
