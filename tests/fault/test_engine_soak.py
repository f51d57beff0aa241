"""Thousands of short jobs through the queue of a server while their processes are killed: none lost, none doubled."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import and_, func, select

from core.declaration import Task
from core.engine.local import LocalEngine
from core.engine.protocol import Engine
from core.engine.ray.ray_engine import RayEngine
from tests.contract.engines import FAKES, below, cluster_of, joined
from tests.contract.fake_tasks import TASKS
from tests.postgres import Postgres
from tests.waiting import wait_until
from webapp.app import build_services
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.schema import artifact, job

SOAK = (pytest.mark.soak, pytest.mark.timeout(3600))
# a job of 5 ms, one that lasts until it is killed or for a second, and how many may wait
SHORT, LONG, WAITING = {"steps": 1, "pause": 0.005}, {"steps": 20, "pause": 0.05}, 20
# a job writes its count and its record
FILES = 2


def find(name: str) -> Task:
    """Return one of the tasks that do little."""
    return {task.name: task for task in TASKS}[name]


def server(data: Path, engine: Callable[[], Engine], ended: Counter[str], **given: object) -> Services:
    """A server that has started; ended: counts how jobs end."""
    limits = dict.fromkeys(("queue_total", "queue_per_session", "running_per_session", "jobs_per_day"), 1 << 20)
    settings = Settings(
        data=data,
        warm=True,
        disk_reserve_mb=1,
        jobs_per_day_total=1 << 20,
        **({"slots": 2} | limits | given),  # type: ignore[arg-type]
    )
    made = build_services(settings, engine, find=find)
    made.dispatcher._runner.ended = lambda task, state, seconds: ended.update([state])
    made.dispatcher.start()
    return made


@contextmanager
def started(servers: Sequence[Services]) -> Iterator[None]:
    """Stop servers in the end."""
    try:
        yield
    finally:
        for one in servers:
            one.dispatcher.stop()
            one.repo.engine.dispose()


def left(one: Services) -> int:
    """Return the number of jobs that are not over."""
    with one.repo.engine.begin() as connection:
        return int(connection.scalar(select(func.count()).where(job.c.state.in_(("queued", "running")))) or 0)


def hurt(one: Services) -> int:
    """Return the number of jobs that have lost a process and are not over."""
    begun = and_(job.c.state.in_(("queued", "running")), job.c.deaths > 0)
    with one.repo.engine.begin() as connection:
        return int(connection.scalar(select(func.count()).where(begun)) or 0)


def soak(
    servers: Sequence[Services], jobs: int, ended: Counter[str], victims: Callable[[], Sequence[int]], each: int = 100
) -> None:
    """Hand jobs to servers in turn, kill a process for ``each`` so many, and count what has become of them."""
    rng, kills, begun = random.Random(0), 0, time.monotonic()
    for number in range(jobs):
        one = servers[number % len(servers)]
        wait_until(partial(left, one), lambda length: length < WAITING)
        doomed = number % each == each // 2
        name = one.dispatcher.submit("a", "count", {}, LONG if doomed else SHORT)
        if doomed:
            # what has died once is not to die again, which would end it
            wait_until(partial(hurt, one), lambda number: number == 0)
            # while it runs, so that half of the kills hit it and the others whatever runs beside it
            wait_until(partial(one.repo.job, name, "a"), lambda found: found.fraction > 0 or found.over)
            with suppress(ProcessLookupError):
                os.kill(rng.choice(wait_until(victims, bool)), signal.SIGKILL)
                kills += 1
    wait_until(partial(left, servers[0]), lambda length: length == 0)
    wait_until(lambda: ended.total(), lambda total: total >= jobs)
    with servers[0].repo.engine.begin() as connection:
        rows = connection.execute(select(job.c.state, func.count()).group_by(job.c.state))
        states = {str(state): int(number) for state, number in rows}
        files = Counter(connection.execute(select(artifact.c.job)).scalars())
        deaths = connection.scalar(select(func.sum(job.c.deaths)))
    figures = f"{jobs} jobs, {kills} kills, {deaths} starts lost, {time.monotonic() - begun:.0f} s: {states}"
    print(figures)  # noqa: T201 - shown by pytest -s
    assert states == {"done": jobs}
    assert ended == Counter(done=jobs, lost=deaths)
    assert len(files) == jobs and set(files.values()) == {FILES}
    blobs = sum(1 for one in {one.blobs.root for one in servers} for _ in one.glob("[0-9a-f][0-9a-f]/*"))
    assert blobs == FILES * jobs
    # some hit a process between two jobs
    assert kills == jobs // each and deaths >= kills // 10


@pytest.mark.parametrize(
    ("jobs", "each"), [pytest.param(100, 20, id="short"), pytest.param(10_000, 100, id="long", marks=SOAK)]
)
def test_children_of_a_server_are_killed(tmp_path: Path, jobs: int, each: int) -> None:
    ended: Counter[str] = Counter()
    one = server(tmp_path / "data", lambda: LocalEngine("cpu", 2, tasks=FAKES), ended)
    with started([one]):
        soak([one], jobs, ended, lambda: below(os.getpid()), each)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_workers_of_a_ray_are_killed(tmp_path: Path) -> None:
    ended: Counter[str] = Counter()
    engines: list[RayEngine] = []

    def engine() -> Engine:
        engines.append(RayEngine("", "cpu", 2, tasks=FAKES))
        return engines[-1]

    one = server(tmp_path / "data", engine, ended)
    with started([one]):
        wait_until(lambda: engines, bool)
        # in turn the children that compute and the actors that hold them
        soak([one], 1000, ended, lambda: (*below(os.getpid()), *below(os.getpid(), "ray::JobRunner")))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_servers_share_a_cluster_and_a_database(tmp_path: Path, postgres: Postgres) -> None:
    ended: Counter[str] = Counter()
    with ExitStack() as stack:
        url = stack.enter_context(postgres.empty())
        cluster = stack.enter_context(cluster_of(2))
        servers = [
            server(tmp_path / "data", lambda: joined(cluster), ended, database_url=url, slots=1) for _ in range(2)
        ]
        stack.enter_context(started(servers))
        soak(servers, 600, ended, lambda: below(os.getpid()), 50)
