"""Twenty raters at once; nobody waits for "saved" for long."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.fault.raters import Rater, database_of, invited
from tests.fault.rating_server import RatingServer
from webapp.store.database import connect, migrate

RATERS = 20
THINKING = (0.2, 0.5)


@dataclass(frozen=True)
class Size:
    """items: of the study; seconds: how long it is rated; limit: what 95 % of the answers may take, s."""

    items: int
    seconds: float
    limit: float


@pytest.mark.parametrize(
    "size",
    [
        # a machine that does other things at the same time still passes
        pytest.param(Size(100, 12.0, 1.5), id="short"),
        pytest.param(Size(400, 120.0, 0.5), id="whole", marks=pytest.mark.soak),
    ],
)
def test_twenty_raters_at_once(tmp_path: Path, size: Size) -> None:
    server = RatingServer(tmp_path)
    server.data.mkdir()
    engine = connect(database_of(server.data))
    migrate(engine)
    keys = invited(engine, size.items, RATERS, "least")
    engine.dispose()
    raters = [Rater(server.port, key, random.Random(n), thinking=THINKING) for n, key in enumerate(keys)]
    try:
        server.start()
        Rater(server.port, keys[0], random.Random()).rate(until=lambda: True)
        end = time.monotonic() + size.seconds
        with ThreadPoolExecutor(RATERS) as threads:
            list(threads.map(lambda rater: rater.rate(lambda: time.monotonic() > end), raters))
    finally:
        server.close()
    waits = [wait for rater in raters for wait in rater.waits]
    middle, most, nearly_all = np.percentile(waits, [50, 95, 99])
    figures = f"{len(waits)} answers: p50 {middle:.3f} s, p95 {most:.3f} s, p99 {nearly_all:.3f} s"
    print(figures)  # noqa: T201 - shown by pytest -s
    assert all(len(rater.waits) == len(rater.saved) > 0 for rater in raters)
    assert most < size.limit, figures
