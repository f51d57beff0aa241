"""The processor time of every test, kept in ``build/durations.json``, and the budget of each folder.

Seconds of processor time, of the tests and of all processes they start, hardly depend on what else a machine
does. That a machine is slower than another is divided out by a yardstick, a fixed amount of work that is measured
again and again while the tests run.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "durations.json"
# seconds that the yardstick took on the machine on which the budgets were set
REFERENCE = 0.005
# tests of one process between two yardsticks
EVERY = 40
# seconds of processor time for all tests of a folder in `make test`: half as much again as they took when this was set,
# and more where that was little
BUDGETS: Mapping[str, float] = {
    "tests": 110, "tests/browser": 540, "tests/looks": 150, "tests/contract": 130, "tests/fault": 75,
    "tests/hostile": 50,
    "tests/core": 55, "tests/core/anatomy": 60, "tests/core/augment": 25, "tests/core/batch": 20,
    "tests/core/bench": 50, "tests/core/bids": 20, "tests/core/commands": 20,
    "tests/core/diffusion": 20, "tests/core/engine": 20, "tests/core/failure": 70, "tests/core/files": 30,
    "tests/core/imaging": 120, "tests/core/measure": 30, "tests/core/nets": 20, "tests/core/report": 20,
    "tests/core/spectra": 20, "tests/core/synth": 25, "tests/core/train": 65,
    "tests/webapp": 20, "tests/webapp/account": 25, "tests/webapp/api": 20, "tests/webapp/door": 20,
    "tests/webapp/intake": 35, "tests/webapp/jobs": 30, "tests/webapp/keeping": 30,
    "tests/webapp/operations": 40, "tests/webapp/telemetry": 20,
    "tests/webapp/pages": 45, "tests/webapp/store": 30, "tests/webapp/study": 30,
    # not a folder: all that `make check` runs
    "make check": 190,
}  # fmt: skip

Report = pytest.TestReport
# properties of a report
PROCESSOR, YARDSTICK = "processor", "yardstick"


# the processes that this one has started, with all that they started: number -> time of its start, which no other
# process of that number shares
_known: dict[str, str] = {}


def used() -> float:
    """Return the seconds of processor time of this process and of all it has started, ended or not."""
    while True:
        sums = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        own = sum(one.ru_utime + one.ru_stime for one in sums)
        living, complete = _living()
        if complete:
            return own + living


def _living() -> tuple[float, bool]:
    """Return the seconds of all that was started and still runs (Linux; elsewhere 0), and whether none was missed.

    Each process counts for itself and for its dead. One that ends meanwhile has perhaps not been added to its parent,
    which was read before it: whoever calls has to read again. Lists of children leave out some while others end, so
    what was known before is looked up by its number.
    """
    seconds: dict[str, float] = {}
    before, complete = dict(_known), True
    _known.clear()
    # from the end: what a process has started is looked up after it
    todo = [*before.items(), *((child, "") for child in _children("self"))]
    while todo:
        number, start = todo.pop()
        if number in seconds:
            continue
        try:
            # what follows the name in brackets begins with field 3; 14 to 17 are its own times and those of its dead
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            complete = False
            continue
        if start and fields[19] != start:
            complete = False
            continue
        _known[number] = fields[19]
        seconds[number] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        todo += [(child, "") for child in _children(number)]
    return sum(seconds.values()), complete


def _children(process: str) -> list[str]:
    """Return the numbers of the processes that the threads of ``process`` have started."""
    found: list[str] = []
    for thread in _entries(Path(f"/proc/{process}/task")):
        # a thread that has ended has left its children to another
        with suppress(OSError):
            found += (thread / "children").read_text().split()
    return found


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def yardstick() -> float:
    """Return the seconds of processor time that a fixed amount of work takes now."""
    begun = time.process_time()
    table: dict[int, int] = {}
    for number in range(60_000):
        table[number % 977] = table.get(number % 977, 0) ^ (number * 31)
    return time.process_time() - begun


@contextmanager
def little_work(most: float = 400) -> Iterator[None]:
    """Fail when what is done inside takes more work than ``most`` yardsticks (400 are 2 s on the reference)."""
    begun = time.process_time()
    yield
    work = time.process_time() - begun
    assert work < most * yardstick()


def folder_of(test: str) -> str:
    """Return the folder that pays for a test: two levels of it, ``tests/core/imaging`` for all that lie below."""
    return "/".join(test.partition("::")[0].split("/")[:-1][:3])


def summed(tests: Mapping[str, float]) -> dict[str, float]:
    """Return folder -> seconds of all its tests, the dearest first."""
    sums: dict[str, float] = defaultdict(float)
    for test, seconds in tests.items():
        sums[folder_of(test)] += seconds
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def overspent(sums: Mapping[str, float], budgets: Mapping[str, float]) -> list[str]:
    """Return a line for each folder that took more seconds than its budget, or that has none."""
    return [
        f"{folder} took {seconds:.0f} s of processor time, its budget is {budgets.get(folder, 0):g} s: see {__name__}"
        for folder, seconds in sums.items()
        if seconds > budgets.get(folder, 0)
    ]


class Meter:
    """Adds to the last report of each test the seconds that it took, in the process that runs the tests."""

    def __init__(self) -> None:
        self._begun = used()
        self._count = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Begin to count."""
        self._begun = used()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, Report, Report]:
        """Note what the test has used, once it is torn down: to look after each phase costs more than most tests do."""
        report = yield
        if call.when == "teardown":
            # what a killed child has used may be lost with it
            report.user_properties.append((PROCESSOR, max(0.0, used() - self._begun)))
            if self._count % EVERY == 0:
                report.user_properties.append((YARDSTICK, yardstick()))
            self._count += 1
        return report


class Ledger:
    """Collects what the reports say, writes it down and compares it with the budgets, in the process that prints."""

    def __init__(self, check: bool) -> None:
        self._check = check
        self._tests: dict[str, float] = defaultdict(float)
        self._long: set[str] = set()
        self._yardsticks: list[float] = []
        self._lines: list[str] = []

    def pytest_runtest_logreport(self, report: Report) -> None:
        """Add what a report brings."""
        if "long" in report.keywords:
            self._long.add(report.nodeid)
        for name, value in report.user_properties:
            if name == PROCESSOR and isinstance(value, float):
                self._tests[report.nodeid] += value
            if name == YARDSTICK and isinstance(value, float):
                self._yardsticks.append(value)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """With ``--budgets`` write ``build/durations.json`` and fail the session where a folder is over its budget."""
        if not self._tests or not self._check:
            return
        scale = median(self._yardsticks) / REFERENCE if self._yardsticks else 1.0
        tests = {test: seconds / scale for test, seconds in self._tests.items()}
        sums = summed(tests) | {"make check": sum(tests[test] for test in tests.keys() - self._long)}
        kept = {
            "scale": round(scale, 3),
            "folders": {folder: round(seconds, 1) for folder, seconds in sums.items()},
            "tests": {test: round(tests[test], 3) for test in sorted(tests, key=lambda test: -tests[test])},
        }
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(kept, indent=1))
        self._lines = overspent(sums, BUDGETS)
        if self._lines and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print what is over its budget."""
        for line in self._lines:
            terminalreporter.write_line(line, red=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--budgets``."""
    parser.addoption(
        "--budgets",
        action="store_true",
        help="of all tests: keep what they cost, fail where a folder costs more than its budget",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Measure in every process; write in the one that has no other above it."""
    config.pluginmanager.register(Meter(), "meter")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Ledger(config.getoption("--budgets")), "ledger")
