"""A fleet of workers under a stream of jobs, simulated event by event: waiting, use, what dies and is done again."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.bench.turns import Turns

# deaths of its worker after which a job fails, as in the queue of a server
MAX_DEATHS = 2
HOUR = 3600.0


@dataclass(frozen=True)
class Work:
    """One scan: when it arrives and how long a worker takes, in seconds; of whom, and whether it is one of a batch."""

    arrival: float
    seconds: float
    visitor: str = ""
    batch: bool = False


@dataclass(frozen=True)
class Fleet:
    """Workers, each with one scan at a time.

    running_per_visitor: scans of one visitor that run at the same time. pause: seconds between a free worker and its
    next scan. warm_up: seconds that a worker's first scan takes more, for loading networks. life: mean hours until a
    worker dies; detect: seconds until that is seen and its scan waits again, recover: until the worker is back.
    A scan that is lost MAX_DEATHS times fails, as on a server.
    """

    workers: int
    running_per_visitor: int = 1 << 30
    pause: float = 0.0
    warm_up: float = 0.0
    life: float = math.inf
    detect: float = 10.0
    recover: float = 30.0


@dataclass(frozen=True)
class Ended:
    """What became of a scan: the time at which it began first and was over, and whether it failed."""

    work: Work
    begun: float
    over: float
    failed: bool

    @property
    def waited(self) -> float:
        """Seconds from its arrival until a worker first began it."""
        return self.begun - self.work.arrival


@dataclass(frozen=True)
class Simulated:
    """All scans of a simulation, and the seconds in which workers computed; lost: those of them that were in vain."""

    fleet: Fleet
    ended: Sequence[Ended]
    busy: float
    lost: float

    @property
    def makespan(self) -> float:
        """Seconds from the first arrival to the end of the last scan."""
        return max(one.over for one in self.ended) - min(one.work.arrival for one in self.ended)

    @property
    def utilisation(self) -> float:
        """Part of the time of all workers in which they computed."""
        return self.busy / (self.fleet.workers * self.makespan)

    @property
    def worker_hours(self) -> float:
        """Hours of all workers from the first arrival to the end."""
        return self.fleet.workers * self.makespan / HOUR

    def waiting(self, part: float) -> float:
        """Return the seconds that ``part`` of the scans (0.5: the median) waited at most."""
        times = sorted(one.waited for one in self.ended)
        return times[min(len(times) - 1, math.ceil(part * len(times)) - 1)]


class _Simulation:
    """The state of a fleet at one moment; ``events``: (time, order, what, of which worker or job)."""

    def __init__(self, fleet: Fleet, works: Iterable[Work], seed: int) -> None:
        self.fleet = fleet
        self.works = sorted(works, key=lambda work: work.arrival)
        self.random = random.Random(seed)
        self.turns = Turns(fleet.running_per_visitor)
        self.idle = list(range(fleet.workers))
        self.cold = set(self.idle)
        self.begun: dict[int, float] = {}
        self.deaths: dict[int, int] = {}
        self.busy = self.lost = 0.0
        self.events: list[tuple[float, int, str, int]] = []
        self.order = 0

    def plan(self, moment: float, what: str, which: int) -> None:
        """Let something happen at a time; what was planned first happens first."""
        self.order += 1
        heapq.heappush(self.events, (moment, self.order, what, which))

    def run(self) -> Iterator[Ended]:
        """Yield every scan once it is over."""
        arriving = 0
        while arriving < len(self.works) or self.events:
            if arriving < len(self.works) and (not self.events or self.works[arriving].arrival <= self.events[0][0]):
                moment = self.works[arriving].arrival
                self._queue(arriving)
                arriving += 1
            else:
                moment, _, what, which = heapq.heappop(self.events)
                if what == "worker":
                    heapq.heappush(self.idle, which)
                elif what == "again":
                    self.turns.end(self.works[which].visitor)
                    self._queue(which)
                else:
                    work = self.works[which]
                    self.turns.end(work.visitor)
                    yield Ended(work, self.begun[which], moment, what == "failed")
            self._start(moment)

    def _queue(self, number: int) -> None:
        work = self.works[number]
        self.turns.add(number, work.visitor, work.batch)

    def _start(self, moment: float) -> None:
        """Give every idle worker a scan, as long as one may run."""
        fleet = self.fleet
        while self.idle and (number := self.turns.take(moment)) is not None:
            worker = heapq.heappop(self.idle)
            begin = moment + fleet.pause
            takes = self.works[number].seconds + (fleet.warm_up if worker in self.cold else 0.0)
            self.cold.discard(worker)
            self.begun.setdefault(number, begin)
            # a worker that waits does not age: what kills one is its work
            left = self.random.expovariate(1 / (fleet.life * HOUR)) if math.isfinite(fleet.life) else math.inf
            if takes <= left:
                self.busy += takes
                self.plan(begin + takes, "done", number)
                self.plan(begin + takes, "worker", worker)
                continue
            self.busy += left
            self.lost += left
            self.cold.add(worker)
            self.deaths[number] = self.deaths.get(number, 0) + 1
            what = "failed" if self.deaths[number] >= MAX_DEATHS else "again"
            self.plan(begin + left + fleet.detect, what, number)
            self.plan(begin + left + fleet.recover, "worker", worker)


def simulate(fleet: Fleet, works: Iterable[Work], seed: int = 0) -> Simulated:
    """Return what becomes of ``works`` on ``fleet``; ValueError without any work. Deaths are drawn with ``seed``."""
    simulation = _Simulation(fleet, works, seed)
    if not simulation.works:
        raise ValueError("there is nothing to simulate")
    ended = tuple(simulation.run())
    return Simulated(fleet, ended, simulation.busy, simulation.lost)
