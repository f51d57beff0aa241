"""A store is killed at any moment, or a write of it fails at any place: what it acknowledged stays, nothing else."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError

from core.errors import UserError
from tests.fault.keeper import OWNER
from tests.phantom import Phantom
from tests.webapp.fakes import FakeEngine, load
from webapp.app import build_services
from webapp.jobs.job_limits import JobLimits, Whereabouts
from webapp.keeping.deletion import delete_all_of
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.database_copy import FILES
from webapp.store.day_use import DayUse
from webapp.store.states import OVER

ROOT = Path(__file__).resolve().parents[2]
SOAK = (pytest.mark.soak, pytest.mark.timeout(3600))


def require_whole(services: Services) -> set[str]:
    """Compare the files of a store with its rows; return the names of files without a row."""
    services.erasure.finish()
    named: dict[str, str] = {}
    with services.repo.engine.begin() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
        for query in FILES.values():
            named |= {str(name): str(digest) for name, digest in connection.execute(text(query))}
    held = {path.name: path for path in services.blobs.root.glob("[0-9a-f][0-9a-f]/*")}
    assert named.keys() <= held.keys()
    for name, digest in named.items():
        assert hashlib.sha256(held[name].read_bytes()).hexdigest() == digest
    return held.keys() - named.keys()


@dataclass
class Seen:
    """What a store has acknowledged so far: done scans and jobs, and what was deleted or was on its way to be."""

    scans: set[str] = field(default_factory=set)
    jobs: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)

    def read(self, lines: list[str]) -> None:
        """Note the lines of one life."""
        for word, _, name in (line.partition(" ") for line in lines):
            {"scan": self.scans, "job": self.jobs, "deleted": self.gone, "deleting": self.perhaps}.get(word, set()).add(
                name
            )


@pytest.mark.parametrize("kills", [pytest.param(4, id="short"), pytest.param(200, id="whole", marks=SOAK)])
def test_what_was_acknowledged_survives_kills(tmp_path: Path, head: Phantom, kills: int) -> None:
    head.write(tmp_path)
    data, chance, seen = tmp_path / "data", random.Random(0), Seen()
    command = [sys.executable, "-m", "tests.fault.keeper", str(data), str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1) as keeper:
        assert keeper.stdin and keeper.stdout
        for _ in range(kills):
            keeper.stdin.write("start\n")
            worker = int(keeper.stdout.readline().split()[1])
            # from its start to its third round
            time.sleep(chance.uniform(0.1, 1.5))
            os.kill(worker, signal.SIGKILL)
            # the last line before the end may have been cut
            seen.read([line.strip() for line in iter(keeper.stdout.readline, "over\n") if line.endswith("\n")])
            require_acknowledged(data, seen)
        keeper.stdin.close()
    services = build_services(Settings(data=data, warm=False, disk_reserve_mb=1), FakeEngine)
    lost = require_whole(services)
    # of one life at most what was on its way
    assert len(lost) <= 4 * kills and (kills < 10 or len(seen.jobs) > kills / 10)
    services.blobs.sweep(services.repo.blobs(), time.time() + 2 * 86400)
    assert require_whole(services) == set() or 2 * len(lost) > len(services.repo.blobs())
    services.repo.engine.dispose()


def require_acknowledged(data: Path, seen: Seen) -> None:
    """Compare the database with what its store said, before anything repairs it."""
    if not (data / "counterscan.db").exists():
        assert not seen.scans
        return
    with closing(sqlite3.connect(data / "counterscan.db")) as database:
        scans = dict(database.execute("SELECT id, blob FROM scan"))
        jobs = {name for (name,) in database.execute("SELECT id FROM job")}
    deleted = seen.gone | seen.perhaps
    assert not seen.gone & scans.keys()
    # a mask goes with its scan, a job with either
    assert len(seen.scans - scans.keys()) <= 2 * len(deleted) and len(seen.jobs - jobs) <= len(deleted)
    for blob in scans.values():
        assert (data / "blobs" / blob[:2] / blob).is_file()


@dataclass
class Faults:
    """Makes the ``at``-th write fail, of the database or of the disk; ``writes``: how many there were."""

    services: Services
    at: int = 0
    lost: bool = False
    writes: int = 0
    met: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def failing(self, at: int, lost: bool) -> Iterator[None]:
        """Let the ``at``-th write fail within; lost: a commit goes through, and only its answer is lost."""
        self.at, self.lost, self.writes = at, lost, 0
        dialect, commit = self.services.repo.engine.dialect, self.services.repo.engine.dialect.do_commit

        def committing(connection: DBAPIConnection) -> None:
            if self._is_due("commit"):
                if self.lost:
                    commit(connection)  # type: ignore[arg-type]
                raise sqlite3.OperationalError("database or disk is full")
            commit(connection)  # type: ignore[arg-type]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dialect, "do_commit", committing)
            for name in ("fsync", "rename", "replace", "mkdir"):
                patch.setattr(os, name, self._or_full(name, getattr(os, name)))
            yield
        self.at = 0

    def _or_full(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def calling(*given: object, **named: object) -> object:
            if self._is_due(name):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*given, **named)

        return calling

    def _is_due(self, name: str) -> bool:
        self.writes += 1
        due = self.writes == self.at
        self.met[name] += due
        return due


@pytest.mark.parametrize("points", [pytest.param(12, id="short"), pytest.param(400, id="whole", marks=SOAK)])
def test_a_write_that_fails_leaves_nothing_half_done(
    services: Services, head: Phantom, tmp_path: Path, points: int
) -> None:
    """A visitor's life, from the first scan to the deletion of all, with each write of it failing in turn."""
    faults = Faults(services)
    # two jobs a life: the day must not end before the last
    services.dispatcher._limits = JobLimits(
        10 * points, 10 * points, DayUse(services.repo.engine, "jobs"), Whereabouts(), time.time
    )
    for _ in range(2):
        # the first life makes folders that stay
        with faults.failing(0, lost=False):
            assert life(services, head, tmp_path) == []
        delete_all_of(services, OWNER)
    length, chance, turn = faults.writes, random.Random(1), 0
    assert length > 20
    while sum(faults.met.values()) < points:
        turn += 1
        # every place in order where there are enough, else some of them; in every second round answers are lost
        at = (turn - 1) % length + 1 if points > length else chance.randint(1, length)
        lost = turn // length % 2 == 1 if points > length else chance.random() < 0.5
        assert turn < 2 * points, faults.met
        with faults.failing(at, lost):
            errors = life(services, head, tmp_path)
        for error in errors:
            assert isinstance(error, UserError | OperationalError | OSError), error
        # a claim that no slot holds, as its answer was lost, runs out
        services.dispatcher.queue.reclaim(time.time() + 2 * services.settings.lease)
        finish(services)
        assert require_whole(services) == set(), (at, lost, errors)
        states = {job.state for job in services.repo.jobs(OWNER)}
        assert states <= set(OVER), (at, lost, errors)
        delete_all_of(services, OWNER)
        assert require_whole(services) == set() and services.repo.scans(OWNER) == ()
    assert len(+faults.met) >= 2


def life(services: Services, head: Phantom, folder: Path) -> list[Exception]:
    """Load, run, share, delete; return what went wrong on the way, after which the rest goes on."""
    errors: list[Exception] = []

    def run() -> None:
        scan, mask = load(services, head, folder, OWNER)
        for _ in range(2):
            services.dispatcher.submit(OWNER, "inpaint", {"t1": scan.id, "mask": mask.id}, {})
        finish(services)

    def delete() -> None:
        services.erasure.delete_job(services.repo.jobs(OWNER)[0].id, OWNER)

    for step in (run, delete):
        try:
            step()
        except (UserError, OperationalError, OSError, IndexError) as error:
            errors.append(error)
    return [error for error in errors if not isinstance(error, IndexError)]


def finish(services: Services) -> None:
    """Run what waits."""
    while (steps := services.dispatcher.next_job()) is not None:
        for _ in steps:
            pass
