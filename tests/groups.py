"""Which tests run in one process when several run side by side (``--dist loadgroup``), and which begin first.

A file's tests stay together, because they share its fixtures; so do those of files that share a server and a browser.
Groups that take longest begin first, so that no process works alone at the end: ``--no-loadscope-reorder``.
"""

from __future__ import annotations

import pytest

from tests.source import ROOT

# files of tests that share more than a file does -> their group; a test may name another (pytest.mark.xdist_group)
SHARED = {
    "tests/browser/test_rate_": "browser-site",
    "tests/browser/test_viewer_": "browser-site",
    "tests/browser/": "browser-server",
}
# what takes longest, or waits while others compute, in the order in which it begins
FIRST = ("tests/browser/", "tests/contract/", "tests/fault/", "tests/core/")


def group_of(path: str) -> str:
    """Return the group of the tests of the file ``path``."""
    return next((group for prefix, group in SHARED.items() if path.startswith(prefix)), path)


def rank(path: str) -> int:
    """Return the place of a file's tests in the order of beginning."""
    return next((place for place, prefix in enumerate(FIRST) if path.startswith(prefix)), len(FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test its group, and put what begins first to the front."""
    paths = {item: item.path.relative_to(ROOT).as_posix() for item in items if item.path.is_relative_to(ROOT)}
    for item, path in paths.items():
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group_of(path)))
    items.sort(key=lambda item: rank(paths.get(item, "")))
