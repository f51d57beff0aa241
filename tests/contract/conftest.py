"""A warm child to run jobs in, and jobs that must finish."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec
from core.events import Event, Finished

Runner = Callable[[JobSpec], Iterator[Event]]


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    """An engine with a warm child."""
    with LocalEngine("cpu") as engine:
        yield engine


def finish(runner: Runner, spec: JobSpec) -> tuple[list[Event], Finished]:
    """Return the events of a job that must finish, and the last of them."""
    events = list(runner(spec))
    last = events[-1]
    assert isinstance(last, Finished), last
    return events, last
