"""What every engine must do, whatever it runs on."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.engine.execute import execute
from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec, WorkerLost
from core.engine.ray.ray_engine import RayEngine
from core.events import Event, Failed, Finished, Progress, Started
from tests.contract.engines import FAKES, LONG, Observed, alive, cluster_of, joined, pid_of, spec
from tests.phantom import Phantom
from tests.waiting import LONGEST, wait_until


@pytest.fixture(scope="module", params=["local", "ray", pytest.param("cluster", marks=pytest.mark.soak)])
def tested(request: pytest.FixtureRequest) -> Iterator[Observed]:
    """Each kind of engine; a cluster has two nodes."""
    if request.param == "local":
        with LocalEngine("cpu", tasks=FAKES) as local:
            yield Observed(local, os.getpid())
    elif request.param == "ray":
        with RayEngine("", "cpu", tasks=FAKES) as own:
            yield Observed(own, own.bridge)
    else:
        with cluster_of(2) as cluster, joined(cluster) as remote:
            yield Observed(remote, os.getpid())


def test_events_come_in_order_and_files_are_there(tested: Observed, tmp_path: Path) -> None:
    events = list(tested.engine.run("a", spec(tmp_path)))
    assert [type(event) for event in events] == [Started, Progress, Progress, Progress, Finished]
    assert events[0] == Started("cpu")
    assert (tmp_path / "count.json").read_text() == "3"
    last = events[-1]
    assert isinstance(last, Finished)
    assert set(last.files) == {"count", "run"}
    assert all(Path(path).is_file() for path in last.files.values())


def test_the_same_job_gives_the_same_bytes_everywhere(tested: Observed, phantom: Phantom, tmp_path: Path) -> None:
    t1, mask = (str(path) for path in phantom.write(tmp_path))
    job = JobSpec("inpaint", {"t1": t1, "mask": mask}, {"method": "biharmonic"}, str(tmp_path / "there"), "cpu")
    here = replace(job, out=str(tmp_path / "here"))
    for each in (job, here):
        Path(each.out).mkdir()
    last = list(tested.engine.run("a", job))[-1]
    assert isinstance(last, Finished)
    assert isinstance(list(execute(here))[-1], Finished)
    made, wanted = ({path.name: path for path in Path(each.out).iterdir()} for each in (job, here))
    assert made.keys() == wanted.keys() == {Path(file).name for file in last.files.values()}
    volumes = [name for name in made if name.endswith(".nii.gz")]
    assert len(volumes) > 2
    assert [name for name in volumes if made[name].read_bytes() != wanted[name].read_bytes()] == []
    # the run record has the time, and the report the record; the versions are of what a process has loaded
    there, same = (
        json.loads(path.read_text()) | {"timing": None, "outputs": None, "versions": None}
        for path in (made["run.json"], wanted["run.json"])
    )
    assert there == same


def test_a_child_stays_warm(tested: Observed, tmp_path: Path) -> None:
    first, second = (pid_of(list(tested.engine.run(name, spec(tmp_path)))) for name in "ab")
    assert first == second != os.getpid()
    assert tested.pids == (first,)


def test_a_task_error_is_failed_and_the_child_stays(tested: Observed, tmp_path: Path) -> None:
    before = tested.pids
    events = list(tested.engine.run("a", spec(tmp_path, "refuse")))
    assert events[-1] == Failed("empty_mask", "The mask is empty.", "Draw one.")
    assert tested.pids == before
    assert pid_of(list(tested.engine.run("b", spec(tmp_path)))) == before[0]


@pytest.mark.parametrize(("task", "code"), [("crash", "internal"), ("exhaust", "out_of_memory")])
def test_a_fault_is_failed_and_the_child_is_replaced(tested: Observed, tmp_path: Path, task: str, code: str) -> None:
    before = tested.pids
    last = list(tested.engine.run("a", spec(tmp_path, task)))[-1]
    assert isinstance(last, Failed)
    assert last.code == code
    wait_until(lambda: tested.pids, lambda found: bool(found) and found != before)
    assert list(tested.engine.run("b", spec(tmp_path)))[-1].__class__ is Finished


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (JobSpec("nothing", {}), "unknown_task"),
        (JobSpec("count", {}, {"steps": 0}), "bad_parameter"),
        (JobSpec("count", {"t1": "x"}), "unknown_input"),
        (JobSpec("count", {}, device="tpu"), "device_unavailable"),
    ],
)
def test_a_job_that_cannot_start_fails_alone(tested: Observed, job: JobSpec, code: str) -> None:
    events = list(tested.engine.run("a", job))
    assert [type(event) for event in events] == [Failed]
    assert isinstance(events[0], Failed)
    assert events[0].code == code


def test_noise_on_the_streams_does_no_harm_and_progress_never_falls(tested: Observed, tmp_path: Path) -> None:
    events = list(tested.engine.run("a", spec(tmp_path, "shout")))
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert fractions == [0.9, 0.9]
    assert isinstance(events[-1], Finished)
    assert any(isinstance(event, Progress) and event.text == "line\nbreak \u2603" for event in events)


def test_a_child_killed_in_mid_job_is_lost_and_replaced(tested: Observed, tmp_path: Path) -> None:
    victim = tested.pids[0]
    events: list[Event] = []
    with pytest.raises(WorkerLost):
        for event in tested.engine.run("a", spec(tmp_path, **LONG)):
            events.append(event)
            if len(events) == 3:
                os.kill(victim, signal.SIGKILL)
    assert not any(isinstance(event, Finished | Failed) for event in events)
    assert not alive(victim)
    assert pid_of(list(tested.engine.run("a", spec(tmp_path)))) != victim


def test_a_child_killed_between_jobs_is_replaced_unseen(tested: Observed, tmp_path: Path) -> None:
    victim = tested.pids[0]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: alive(victim), lambda still: not still)
    assert pid_of(list(tested.engine.run("a", spec(tmp_path)))) != victim


def test_cancel_from_another_thread_does_not_wait_for_the_job(tested: Observed, tmp_path: Path) -> None:
    events = tested.engine.run("a", spec(tmp_path, steps=1, pause=600))
    assert next(events) == Started("cpu")
    victim = tested.pids[0]
    # the job itself would go on for ten minutes
    threading.Timer(0.1, tested.engine.cancel, ["a"]).start()
    with pytest.raises(WorkerLost):
        next(events)
    assert not alive(victim)
    tested.engine.cancel("a")
    tested.engine.cancel("unknown")
    assert isinstance(list(tested.engine.run("a", spec(tmp_path)))[-1], Finished)


def test_leaving_a_job_kills_its_child(tested: Observed, tmp_path: Path) -> None:
    events = tested.engine.run("a", spec(tmp_path, **LONG))
    next(events)
    victim = tested.pids[0]
    events.close()  # type: ignore[attr-defined]
    assert not alive(victim)
    assert isinstance(list(tested.engine.run("a", spec(tmp_path)))[-1], Finished)


def test_a_second_job_waits_for_the_child_and_can_be_cancelled_while_it_waits(tested: Observed, tmp_path: Path) -> None:
    first = tested.engine.run("first", spec(tmp_path, **LONG))
    next(first)
    outcome: list[object] = []

    def second() -> None:
        try:
            outcome.extend(tested.engine.run("second", spec(tmp_path)))
        except WorkerLost as error:
            outcome.append(error)

    thread = threading.Thread(target=second)
    thread.start()
    time.sleep(0.1)
    assert outcome == []
    tested.engine.cancel("second")
    thread.join(LONGEST)
    assert [type(item) for item in outcome] == [WorkerLost]
    assert isinstance(next(first), Progress)
    tested.engine.cancel("first")
    with pytest.raises(WorkerLost):
        list(first)


def test_the_same_job_cannot_run_twice_at_once(tested: Observed, tmp_path: Path) -> None:
    events = tested.engine.run("a", spec(tmp_path, **LONG))
    next(events)
    with pytest.raises(ValueError, match="already runs"):
        next(iter(tested.engine.run("a", spec(tmp_path))))
    events.close()  # type: ignore[attr-defined]
