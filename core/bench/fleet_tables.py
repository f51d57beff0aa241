"""What fleets of several sizes make of visitors and of many scans, as the tables of docs/scale.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.bench.arrivals import at_once, bursts, daily
from core.bench.fleet import HOUR, Fleet, Simulated, simulate
from core.bench.table import write_between

# bytes that a scan takes with its mask, and its results with report and plain methods
SCAN_BYTES, RESULT_BYTES = 12e6, 36e6
PAGE_SIZES = (1, 2, 4, 8)
BATCH_WORKERS = (1, 8, 64)
HUGE_WORKERS = (64, 256, 1024)
MANY, HUGE = 10_000, 1_000_000
VISITORS, RUNS_EACH = 100, 3
# mean hours of work until a worker dies
LIFE = 500.0


@dataclass(frozen=True)
class Costs:
    """Seconds that a worker takes for a scan, by task; pause: between two scans; warm_up: of a worker's first scan."""

    seconds: Mapping[str, float]
    pause: float = 0.5
    warm_up: float = 5.0

    def fleet(self, workers: int, **more: float) -> Fleet:
        """Return a fleet of such workers."""
        return replace(Fleet(workers, pause=self.pause, warm_up=self.warm_up), **more)  # type: ignore[arg-type]


# whole commands, preset Fast, on two idle cores: inpainting of 33 ml, 4 mm slices of 132 x 182 x 142 voxels, and
# translation of 124 x 160 x 140
MEASURED = Costs({"inpaint": 4.7, "superres": 5.3, "translate": 5.4})


def line(made: Simulated, price: float = 0.0) -> list[str]:
    """Return what is shown of a simulation: workers, waiting, time, use, worker-hours, lost part, failures, price."""
    cells = [
        str(made.fleet.workers),
        words(made.waiting(0.5)),
        words(made.waiting(0.95)),
        words(max(one.waited for one in made.ended)),
        words(made.makespan),
        f"{100 * made.utilisation:.0f} %",
        f"{made.worker_hours:,.0f}" if made.worker_hours >= 10 else f"{made.worker_hours:.1f}",
        f"{100 * made.lost / made.busy:.2f} %",
        str(sum(one.failed for one in made.ended)),
    ]
    return [*cells, f"{price * made.worker_hours:,.2f}"] if price else cells


HEAD = (
    "workers",
    "median wait",
    "95 % wait at most",
    "longest",
    "all done in",
    "in use",
    "worker-hours",
    "lost",
    "failed",
)


def words(seconds: float) -> str:
    """Return a duration with two or three digits."""
    for size, unit in ((24 * HOUR, "d"), (HOUR, "h"), (60.0, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def visitors(costs: Costs, seed: int = 0) -> str:
    """Return the table of VISITORS a day with RUNS_EACH runs of any task, and of as many who come within a minute."""
    mixed, rows = tuple(costs.seconds.values()), []
    for workers in PAGE_SIZES:
        fleet = costs.fleet(workers, running_per_visitor=1)
        day = simulate(fleet, daily(VISITORS * RUNS_EACH, VISITORS, mixed, days=5, seed=seed), seed)
        rush = simulate(fleet, bursts(VISITORS, 1, mixed, seed=seed), seed)
        rows.append([str(workers), words(day.waiting(0.5)), words(day.waiting(0.95)), f"{100 * day.utilisation:.0f} %",
                     words(rush.waiting(0.5)), words(rush.waiting(0.95))])  # fmt: skip
    head = ("workers", "median wait", "95 % wait at most", "in use", "all within a minute: median", "95 % at most")
    return markdown(head, rows)


def batches(costs: Costs, seed: int = 0) -> str:
    """Return the table of MANY scans at once, by task."""
    rows = []
    for task, seconds in costs.seconds.items():
        for workers in BATCH_WORKERS:
            made = simulate(costs.fleet(workers, life=LIFE), at_once(MANY, seconds), seed)
            rate = MANY / made.makespan * HOUR
            rows.append([task, str(workers), words(made.makespan), f"{made.worker_hours:,.0f}", f"{rate:,.0f}"])
    return markdown(("task", "workers", "all done in", "worker-hours", "scans an hour"), rows)


def huge(costs: Costs, seed: int = 0) -> str:
    """Return the table of HUGE inpaintings at once."""
    rows = []
    for workers in HUGE_WORKERS:
        made = simulate(costs.fleet(workers, life=LIFE), at_once(HUGE, costs.seconds["inpaint"]), seed)
        rate = HUGE / made.makespan
        failed = sum(one.failed for one in made.ended)
        cells = (
            f"{made.lost / HOUR:.2f}",
            str(failed),
            f"{rate:,.1f}",
            f"{(SCAN_BYTES + RESULT_BYTES) * rate / 1e6:,.0f}",
        )
        rows.append([str(workers), words(made.makespan), f"{made.worker_hours:,.0f}", *cells])
    head = (
        "workers",
        "all done in",
        "worker-hours",
        "of them lost to deaths",
        "failed",
        "scans a second",
        "MB a second",
    )
    return markdown(head, rows)


def write_page(page: Path, costs: Costs = MEASURED, seed: int = 0) -> None:
    """Write the tables into docs/scale.md."""
    for name, table in (("scale-visitors", visitors), ("scale-batches", batches), ("scale-huge", huge)):
        write_between(page, name, table(costs, seed))
