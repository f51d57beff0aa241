"""Which tests run in one process when several run side by side (``-n 3 --dist loadgroup``), and which begin first.

A file's tests stay together, because they share its fixtures; so do those of a folder that shares a server or finished
runs. Groups that take long begin first, so that no process works alone at the end.
"""

from __future__ import annotations

import pytest

from tests.spent import ROOT

# folders and files whose tests take longest, in the order in which they begin; a test
# may name a group of its own (pytest.mark.xdist_group)
FIRST = ("tests/browser", "tests/contract", "tests/fault")


def group_of(path: str) -> str:
    """Return the group of the tests of the file ``path``."""
    return path


def rank(path: str) -> int:
    """Return the place of a file's tests in the order of beginning."""
    return next((place for place, prefix in enumerate(FIRST) if path.startswith(prefix)), len(FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test its group and sort the groups that begin first to the front."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group_of(item.path.relative_to(ROOT).as_posix())))
    items.sort(key=lambda item: rank(item.path.relative_to(ROOT).as_posix()))
