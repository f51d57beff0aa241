"""What the local engine does besides: children of this process, killed, hung, immortal, orphaned."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.engine.local import LocalEngine
from core.engine.protocol import WorkerLost
from core.events import Finished, Progress, Started
from core.tasks import find
from tests.contract.engines import FAKES, LONG, alive, pid_of, spec
from tests.waiting import wait_until


def test_two_slots_run_two_jobs(tmp_path: Path) -> None:
    with LocalEngine("cpu", slots=2, tasks=FAKES) as engine:
        first, second = (engine.run(name, spec(tmp_path, **LONG)) for name in "ab")
        assert next(first) == next(second) == Started("cpu")
        assert len(set(engine.pids)) == 2


def test_a_hung_child_is_killed(tmp_path: Path) -> None:
    with LocalEngine("cpu", tasks=FAKES) as engine:
        # a child that still starts is silent too
        list(engine.run("warm", spec(tmp_path)))
        engine._silence = 1.5
        with pytest.raises(WorkerLost, match="no sign of life"):
            list(engine.run("a", spec(tmp_path, steps=1, pause=600)))


def test_a_child_loads_networks_while_it_has_no_job(tmp_path: Path) -> None:
    with LocalEngine("cpu", tasks=FAKES, warm=("inpaint",)) as engine:
        names = map(str, itertools.count())

        def loaded() -> object:
            events = list(engine.run(next(names), spec(tmp_path, "look")))
            assert pid_of(events) == engine.pids[0] and isinstance(events[-1], Finished)
            return events[-1].result.finding("loaded")

        # each of these jobs comes between two parts of what is loaded, the first before every network
        assert loaded() == 0
        assert wait_until(loaded, lambda number: number == len(find("inpaint").weights))


@pytest.fixture
def immortal(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Children that no signal reaches, as when the kernel waits for a disk or a driver; undone, they can be killed."""
    monkeypatch.setattr(os, "killpg", lambda group, number: None)
    monkeypatch.setattr(subprocess.Popen, "kill", lambda process: None)
    yield monkeypatch


def test_a_child_that_cannot_be_killed_stops_nobody(tmp_path: Path, immortal: pytest.MonkeyPatch) -> None:
    engine = LocalEngine("cpu", tasks=FAKES, grace=0.1)
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
    with LocalEngine("cpu", tasks=FAKES) as engine:
        events = engine.run("a", spec(tmp_path, "helper", pause=0 if end == "crash" else 600))
        assert next(events) == Started("cpu")
        progress = next(events)
        assert isinstance(progress, Progress)
        started = int(progress.text)
        if end == "leave":
            events.close()
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

    with LocalEngine("cpu", tasks=FAKES) as engine:
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
    engine = LocalEngine("cpu", slots=2, tasks=FAKES)
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
    with LocalEngine("cpu", tasks=FAKES) as engine:
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
        f"engine = LocalEngine('cpu', tasks={FAKES!r})\n"
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
