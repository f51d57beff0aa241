"""The server dies and the database is locked again and again while raters answer; no answer is lost or there twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Row, text

from tests.databases import fresh
from tests.fault.raters import Rater, database_of, invited
from tests.fault.rating_server import RatingServer
from webapp.store.database import connect

# seconds that a write waits for the lock; the locker holds it for longer now and then
PATIENCE = 0.3
LOCKER = """
import random, sqlite3, sys, time
chance = random.Random(1)
database = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
while True:
    database.execute("BEGIN IMMEDIATE")
    time.sleep(chance.choice((0.01, 0.1, 0.6)))
    database.execute("ROLLBACK")
    time.sleep(chance.uniform(0.05, 0.6))
"""


@dataclass(frozen=True)
class Size:
    """Raters, items of the study, and how often the server is killed."""

    raters: int
    items: int
    kills: int


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(Size(8, 42, 4), id="short"),
        pytest.param(Size(20, 455, 30), id="whole", marks=[pytest.mark.soak, pytest.mark.timeout(1800)]),
    ],
)
def test_no_acknowledged_answer_is_lost_or_doubled(tmp_path: Path, size: Size) -> None:
    begun = time.monotonic()
    server = RatingServer(tmp_path, PATIENCE)
    server.data.mkdir()
    engine = connect(database_of(server.data))
    fresh(engine)
    keys = invited(engine, size.items, size.raters, "least")
    raters = [Rater(server.port, key, random.Random(n), careless=0.1) for n, key in enumerate(keys)]
    try:
        with locked_at_times(server.data), ThreadPoolExecutor(size.raters) as threads:
            server.start()
            running = [threads.submit(rater.rate) for rater in raters]
            kills = kill_at_times(server, raters, running, size)
            for each in running:
                each.result()
    finally:
        server.close()
    saved = {number: kept for rater in raters for number, kept in rater.saved.items()}
    print(f"{len(saved)} answers, {kills} kills, {time.monotonic() - begun:.0f} s")  # noqa: T201 - shown by pytest -s
    assert kills == size.kills
    assert len(saved) >= size.raters * size.items
    check_answers(engine, raters, saved)
    check_rows(engine, raters, size)
    with engine.begin() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


@contextmanager
def locked_at_times(data: Path) -> Iterator[None]:
    """Let another process hold the lock of the database now and then."""
    locker = subprocess.Popen([sys.executable, "-c", LOCKER, data / "counterscan.db"])
    try:
        yield
        assert locker.poll() is None
    finally:
        locker.kill()
        locker.wait()


def kill_at_times(server: RatingServer, raters: Sequence[Rater], running: Sequence[Future[None]], size: Size) -> int:
    """Kill the server at random moments of the whole rating, start it again, and return how often that was."""
    chance = random.Random(size.kills)
    moments = sorted(chance.sample(range(size.raters * size.items), size.kills))
    for kills, moment in enumerate(moments):
        while sum(len(rater.saved) for rater in raters) <= moment:
            if all(each.done() for each in running) or any(each.done() and each.exception() for each in running):
                return kills
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.05))
        server.kill()
        server.start()
    return len(moments)


def check_answers(engine: Engine, raters: Sequence[Rater], saved: dict[str, int]) -> None:
    """Every answer is kept once, as it was sent, under the number that the server said, and nothing else is."""
    sent = {number: payload for rater in raters for number, payload in rater.sent.items()}
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT id, client_id, showing, answers FROM rating")).all()
    assert Counter(row.client_id for row in rows) == Counter(saved.keys()) == Counter(sent.keys())
    for row in rows:
        payload = sent[row.client_id]
        assert row.id == saved[row.client_id]
        assert (row.showing, json.loads(row.answers)) == (payload["showing"], payload["answers"])


def check_rows(engine: Engine, raters: Sequence[Rater], size: Size) -> None:
    """Every rater saw every item, answered all in order without a gap, and the last answer to each holds."""
    query = """
        SELECT showing.rater, position, item, repeat, showing.id AS showing, rating.id, client_id, supersedes
        FROM showing JOIN rating ON rating.showing = showing.id ORDER BY rating.id
    """
    chains: dict[str, dict[int, list[Row[Any]]]] = defaultdict(lambda: defaultdict(list))
    with engine.begin() as connection:
        shown = connection.scalar(text("SELECT count(*) FROM showing"))
        for row in connection.execute(text(query)):
            chains[row.rater][row.position].append(row)
    assert len(chains) == len(raters)
    assert shown == sum(rater.total for rater in raters)
    last = {rater.sent[number]["showing"]: number for rater in raters for number in rater.saved}
    for of_rater in chains.values():
        assert list(of_rater) == list(range(1, raters[0].total + 1))
        firsts = [chain[0] for chain in of_rater.values()]
        assert sorted(row.item for row in firsts if not row.repeat) == list(range(1, size.items + 1))
        repeated = [row.item for row in firsts if row.repeat]
        assert len(repeated) == len(set(repeated)) == raters[0].total - size.items
        for chain in of_rater.values():
            # each one supersedes the one before it, so that the last alone holds
            assert [row.supersedes for row in chain] == [None, *(row.id for row in chain[:-1])]
            assert chain[-1].client_id == last[chain[-1].showing]
