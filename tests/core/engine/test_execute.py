from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import device
from core.declaration import Estimate
from core.engine.execute import execute
from core.engine.protocol import JobSpec
from core.events import Event, Failed, Finished, Progress, Started
from core.result import Result
from tests.contract import fake_tasks

FAKES = "tests.contract.fake_tasks"


def with_run(monkeypatch: pytest.MonkeyPatch, error: BaseException | None) -> None:
    """Make ``count`` report once and then raise ``error``, or end without a result."""

    def run(*arguments: Any) -> Iterator[Event]:
        yield Progress(0.5, 1, 2, "Half")
        if error:
            raise error

    monkeypatch.setattr(fake_tasks, "TASKS", (replace(fake_tasks.TASKS[0], run=run),))


def outcome(tmp_path: Path) -> Failed:
    events = list(execute(JobSpec("count", {}, {}, str(tmp_path), "cpu"), FAKES))
    assert [type(event) for event in events] == [Started, Progress, Failed]
    last = events[-1]
    assert isinstance(last, Failed)
    assert last.message and last.hint
    return last


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "out_of_memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out_of_memory"),
        (OSError(errno.ENOSPC, "no space"), "write_failed"),
        (OSError(errno.EDQUOT, "quota"), "write_failed"),
        (OSError(errno.EIO, "broken"), "internal"),
        (RuntimeError("shape mismatch"), "internal"),
        (ValueError("out of memory"), "internal"),
        (None, "internal"),
    ],
)
def test_every_fault_has_a_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException | None,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with_run(monkeypatch, error)
    assert outcome(tmp_path).code == code
    # a trace is for what nobody knows
    assert [record.message for record in caplog.records] == (["job failed"] if code == "internal" else [])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_an_interrupt_is_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    with_run(monkeypatch, error)
    with pytest.raises(type(error)):
        outcome(tmp_path)


def test_a_fault_is_logged_and_an_expected_failure_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    list(execute(JobSpec("refuse", {}, {}, str(tmp_path), "cpu"), FAKES))
    assert caplog.records == []
    list(execute(JobSpec("crash", {}, {}, str(tmp_path), "cpu"), FAKES))
    assert "ZeroDivisionError" in caplog.text


def test_a_job_that_needs_too_much_memory_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    greedy = replace(fake_tasks.TASKS[0], estimate=lambda inputs, params, device: Estimate(1.0, 1 << 60, 0))
    monkeypatch.setattr(fake_tasks, "TASKS", (greedy,))
    monkeypatch.setattr(device, "free_memory", lambda: 1 << 30)
    (event,) = execute(JobSpec("count", {}, {}, str(tmp_path), "cpu"), FAKES)
    assert isinstance(event, Failed)
    assert event.code == "not_enough_memory"


def test_progress_never_falls_and_stays_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*arguments: Any) -> Iterator[Event]:
        for fraction in (0.2, 0.1, 0.7, 3.0):
            yield Progress(fraction, 1, 1, "", b"a picture" if fraction == 0.1 else b"")
        yield Finished(Result())
        raise AssertionError

    monkeypatch.setattr(fake_tasks, "TASKS", (replace(fake_tasks.TASKS[0], run=run),))
    events = list(execute(JobSpec("count", {}, {}, str(tmp_path), "cpu"), FAKES))
    assert [event.fraction for event in events if isinstance(event, Progress)] == [0.2, 0.2, 0.7, 1.0]
    assert [event.preview for event in events if isinstance(event, Progress)] == [b"", b"a picture", b"", b""]
    assert isinstance(events[-1], Finished)
    assert events[-1].files == {"run": str(tmp_path / "run.json")}
