"""What the Ray engine does besides: clusters joined, left and lost; workers, nodes and drivers that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from core.engine.protocol import Engine, JobSpec, WorkerLost
from core.engine.ray.ray_engine import RayEngine
from core.errors import UserError
from core.events import Event, Finished, Progress, Started
from tests.contract.engines import FAKES, LONG, add_node, alive, below, cluster_of, joined, spec
from tests.waiting import LONGEST, wait_until

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

# seconds until a job that lost its worker, or its whole node, has run again
WORKER_BACK, NODE_BACK = 10.0, 60.0
ACTOR = "ray::JobRunner"


def test_ray_is_loaded_by_no_part_of_the_program_but_the_bridge() -> None:
    code = (
        "import sys, core, core.job, core.batch.run, core.commands.many_scans, core.engine.engine_choice, webapp.app\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'ray'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LONGEST, check=True)
    assert done.stdout.strip() == "[]"


def test_without_ray_a_sentence_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError) as caught:
        RayEngine()
    assert caught.value.code == "not_installed" and "counterscan[ray]" in caught.value.hint


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two nodes of one core each."""
    with cluster_of(2) as made:
        yield made


def finish(engine: Engine, job_id: str, job: JobSpec, tries: int = 2) -> list[Event]:
    """Run a job as a dispatcher does: again when its worker was lost."""
    for _ in range(tries - 1):
        try:
            return list(engine.run(job_id, job))
        except WorkerLost:
            continue
    return list(engine.run(job_id, job))


def begun(engine: Engine, job_id: str, job: JobSpec) -> Iterator[Event]:
    """Start a job and return the rest of its events."""
    events = engine.run(job_id, job)
    assert next(events) == Started("cpu")
    assert isinstance(next(events), Progress)
    return events


@pytest.mark.soak
def test_two_slots_run_on_two_nodes(cluster: Cluster, tmp_path: Path) -> None:
    with joined(cluster, 2) as engine:
        running = [begun(engine, name, spec(tmp_path, **LONG)) for name in "ab"]
        actors = [psutil.Process(pid) for pid in below(os.getpid(), ACTOR)]
        assert len(actors) == 2 and len({actor.ppid() for actor in actors}) == 2
        jobs = below(os.getpid())
        assert len(jobs) == 2
        engine.cancel("a")
        with pytest.raises(WorkerLost):
            list(running[0])
        assert sum(alive(pid) for pid in jobs) == 1
        running[1].close()  # type: ignore[attr-defined]
        assert not any(alive(pid) for pid in jobs)


@pytest.mark.soak
def test_a_killed_actor_is_replaced_within_seconds(cluster: Cluster, tmp_path: Path) -> None:
    with joined(cluster) as engine:
        events = begun(engine, "a", spec(tmp_path, **LONG))
        children = below(os.getpid())
        start = time.monotonic()
        for actor in below(os.getpid(), ACTOR):
            os.kill(actor, signal.SIGKILL)
        with pytest.raises(WorkerLost):
            list(events)
        assert isinstance(finish(engine, "a", spec(tmp_path))[-1], Finished)
        took = time.monotonic() - start
        print(f"a killed actor: done again after {took:.1f} s")  # noqa: T201 - shown by pytest -s
        assert took < WORKER_BACK
        # the job's process went with its actor
        wait_until(lambda: [pid for pid in children if alive(pid)], lambda left: not left)


@pytest.mark.soak
def test_a_frozen_actor_is_replaced(cluster: Cluster, tmp_path: Path) -> None:
    with joined(cluster) as engine:
        events = begun(engine, "a", spec(tmp_path, **LONG))
        frozen = below(os.getpid(), ACTOR)
        start = time.monotonic()
        for actor in frozen:
            os.kill(actor, signal.SIGSTOP)
        with pytest.raises(WorkerLost):
            list(events)
        for actor in frozen:
            os.kill(actor, signal.SIGKILL)
        assert isinstance(finish(engine, "a", spec(tmp_path))[-1], Finished)
        took = time.monotonic() - start
        print(f"a frozen actor: done again after {took:.1f} s")  # noqa: T201 - shown by pytest -s
        assert took < NODE_BACK


@pytest.mark.soak
def test_jobs_of_a_lost_node_run_on_another(cluster: Cluster, tmp_path: Path) -> None:
    lost = add_node(cluster, 2)
    with joined(cluster, 1, threads=2) as engine:
        # only the new node has two cores
        events = begun(engine, "a", spec(tmp_path, **LONG))
        add_node(cluster, 2)
        start = time.monotonic()
        cluster.remove_node(lost, allow_graceful=False)
        with pytest.raises(WorkerLost):
            list(events)
        assert isinstance(finish(engine, "a", spec(tmp_path))[-1], Finished)
        took = time.monotonic() - start
        print(f"a lost node: done again after {took:.1f} s")  # noqa: T201 - shown by pytest -s
        assert took < NODE_BACK


@pytest.mark.soak
def test_a_lost_driver_is_replaced(cluster: Cluster, tmp_path: Path) -> None:
    with joined(cluster) as engine:
        events = begun(engine, "a", spec(tmp_path, **LONG))
        before, children = engine.bridge, below(os.getpid())
        os.kill(before, signal.SIGKILL)
        with pytest.raises(WorkerLost):
            list(events)
        assert isinstance(finish(engine, "a", spec(tmp_path))[-1], Finished)
        assert engine.bridge != before
        wait_until(lambda: [pid for pid in children if alive(pid)], lambda left: not left)


@pytest.mark.soak
def test_a_hung_job_is_killed(cluster: Cluster, tmp_path: Path) -> None:
    with joined(cluster, silence=3.0) as engine:
        assert isinstance(list(engine.run("warm", spec(tmp_path)))[-1], Finished)
        victim = below(os.getpid())
        with pytest.raises(WorkerLost):
            list(engine.run("a", spec(tmp_path, steps=1, pause=600)))
        assert not any(alive(pid) for pid in victim)


@pytest.mark.soak
def test_close_ends_jobs_and_leaves_nothing(cluster: Cluster, tmp_path: Path) -> None:
    engine = joined(cluster)
    events = begun(engine, "a", spec(tmp_path, "helper", pause=600))
    pids = [engine.bridge, *below(os.getpid()), *below(os.getpid(), "sleep")]
    assert len(pids) == 3
    engine.close()
    with pytest.raises(WorkerLost):
        list(events)
    wait_until(lambda: [pid for pid in pids if alive(pid)], lambda left: not left)
    with pytest.raises(WorkerLost):
        list(engine.run("b", spec(tmp_path)))
    engine.close()


@pytest.mark.soak
def test_all_ends_when_the_engine_is_killed(tmp_path: Path) -> None:
    script = (
        "import os; from tests.contract.engines import *\n"
        f"engine = RayEngine('', 'cpu', tasks={FAKES!r})\n"
        f"events = engine.run('a', spec(Path({str(tmp_path)!r}), 'helper', pause=600))\n"
        "next(events); next(events); print(engine.bridge, engine._bridge._folder, flush=True); next(events)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        bridge, folder = parent.stdout.readline().split()
        pids = [int(bridge), *(each.pid for each in psutil.Process(int(bridge)).children(recursive=True))]
        assert len(pids) > 5 and Path(folder).is_dir()
        parent.kill()
    wait_until(lambda: [pid for pid in pids if alive(pid)], lambda left: not left)
    assert not Path(folder).exists()


@pytest.mark.soak
@pytest.mark.parametrize("wrong", ["token", "address"])
def test_who_does_not_belong_there_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setattr("core.engine.ray.ray_engine.PATIENCE", 0.0)
    address = str(cluster.address)
    if wrong == "token":
        monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    else:
        address = "127.0.0.1:1"
    with pytest.raises(UserError) as caught:
        RayEngine(address, "cpu", tasks=FAKES)
    assert caught.value.code == "ray_unreachable"
    assert ("token" in caught.value.hint) == (wrong == "token")
