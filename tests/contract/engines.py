"""Engines under test, and the processes that they keep."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from core.engine.protocol import Engine, JobSpec
from core.engine.ray.ray_engine import RayEngine
from core.events import Event, Finished
from tests.waiting import LONGEST

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

FAKES = "tests.contract.fake_tasks"
LONG: dict[str, Any] = {"steps": 1000, "pause": 0.05}
# bytes of shared memory of a node
STORE = 100 << 20


def spec(out: Path, task: str = "count", **params: object) -> JobSpec:
    """A job of the fake tasks."""
    return JobSpec(task, {}, params, str(out))


def pid_of(events: list[Event]) -> int:
    """Return the number of the process that ran a job, which is in its result."""
    last = events[-1]
    assert isinstance(last, Finished)
    pid = last.result.finding("pid")
    assert isinstance(pid, int)
    return pid


def alive(pid: int) -> bool:
    """Return whether a process runs, or hangs."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def below(root: int, name: str = "core.engine.worker") -> tuple[int, ...]:
    """Return the processes that descend from ``root`` and have ``name`` in their command."""
    found = []
    for each in psutil.Process(root).children(recursive=True):
        try:
            if any(name in word for word in each.cmdline()) and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each.pid)
        except psutil.NoSuchProcess:
            continue
    return tuple(sorted(found))


@dataclass(frozen=True)
class Observed:
    """An engine of one slot; root: the process from which those of its jobs descend, and no others."""

    engine: Engine
    root: int

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes in which jobs run."""
        return below(self.root)


@contextmanager
def cluster_of(nodes: int, cores: int = 1) -> Iterator[Cluster]:
    """Start a Ray of several nodes on this machine, with a token in the environment, and end it."""
    folder = tempfile.mkdtemp(prefix="counterscan-ray-")
    settings = {
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0",
    }  # fmt: skip
    os.environ |= settings
    from ray.cluster_utils import Cluster

    from core.engine.ray.bridge import wait_for_nodes

    wait_for_nodes(LONGEST)
    made = Cluster(initialize_head=True, head_node_args=_node(cores) | {"temp_dir": folder})
    try:
        for _ in range(nodes - 1):
            made.add_node(**_node(cores))
        yield made
    finally:
        made.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
        for name in settings:
            os.environ.pop(name, None)


def _node(cores: int) -> dict[str, object]:
    return {"num_cpus": cores, "object_store_memory": STORE, "include_dashboard": False}


def joined(cluster: Cluster, slots: int = 1, **options: Any) -> RayEngine:
    """Return an engine on a cluster, of the fake tasks unless told otherwise."""
    given = {"tasks": FAKES, "preload": False, "threads": 1} | options
    return RayEngine(str(cluster.address), "cpu", slots, **given)
