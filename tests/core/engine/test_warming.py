"""What is loaded before the first job: of which tasks, in which order, and what is left to the job."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from core import tasks, weights
from core.declaration import Reference
from core.engine import warming
from core.engine.execute import TASKS
from core.errors import UserError


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was loaded, in place of loading it."""
    names: list[str] = []
    monkeypatch.setattr(warming, "import_module", lambda name: tasks if name == TASKS else names.append(name))
    monkeypatch.setattr(Reference, "load", lambda one: names.append(one.place))
    monkeypatch.setattr(weights, "load", lambda name, device: names.append(f"{name} on {device}"))
    return names


def test_all_that_a_job_needs_is_loaded_what_is_ours_first(loaded: list[str]) -> None:
    parts = list(warming.loading(TASKS, ("inpaint", "translate"), "cpu"))
    assert len(parts) == len(loaded) + 1 == len(set(parts))
    assert loaded[:3] == list(warming.LIBRARIES)
    networks = [name for name in loaded if name.endswith(" on cpu")]
    wanted = {f"{name} on cpu" for task in map(tasks.find, ("inpaint", "translate")) for name in task.weights}
    assert set(networks) == wanted and loaded[-len(networks) :] == networks
    ours = [f"{tasks.find(name).methods[0].weights} on cpu" for name in ("inpaint", "translate")]
    assert set(ours) < set(networks[:6]) and "inpaint-plane on cpu" in networks[-6:]
    for name in (
        "core.imaging.inpaint.run:run",
        "core.imaging.inpaint.network:volume",
        "core.report.page:write_report",
    ):
        assert loaded.count(name) == 1
    assert not any("superres" in name or "failure" in name for name in loaded)


def test_of_no_task_nothing_is_loaded(loaded: list[str]) -> None:
    assert list(warming.loading(TASKS, (), "cpu")) == [] == loaded


def test_what_cannot_be_loaded_is_left_to_the_job(
    loaded: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(name: str, device: str) -> Any:
        raise UserError("weights_missing", f"The network {name!r} is not installed.", "Get it.")

    def broken(one: Reference) -> Any:
        raise ImportError(one.place)

    whole = list(warming.loading(TASKS, ("inpaint",), "cpu"))
    monkeypatch.setattr(weights, "load", missing)
    monkeypatch.setattr(Reference, "load", broken)
    with caplog.at_level(logging.WARNING):
        assert list(warming.loading(TASKS, ("inpaint",), "cpu")) == whole
    assert "inpaint-volume is not loaded before the first job: The network" in caplog.text
