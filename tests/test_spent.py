"""The ledger of processor time: what it counts, and that too much of it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import spent
from tests.source import ROOT

BUSY = r"""
import subprocess, sys, time
import pytest
SPIN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
GO_ON = [sys.executable, "-c", SPIN + "\nprint(flush=True)\ntime.sleep(600)"]
left = []
def test_here():
    exec(SPIN)
def test_in_a_child():
    subprocess.run([sys.executable, "-c", SPIN], check=True)
def test_in_a_child_that_goes_on():
    left.append(subprocess.Popen(GO_ON, stdout=subprocess.PIPE))
    left[0].stdout.readline()
@pytest.mark.long
def test_that_only_waits():
    left[0].kill()
    left[0].communicate()
    time.sleep(0.5)
"""
# the conftest.py of the tests above: they write their own ledger
LEDGER = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests import spent
spent.KEPT = Path({kept!r})
"""


def test_folders_pay_for_all_that_is_in_them() -> None:
    tests = {"tests/core/a/b/test_x.py::y[a/b]": 2.0, "tests/core/a/test_z.py::z": 1.0, "tests/test_q.py::q": 4.0}
    assert spent.summed(tests) == {"tests": 4.0, "tests/core/a": 3.0}


def test_a_folder_over_its_budget_or_without_one_is_named() -> None:
    lines = spent.overspent({"tests/a": 3.0, "tests/b": 1.0, "tests/c": 1.0}, {"tests/a": 2.0, "tests/b": 1.0})
    assert [line.partition(" ")[0] for line in lines] == ["tests/a", "tests/c"]


def test_every_folder_has_a_budget() -> None:
    files = (path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
    assert {spent.folder_of(file) for file in files} - spent.BUDGETS.keys() == set()


def test_much_work_is_seen() -> None:
    with spent.little_work(50):
        spent.yardstick()
    with pytest.raises(AssertionError), spent.little_work(1):
        for _ in range(20):
            spent.yardstick()


# has worked for half a second, and waits
WORKED = [
    sys.executable,
    "-c",
    "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ntime.sleep(600)",
]


@pytest.fixture
def worked() -> Iterator[subprocess.Popen[bytes]]:
    """A child that has worked and goes on."""
    with subprocess.Popen(WORKED, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        yield child
        child.kill()


def test_a_child_that_a_list_leaves_out_is_counted(
    worked: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = spent.used()
    monkeypatch.setattr(spent, "_children", lambda process: [])
    assert 0 <= spent.used() - before < 0.4


def test_a_thread_that_ends_while_it_is_read_hides_no_child(
    worked: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = spent.used()
    monkeypatch.setattr(spent, "_known", {})
    entries = spent._entries
    monkeypatch.setattr(spent, "_entries", lambda folder: [folder / "0", *entries(folder)])
    assert 0 <= spent.used() - before < 0.4


def test_a_child_is_counted_once_when_it_has_ended(worked: subprocess.Popen[bytes]) -> None:
    before = spent.used()
    worked.kill()
    worked.wait()
    assert 0 <= spent.used() - before < 0.4


def test_another_process_of_the_same_number_is_not_counted(
    worked: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = str(worked.pid)
    spent.used()
    monkeypatch.setattr(spent, "_known", {number: "0"})
    monkeypatch.setattr(spent, "_children", lambda process: [])
    spent.used()
    assert number not in spent._known


# the tests of a file stay in one process
@pytest.mark.parametrize("side_by_side", [(), ("-n", "2", "--dist", "loadfile")])
def test_work_is_counted_here_and_in_children_and_waiting_is_not(tmp_path: Path, side_by_side: tuple[str, ...]) -> None:
    (tmp_path / "test_busy.py").write_text(BUSY)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.spent", "--budgets", *side_by_side]
    script = LEDGER.format(root=str(ROOT), kept=str(tmp_path / "kept.json"))
    (tmp_path / "conftest.py").write_text(script)
    done = subprocess.run([*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "4 passed" in done.stdout
    # the folder has no budget
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "its budget is 0 s" in done.stdout
    kept = json.loads((tmp_path / "kept.json").read_text())
    seconds = {test.partition("::")[2]: used * kept["scale"] for test, used in kept["tests"].items()}
    assert all(seconds[f"test_{name}"] > 0.25 for name in ("here", "in_a_child", "in_a_child_that_goes_on"))
    assert seconds["test_that_only_waits"] < 0.2
    short = sum(used for test, used in kept["tests"].items() if not test.endswith("::test_that_only_waits"))
    assert kept["folders"]["make check"] == pytest.approx(short, abs=0.1)
