"""Tests that share something run in one process, and what is long is known."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests import groups
from tests.source import ROOT


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("tests/browser/test_rate.py", "browser-server"),
        ("tests/browser/test_rate_page.py", "browser-site"),
        ("tests/browser/test_failure.py", "browser-lab"),
        ("tests/core/test_job.py", "tests/core/test_job.py"),
    ],
)
def test_a_group_is_a_file_or_shares_a_server(path: str, group: str) -> None:
    assert groups.group_of(path) == group


def test_the_tests_of_a_group_run_in_one_process(tmp_path: Path) -> None:
    for name in "abcd":
        text = "import os\ndef test_one(): print(os.getpid())\ndef test_other(): print(os.getpid())\n"
        (tmp_path / f"test_{name}.py").write_text(text)
    (tmp_path / "conftest.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom tests.groups import *\n"
    )
    command = [sys.executable, "-m", "pytest", "-v", "-n", "2", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "8 passed" in done.stdout
    homes = defaultdict(set)
    for process, path in re.findall(r"\[(gw\d)\].*PASSED (\S+)::", done.stdout):
        homes[path].add(process)
    assert len(homes) == 4
    assert all(len(processes) == 1 for processes in homes.values())
    assert set().union(*homes.values()) == {"gw0", "gw1"}


def test_what_the_tables_name_exists() -> None:
    places = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")]
    for prefix in (*groups.SHARED, *groups.FIRST, *groups.LONG):
        assert any(place.startswith(prefix) for place in places), prefix
