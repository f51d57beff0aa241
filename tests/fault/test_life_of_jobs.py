"""Two servers on one data folder, a database that refuses and servers that are killed, in every order that is tried.

The servers are real but for their threads and their engines: each rule takes one step of one of them. Time passes when
a rule lets it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Engine, Row, event, select
from sqlalchemy.exc import OperationalError

from core.engine.protocol import JobSpec, WorkerLost
from core.errors import UserError
from core.events import Event, Failed, Finished, Progress, Started
from core.result import RESULT, Result, artifact_in
from tests.databases import fresh
from tests.fault.refusals import Fault, Refusals
from tests.fault.slow_task import find
from tests.hand_clock import HandClock
from webapp.jobs.dispatcher import Dispatcher
from webapp.settings import Settings
from webapp.store.blobs import DAY, TRASH
from webapp.store.database import connect
from webapp.store.folder_blobs import FolderBlobs
from webapp.store.queue import SERVER_LOSSES
from webapp.store.records import NewScan
from webapp.store.repository import Repo
from webapp.store.schema import artifact, job
from webapp.store.states import OVER
from webapp.store.unfinished_work import UnfinishedWork

Plan = Literal["progress", "finish", "fail", "die"]
Steps = Generator[float, None, None]

LEASE = 60.0
SLOTS = 2
PLANS: list[Plan] = ["progress", "finish", "finish", "fail", "die"]
SESSIONS = ("a", "b")
CONTENT = b"voxels"
REFUSED = Failed("empty_mask", "Empty.", "Draw one.")


@lru_cache(1)
def template() -> bytes:
    """Return an empty database of the newest schema."""
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{folder}/template.db")
        fresh(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return Path(folder, "template.db").read_bytes()


def opened(url: str) -> Engine:
    """Return the database, without its care for a loss of power, which no rule plays."""
    engine = connect(url, patience=0.0)
    event.listen(engine, "connect", lambda connection, entry: connection.execute("PRAGMA synchronous=OFF"))
    return engine


def write_content(path: Path) -> None:
    path.write_bytes(CONTENT)


class Played:
    """An engine whose jobs do what ``plan`` holds when they are looked at."""

    slots = SLOTS

    def __init__(self, deaths: Counter[str]) -> None:
        self.plan: Plan = "progress"
        self.folders: dict[str, Path] = {}
        self._deaths = deaths
        self._cancelled: set[str] = set()
        self._closed = False

    def run(self, job_id: str, spec: JobSpec) -> Iterator[Event]:
        self.folders[job_id] = Path(spec.out)
        try:
            yield Started("cpu")
            while True:
                if self._closed or job_id in self._cancelled:
                    raise WorkerLost("killed")
                yield self._next(job_id, Path(spec.out))
        finally:
            del self.folders[job_id]

    def _next(self, job_id: str, out: Path) -> Event:
        if self.plan == "die":
            self._deaths[job_id.partition("-")[0]] += 1
            raise WorkerLost("died")
        if self.plan == "fail":
            return REFUSED
        if self.plan == "progress":
            return Progress(0.5, 1, 2, "half", b"png")
        made = artifact_in(out, RESULT, ".nii.gz")
        Path(made.path).write_bytes(CONTENT)
        return Finished(Result((made,), seconds=0.1))

    def cancel(self, job_id: str) -> None:
        self._cancelled.add(job_id)

    def close(self) -> None:
        self._closed = True


class Server:
    """One server, up from the beginning of its life to its stop or its death."""

    def __init__(self, settings: Settings, clock: HandClock, deaths: Counter[str]) -> None:
        self.database = opened(settings.url)
        self.refusals = Refusals(self.database)
        self.engine = Played(deaths)
        repo, blobs = Repo(self.database), FolderBlobs(settings.data / "blobs")
        self.dispatcher = Dispatcher(
            repo,
            blobs,
            settings,
            lambda: self.engine,
            UnfinishedWork(settings.data / "unfinished"),
            find=find,
            clock=clock,
        )
        self.running: list[Steps] = []
        # owners of claims that this server may lose, since it could not renew them in time
        self.doubtful: set[str] = set()

    @property
    def owners(self) -> list[str]:
        return list(self.dispatcher._held)

    def start(self) -> None:
        self.dispatcher.recover()
        self.dispatcher._engine.get()

    def take(self) -> None:
        steps = self.dispatcher.next_job()
        if steps is not None:
            self.running.append(steps)

    def step(self, steps: Steps, plan: Plan) -> None:
        self.engine.plan = plan
        met = self.refusals.met
        if next(steps, None) is None:
            self.running.remove(steps)
        elif self.refusals.met > met and self.refusals.fault == "answer lost":
            # the job may be back in the queue, which its holder has yet to find out
            self.doubtful |= set(self.owners)

    def renew(self) -> None:
        try:
            self.dispatcher.renew()
        except OperationalError:
            self.doubtful |= set(self.owners)

    def stop(self) -> None:
        self.engine.close()
        self.dispatcher._stopping.set()
        for steps in self.running:
            self.dispatcher._follow(steps)
        self.dispatcher.stop()

    def die(self) -> None:
        # the kernel gives its lock up; all else stays as it is
        self.dispatcher._data.leave()


class Life(RuleBasedStateMachine):
    """The rules are what may happen; the invariants are what may never be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = HandClock()
        self.deaths: Counter[str] = Counter()
        self.servers: list[Server | None] = [None, None]
        self.dead: list[Server] = []
        self.over: dict[str, tuple[str, frozenset[str]]] = {}

    @initialize()
    def begin(self) -> None:
        data = self.folder / "data"
        data.mkdir()
        (data / "counterscan.db").write_bytes(template())
        self.settings = Settings(data=data, warm=False, lease=LEASE, disk_reserve_mb=1, slots=SLOTS)
        self.database = opened(self.settings.url)
        self.repo = Repo(self.database)
        blobs = FolderBlobs(data / "blobs")
        self.scans = {}
        for session in SESSIONS:
            blob = blobs.put(write_content)
            new = NewScan(session, "volume", "t1", blob.name, blob.sha256, blob.bytes, (1,), (1.0,), "RAS", {}, ())
            self.scans[session] = self.repo.add_scan(new).id
        self.start()

    def up(self) -> list[Server]:
        return [server for server in self.servers if server is not None]

    def add(self, server: Server, session: str) -> None:
        try:
            server.dispatcher.submit(session, "slow", {"t1": self.scans[session]}, {})
        except OperationalError:
            pass
        except UserError as refused:
            assert refused.code == "queue_full"

    @precondition(lambda self: self.up())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        jobs = [record for session in SESSIONS for record in self.repo.jobs(session)]
        if jobs:
            record = data.draw(st.sampled_from(jobs))
            server = data.draw(st.sampled_from(self.up()))
            with suppress(OperationalError):
                server.dispatcher.cancel(record.id, record.session)

    @precondition(lambda self: len(self.up()) < 2)
    @rule()
    def start(self) -> None:
        which = self.servers.index(None)
        self.servers[which] = server = Server(self.settings, self.clock, self.deaths)
        server.start()

    @precondition(lambda self: self.up())
    @rule(
        plan=st.sampled_from(PLANS),
        session=st.sampled_from(SESSIONS),
        fault=st.sampled_from([None, None, "refused", "answer lost"]),
        steps=st.integers(1, 3),
        data=st.data(),
    )
    def work(self, plan: Plan, session: str, fault: Fault | None, steps: int, data: st.DataObject) -> None:
        """Let a server take a job, if it has a free slot, and go on with one; the last step meets the fault."""
        server = data.draw(st.sampled_from(self.up()))
        if len(server.running) < SLOTS:
            self.add(server, session)
            with suppress(OperationalError):
                server.take()
        for left in reversed(range(steps)):
            if server.running:
                if fault and not left:
                    server.refusals.set(fault, 1)
                server.step(data.draw(st.sampled_from(server.running)), "progress" if left else plan)

    @precondition(lambda self: self.up())
    @rule(fault=st.sampled_from(["refused", "answer lost"]), count=st.integers(1, 4), data=st.data())
    def refuse(self, fault: Fault, count: int, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.up())).refusals.set(fault, count)

    @rule(quarters=st.integers(1, 8), frozen=st.sampled_from([None, None, 0, 1]))
    def wait(self, quarters: int, frozen: int | None) -> None:
        """Let time pass; servers renew four times a lease, but for one that is frozen."""
        for _ in range(quarters):
            self.clock.forward(LEASE / 4)
            for which, server in enumerate(self.servers):
                if server is not None and which == frozen:
                    server.doubtful |= set(server.owners)
                elif server is not None:
                    server.renew()

    @precondition(lambda self: self.up())
    @rule(how=st.sampled_from(["kill", "stop"]), data=st.data())
    def leave(self, how: str, data: st.DataObject) -> None:
        server = data.draw(st.sampled_from(self.up()))
        if how == "stop":
            self.end(server)
            return
        server.die()
        self.dead.append(server)
        self.servers[self.servers.index(server)] = None

    def end(self, server: Server) -> None:
        server.stop()
        server.database.dispose()
        self.servers[self.servers.index(server)] = None

    # what is never seen

    @invariant()
    def a_server_that_renews_keeps_its_jobs_and_their_folders(self) -> None:
        rows = self.rows()
        for server in self.up():
            for owner, claim in server.dispatcher._held.items():
                state, holder = rows[claim.id].state, rows[claim.id].owner
                if owner not in server.doubtful and state not in OVER:
                    assert (state, holder) == ("running", owner)
            for folder in server.engine.folders.values():
                assert folder.is_dir()

    @invariant()
    def a_job_that_is_over_never_changes(self) -> None:
        files = self.files()
        for row in self.rows().values():
            if row.state in OVER:
                now = (row.state, frozenset(files.get(row.id, ())))
                assert self.over.setdefault(row.id, now) == now

    @invariant()
    def results_are_there_as_often_as_jobs_are_done(self) -> None:
        store, files = FolderBlobs(self.settings.data / "blobs"), self.files()
        for row in self.rows().values():
            assert len(files.get(row.id, ())) == (1 if row.state == "done" else 0)
        names = [name for kept in files.values() for name in kept] + [
            self.repo.scan(scan, session).blob for session, scan in self.scans.items()
        ]
        assert all(store.path(name).read_bytes() == CONTENT for name in names)

    @invariant()
    def an_error_counts_what_happened(self) -> None:
        for row in self.rows().values():
            assert row.deaths <= self.deaths[row.id]
            code = row.error["code"] if row.error else None
            assert code in (None, "empty_mask", "worker_lost", "server_lost")
            if code == "worker_lost":
                assert row.deaths == 2
            if code == "server_lost":
                assert row.attempts - row.deaths >= SERVER_LOSSES

    def rows(self) -> dict[str, Row[Any]]:
        with self.database.connect() as connection:
            return {row.id: row for row in connection.execute(select(job))}

    def files(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        with self.database.connect() as connection:
            for row in connection.execute(select(artifact.c.job, artifact.c.blob)):
                found.setdefault(row.job, []).append(row.blob)
        return found

    def teardown(self) -> None:
        """Let everything work again: every job must end, and nothing be left over."""
        try:
            if hasattr(self, "settings"):
                self._end()
        finally:
            for server in self.dead:
                for steps in server.running:
                    steps.close()
                server.database.dispose()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        while len(self.up()) < 2:
            self.start()
        for server in self.up():
            server.refusals.count = 0
        for _ in range(100):
            if all(row.state in OVER for row in self.rows().values()):
                break
            for server in self.up():
                for _ in range(SLOTS - len(server.running)):
                    server.take()
                for steps in list(server.running):
                    server.step(steps, "finish")
            self.wait(1, None)
        assert {row.state for row in self.rows().values()} <= set(OVER)
        self.results_are_there_as_often_as_jobs_are_done()
        for server in self.up():
            self.end(server)
        self._clean()
        self.database.dispose()

    def _clean(self) -> None:
        """Start alone, days later: what no row names goes, but for most of the store, and nothing else."""
        self.clock.forward(2 * DAY)
        self.start()
        self.end(self.up()[0])
        root = self.settings.data / "blobs"
        stored = {path.name for path in root.glob("??/*")}
        named = self.repo.blobs()
        assert named <= stored
        assert stored == named or 2 * len(stored - named) > len(stored)
        assert not named & {path.name for path in (root / TRASH).glob("*")}
        assert not list((self.settings.data / "work").iterdir())


TestLife = Life.TestCase
