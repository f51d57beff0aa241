from __future__ import annotations

from pathlib import Path

import pytest

from core import tasks
from tests.phantom import Phantom
from tests.webapp.fakes import load, wait_for
from webapp.pages.kit import expected_time
from webapp.pages.kit.page_state import View
from webapp.services import Services
from webapp.store.records import TimedRun

TASK = tasks.find("inpaint")
FILLED = {"method": "biharmonic"}


@pytest.fixture
def minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every estimate is a minute."""
    monkeypatch.setattr(expected_time, "_estimate", lambda *_: 60.0)


def recorded(monkeypatch: pytest.MonkeyPatch, services: Services, *runs: tuple[str, float]) -> None:
    made = tuple(TimedRun({"method": method}, {}, seconds) for method, seconds in runs)
    monkeypatch.setattr(services.repo, "timed", lambda task, limit: made[:limit])


@pytest.mark.usefixtures("minute")
def test_one_slow_run_does_not_change_what_is_expected(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [("biharmonic", seconds) for seconds in (28.0, 29.0, 30.0, 31.0, 32.0, 30.0, 30.0, 29.5)]
    recorded(monkeypatch, services, *usual)
    before = expected_time.expected(services, View(TASK), FILLED)
    recorded(monkeypatch, services, ("biharmonic", 400.0), *usual)
    assert expected_time.expected(services, View(TASK), FILLED) == before == "25–35 s"


@pytest.mark.usefixtures("minute")
def test_runs_of_the_same_method_count_alone(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(monkeypatch, services, ("biharmonic", 30.0), ("volume", 600.0), ("volume", 600.0))
    assert expected_time.expected(services, View(TASK), FILLED) == "25–35 s"
    assert expected_time.expected(services, View(TASK), {"method": "shell"}) == "5–12 min"


def test_a_preset_takes_what_a_run_with_it_takes(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    # the estimate sees every setting, also those that presets leave alone
    monkeypatch.setattr(expected_time, "_estimate", lambda task, paths, params, on: 60.0 * dict(params)["grow"])
    given = {"method": "shell", "grow": 3.0}
    for title, name in expected_time.preset_titles(services, View(TASK), given):
        preset = next(one for one in TASK.presets if one.name == name)
        alike = expected_time.expected(services, View(TASK), {**given, **preset.params})
        assert title == f"{preset.title} · {alike}"
        assert alike == "2.5–4.5 min"


@pytest.mark.usefixtures("minute")
def test_without_a_run_the_range_is_wide(services: Services) -> None:
    assert expected_time.expected(services, View(TASK), FILLED) == "50–90 s"


def test_a_finished_run_is_found_with_its_scans(services: Services, head: Phantom, tmp_path: Path) -> None:
    services.dispatcher.start()
    scan, mask = load(services, head, tmp_path)
    wait_for(
        services, services.dispatcher.submit("a", TASK.name, {"t1": scan.id, "mask": mask.id}, {"method": "shell"})
    )
    (run,) = services.repo.timed(TASK.name, 9)
    assert run.blobs == {"t1": scan.blob, "mask": mask.blob}
    # a tenth of a second, where seconds were expected
    assert expected_time.expected(services, View(TASK), {"method": "shell"}).startswith("under")
