"""The order of claims: a visitor who sends much delays others by one job at most."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from pathlib import Path

import pytest

from core.result import Result
from tests.databases import fresh
from webapp.store.database import connect
from webapp.store.erased import Erased
from webapp.store.erasure import Erasure
from webapp.store.folder_blobs import FolderBlobs
from webapp.store.queue import Queue
from webapp.store.records import Claim
from webapp.store.repository import Repo
from webapp.store.unfinished_work import UnfinishedWork

GREEDY = "greedy"
OWN = 5


class Line:
    """A queue with ``slots``, and a greedy visitor whose places in it are full at every moment."""

    def __init__(self, folder: Path, slots: int, running_per_session: int) -> None:
        engine = connect(f"sqlite:///{folder / 'test.db'}")
        fresh(engine)
        self.repo = Repo(engine, running_per_session)
        self.queue = Queue(engine, running_per_session=running_per_session)
        unfinished = UnfinishedWork(folder / "unfinished")
        self.erasure = Erasure(engine, FolderBlobs(folder / "blobs"), folder, Erased(folder / "erased.log"), unfinished)
        self.slots = slots
        self.running_per_session = running_per_session
        self.running: list[Claim] = []
        # of every waiting job of the others: the starts of each session since it was the next of its own
        self.waiting: dict[str, deque[tuple[str, defaultdict[str, int]]]] = defaultdict(deque)
        self.worst = 0

    def submit(self, session: str) -> None:
        """Add a job."""
        job_id = self.queue.add(session, "inpaint", {}, {}, own=OWN, total=1000)
        self.waiting[session].append((job_id, defaultdict(int)))

    def fill(self) -> None:
        """Fill the greedy visitor's places, then every free slot."""
        while len(self.waiting[GREEDY]) < OWN:
            self.submit(GREEDY)
        while len(self.running) < self.slots and (claim := self.queue.claim("me", 0.0, 60.0)):
            self.running.append(claim)
            job_id, before = self.waiting[claim.session].popleft()
            assert job_id == claim.id
            self.worst = max(self.worst, *before.values(), 0)
            for session, line in self.waiting.items():
                if line and session != claim.session and not self.at_limit(session):
                    line[0][1][claim.session] += 1

    def at_limit(self, session: str) -> bool:
        """Return whether a session waits for a job of its own."""
        return sum(claim.session == session for claim in self.running) >= self.running_per_session

    def finish(self, claim: Claim) -> None:
        """End a job; the greedy visitor deletes it at once, so that it looks as if none had been started."""
        self.running.remove(claim)
        assert self.queue.finish(claim, [], Result(()), 1.0)
        if claim.session == GREEDY:
            self.erasure.delete_job(claim.id, GREEDY)


@pytest.mark.parametrize(("slots", "running_per_session"), [(1, 1), (2, 1), (2, 2)])
def test_nobody_waits_for_two_jobs_of_another(tmp_path: Path, slots: int, running_per_session: int) -> None:
    line, chance = Line(tmp_path, slots, running_per_session), random.Random(slots)
    started = 0
    for _ in range(30):
        line.fill()
        if chance.random() < 0.5:
            session = chance.choice("ab")
            if not line.waiting[session]:
                line.submit(session)
                started += 1
        line.finish(chance.choice(line.running))
    assert started > 5 and line.worst == 1


def test_a_first_visit_is_next(tmp_path: Path) -> None:
    line = Line(tmp_path, 1, 1)
    line.fill()
    line.submit("new")
    line.finish(line.running[0])
    line.fill()
    assert line.running[0].session == "new"
