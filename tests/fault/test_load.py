"""Twenty raters at once: what their answers cost, and on an idle machine how long they wait for "saved"."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.databases import fresh
from tests.fault.raters import Rater, database_of, invited
from tests.fault.rating_server import RatingServer
from webapp.store.database import connect

RATERS = 20
THINKING = (0.2, 0.5)
# what 95 % of the answers may take on a machine that does nothing else, s
LIMIT = 0.5


@contextmanager
def served(folder: Path, items: int, raters: int) -> Iterator[tuple[RatingServer, list[str]]]:
    """A running server with a study of ``items``, and the keys of its raters."""
    server = RatingServer(folder)
    server.data.mkdir()
    engine = connect(database_of(server.data))
    fresh(engine)
    keys = invited(engine, items, raters, "least")
    engine.dispose()
    try:
        server.start()
        Rater(server.port, keys[0], random.Random()).rate(until=lambda: True)
        yield server, keys
    finally:
        server.close()


def _rated(rater: Rater, raters: list[Rater]) -> list[int]:
    """Rate to the end, and return how many answers each of ``raters`` has saved by then, the fewest first."""
    rater.rate()
    return sorted(len(one.saved) for one in raters)


def test_twenty_at_once_cost_what_they_cost_one_by_one(tmp_path: Path) -> None:
    with served(tmp_path, 30, RATERS + 1) as (server, keys):
        alone, *raters = [Rater(server.port, key, random.Random(n)) for n, key in enumerate(keys)]
        begun = server.processor()
        alone.rate()
        between = server.processor()
        with ThreadPoolExecutor(RATERS) as threads:
            ends = list(threads.map(lambda rater: _rated(rater, raters), raters))
        work = server.processor() - between
    assert all(len(rater.saved) == rater.total for rater in (alone, *raters))
    # work of the server for one answer, seconds of its processor
    assert work / RATERS < 3 * (between - begun)
    # when the first has finished, nobody is far behind
    assert min(ends, key=sum)[0] >= alone.total // 2, ends


@pytest.mark.soak
def test_an_answer_is_saved_in_time(tmp_path: Path) -> None:
    with served(tmp_path, 400, RATERS) as (server, keys), ThreadPoolExecutor(RATERS) as threads:
        raters = [Rater(server.port, key, random.Random(n), thinking=THINKING) for n, key in enumerate(keys)]
        end = time.monotonic() + 120
        list(threads.map(lambda rater: rater.rate(lambda: time.monotonic() > end), raters))
    waits = [wait for rater in raters for wait in rater.waits]
    middle, most, nearly_all = np.percentile(waits, [50, 95, 99])
    figures = f"{len(waits)} answers: p50 {middle:.3f} s, p95 {most:.3f} s, p99 {nearly_all:.3f} s"
    print(figures)  # noqa: T201 - shown by pytest -s
    assert all(len(rater.waits) == len(rater.saved) > 0 for rater in raters)
    assert most < LIMIT, figures
