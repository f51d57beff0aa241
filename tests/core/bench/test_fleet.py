"""The simulated fleet: against theory, against itself, and against the engine with two workers."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from core.bench import fleet_tables
from core.bench.arrivals import DAY, at_once, bursts, daily
from core.bench.fleet import MAX_DEATHS, Fleet, Simulated, Work, simulate
from core.bench.fleet_tables import MEASURED, Costs, line, words
from core.bench.table import mark
from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec
from tests.source import ROOT
from webapp.console import main


def test_one_worker_does_one_scan_after_the_other() -> None:
    made = simulate(Fleet(1, pause=1.0, warm_up=5.0), at_once(3, 10.0))
    assert [(one.begun, one.over) for one in made.ended] == [(1.0, 16.0), (17.0, 27.0), (28.0, 38.0)]
    assert (made.makespan, made.busy, made.waiting(0.5), made.waiting(1.0)) == (38.0, 35.0, 17.0, 28.0)
    assert made.utilisation == pytest.approx(35 / 38)


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_waiting_is_that_of_the_theory(load: float) -> None:
    # M/D/1 (Pollaczek and Khinchine): the mean wait is load * seconds / (2 * (1 - load))
    chance, moment, works = random.Random(1), 0.0, []
    for number in range(20_000):
        moment += chance.expovariate(load)
        works.append(Work(moment, 1.0, str(number)))
    made = simulate(Fleet(1), works)
    mean = sum(one.waited for one in made.ended) / len(works)
    assert mean == pytest.approx(load / (2 * (1 - load)), rel=0.1)
    assert made.utilisation == pytest.approx(load, rel=0.05)


def test_nothing_is_lost_or_done_twice_while_workers_die() -> None:
    works = [Work(float(number), 600.0, str(number % 3), number % 2 == 0) for number in range(500)]
    made = simulate(Fleet(4, life=1.0), works, seed=2)
    assert Counter(one.work.arrival for one in made.ended) == Counter(range(500))
    failed = sum(one.failed for one in made.ended)
    # the second death of a scan ends it: about the square of the chance that one takes a worker with it
    assert MAX_DEATHS == 2 and 0.25 * 500 * 0.0235 < failed < 4 * 500 * 0.0235
    assert 0.05 < made.lost / made.busy < 0.15
    assert all(one.over - one.begun > 599.9 for one in made.ended if not one.failed)


def test_a_visitor_with_a_batch_delays_others_by_one_scan() -> None:
    greedy = [Work(0.0, 10.0, "greedy", True) for _ in range(50)]
    made = simulate(Fleet(1, running_per_visitor=1), [*greedy, *(Work(5.0 + 0.1 * n, 10.0, str(n)) for n in range(5))])
    others = [one for one in made.ended if one.work.visitor != "greedy"]
    assert max(one.begun for one in others) < 5 + 10 * 7


def test_a_day_has_its_peak_and_its_runs() -> None:
    works = daily(2000, 50, [1.0], peak=3.0, days=5, seed=3)
    hours = Counter(int(work.arrival % DAY // 3600) for work in works)
    assert len(works) == pytest.approx(10_000, rel=0.05)
    assert hours[14] == pytest.approx(3 * 10_000 / 24, rel=0.1) and hours[2] == 0
    assert len({work.visitor for work in works}) == 50
    assert max(work.arrival for work in bursts(4, 2, [1.0], within=9.0)) < 9
    with pytest.raises(ValueError, match="peak"):
        daily(1, 1, [1.0], peak=1.0)


# how far simulated and real times may be apart, in parts
TOLERANCE = 0.15


def test_it_agrees_with_two_real_workers(tmp_path: Path) -> None:
    chance = random.Random(4)
    engine = LocalEngine("cpu", 2, tasks="tests.contract.fake_tasks", threads=1)
    try:
        pauses = [chance.choice((0.1, 0.2, 0.4)) for _ in range(30)]
        waits, took, makespan = _race(engine, tmp_path, pauses)
    finally:
        engine.close()
    # each scan takes what it took: whatever else the machine did, two workers share the scans as two real ones do
    made = simulate(Fleet(2), [Work(0.0, seconds) for seconds in took])
    for part in (0.5, 0.95):
        real = sorted(waits)[min(len(waits) - 1, round(part * len(waits)))]
        assert made.waiting(part) == pytest.approx(real, rel=TOLERANCE, abs=0.2)
    assert made.makespan == pytest.approx(makespan, rel=TOLERANCE)


def _run(engine: LocalEngine, out: Path, pause: float, name: str) -> float:
    out.mkdir()
    begun = time.monotonic()
    list(engine.run(name, JobSpec("count", {}, {"steps": 1, "pause": pause}, str(out))))
    return time.monotonic() - begun


def _race(engine: LocalEngine, folder: Path, pauses: list[float]) -> tuple[list[float], list[float], float]:
    """Let two threads take jobs in their order; return how long each waited and took, and how long all took."""
    left, lock, waits, took = list(enumerate(pauses)), threading.Lock(), [], [0.0] * len(pauses)
    begun = time.monotonic()

    def serve() -> None:
        while True:
            with lock:
                if not left:
                    return
                number, pause = left.pop(0)
                waits.append(time.monotonic() - begun)
            took[number] = _run(engine, folder / str(number), pause, str(number))

    threads = [threading.Thread(target=serve) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits, took, time.monotonic() - begun


def test_a_line_names_every_column() -> None:
    made: Simulated = simulate(MEASURED.fleet(2), at_once(10, 13.4))
    assert line(made, price=2.0)[0] == "2" and len(line(made, price=2.0)) == len(line(made)) + 1
    assert [words(seconds) for seconds in (0.5, 80, 100, 7200, 200_000)] == [
        "0.5 s",
        "80 s",
        "1.67 min",
        "2 h",
        "2.31 d",
    ]


@pytest.mark.parametrize("options", [("--scans", "50"), ("--runs-a-day", "200", "--days", "1", "--price", "2.5")])
def test_the_command_prints_a_row_for_each_fleet(options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("bench", "queue", "--workers", "1,4", *options)) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split("|")[1].strip() for row in rows] == ["workers", "---", "1", "4"]
    assert ("price" in rows[0]) == ("--price" in options)


@pytest.mark.parametrize("sizes", ["", "two", "0,1"])
def test_fleets_without_workers_are_refused(sizes: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("bench", "queue", "--workers", sizes)) == 2
    assert "--workers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("scale-visitors", fleet_tables.visitors),
        ("scale-batches", fleet_tables.batches),
        pytest.param("scale-huge", fleet_tables.huge, marks=pytest.mark.slow),
    ],
)
def test_the_tables_of_the_page_are_those_of_the_command(name: str, table: Callable[[Costs], str]) -> None:
    page = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    first, last = mark(name)
    assert page.partition(first)[2].partition(last)[0].strip() == table(MEASURED)


def test_the_command_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "scale.md"
    names = ("scale-visitors", "scale-batches", "scale-huge")
    page.write_text("".join("\n".join(mark(name)) + "\n" for name in names))
    for name in ("MANY", "HUGE"):
        monkeypatch.setattr(fleet_tables, name, 100)
    assert main(("bench", "queue", "--markdown", str(page))) == 0
    assert page.read_text().count("| 64 |") == 4
