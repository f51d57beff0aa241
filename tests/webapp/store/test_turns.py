"""The order of the simulated queue is that in which the database gives jobs away."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from core.bench.turns import Turns
from core.events import Failed
from webapp.store import queue as queue_module
from webapp.store.batches import Batches
from webapp.store.queue import Queue
from webapp.store.records import Claim

STEPS = 120


@pytest.mark.parametrize("limit", [1, 2])
def test_simulated_turns_are_the_claims_of_the_database(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    clock, begun = itertools.count(), datetime(2026, 1, 1, tzinfo=UTC)
    # starts in one and the same instant would have no order
    monkeypatch.setattr(queue_module, "now", lambda: begun + timedelta(seconds=next(clock)))
    chance = random.Random(limit)
    queue, batches, turns = Queue(sqlite, running_per_session=limit), Batches(sqlite), Turns(limit)
    batch_of = {name: batches.add(name, "inpaint", "x", [str(n) for n in range(STEPS)], 1000) for name in "abc"}
    added: dict[str, tuple[int, bool]] = {}
    running: list[Claim] = []
    failed: set[str] = set()
    for number in range(STEPS):
        visitor, batch = chance.choice("abc"), chance.random() < 0.4
        place = (batch_of[visitor], number) if batch else None
        job_id = queue.add(visitor, "inpaint", {}, {}, own=1000, total=1000, batch=place)
        added[job_id] = (number, batch)
        turns.add(number, visitor, batch)
        for _ in range(chance.randrange(3)):
            claim, expected = queue.claim("here", 0.0, 60.0), turns.take(float(next(clock)))
            assert (None if claim is None else added[claim.id][0]) == expected
            running += [] if claim is None else [claim]
        if running and chance.random() < 0.6:
            over = running.pop(chance.randrange(len(running)))
            turns.end(over.session)
            if chance.random() < 0.2 and over.attempt == 1:
                # its process died: it waits again, in its old place
                assert queue.lose(over)
                turns.add(added[over.id][0], over.session, added[over.id][1], over.id in failed)
            else:
                queue.fail(over, Failed("bad", "No.", "Else."), 1.0)
                if added[over.id][1] and over.id not in failed:
                    # a scan of a batch waits again, behind the others
                    failed.add(over.id)
                    turns.add(added[over.id][0], over.session, True, again=True)
    assert len(running) < len(added) and failed
