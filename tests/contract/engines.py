"""Engines under test, and the processes that they keep."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from core.engine.protocol import Engine, JobSpec
from core.engine.ray.ray_engine import RayEngine
from core.events import Event, Finished

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

FAKES = "tests.contract.fake_tasks"
LONG: dict[str, Any] = {"steps": 1000, "pause": 0.05}
# bytes of shared memory of a node
STORE = 100 << 20
# of all clusters: Ray reads it once in a process
TOKEN = secrets.token_hex(32)


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
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
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
    settings = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "RAY_USAGE_STATS_ENABLED": "0"}
    os.environ |= settings
    from ray.cluster_utils import Cluster

    made = Cluster()
    try:
        add_node(made, cores, temp_dir=folder)
        for _ in range(nodes - 1):
            add_node(made, cores)
        yield made
    finally:
        made.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
        for name in settings:
            os.environ.pop(name, None)


def add_node(cluster: Cluster, cores: int, **given: object) -> Any:
    """Add a node and return it. It is given its ports: for those that its helpers choose a node waits 15 s at most."""
    helpers = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
    for tries in (2, 1, 0):
        ports = dict(zip(helpers, _free_ports(len(helpers)), strict=True))
        try:
            return cluster.add_node(
                num_cpus=cores, object_store_memory=STORE, include_dashboard=False, **ports, **given
            )
        except Exception:
            # half a minute was too short on a busy machine
            if not tries:
                raise
    return None


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        links = [stack.enter_context(socket.socket()) for _ in range(count)]
        for link in links:
            link.bind(("127.0.0.1", 0))
        return [link.getsockname()[1] for link in links]


def joined(cluster: Cluster, slots: int = 1, **options: Any) -> RayEngine:
    """Return an engine on a cluster, of the fake tasks unless told otherwise."""
    given: dict[str, Any] = {"tasks": FAKES, "threads": 1} | options
    return RayEngine(str(cluster.address), "cpu", slots, **given)
