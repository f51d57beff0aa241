"""A run from its scan to its result: every state of it, and the list of runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Scans, Server
from tests.browser.steps import (
    choose_method,
    choose_preset,
    covered,
    load_mask,
    load_scan,
    run,
    setting,
    unfold,
    visit,
    wait_result,
)
from tests.looks.look import TOLERANCE, faults, themed, unlike

FAILED = '{"code": "worker_lost", "message": "The process that computed this run ended.", "hint": "Run it again."}'


@pytest.fixture(scope="module")
def loaded(opened: Page, scans: Scans) -> Page:
    """The page with a scan and a mask, large enough for a run that can be watched."""
    load_scan(opened, scans.large[0])
    load_mask(opened, scans.large[1])
    return opened


def test_a_loaded_scan_looks_right(loaded: Page) -> None:
    assert faults(loaded, "loaded") == []
    loaded.evaluate("scrollTo(0, 0)")
    assert unlike(loaded, "loaded-dark") < TOLERANCE


def test_a_run_under_way_looks_right(loaded: Page) -> None:
    choose_preset(loaded, "best")
    unfold(loaded)
    setting(loaded, "Steps").fill("8")
    setting(loaded, "Samples").fill("16")
    setting(loaded, "Samples").press("Tab")
    loaded.get_by_role("button", name="advanced settings").locator("visible=true").first.click()
    run(loaded)
    loaded.wait_for_function("Number(document.querySelector('#progress .cs-bar').getAttribute('aria-valuenow')) > 0")
    for part in ("#progress .cs-bar", "#progress .cs-progress-text", "#progress .cs-progress-percent"):
        assert covered(loaded, part) == []
    assert faults(loaded, "running") == []
    loaded.locator("#cancel").click()
    expect(loaded.locator("#outcome")).to_contain_text("Cancelled")


def test_a_result_looks_right(loaded: Page) -> None:
    choose_method(loaded, "3D harmonic")
    loaded.get_by_role("button", name="advanced settings").locator("visible=true").first.click()
    loaded.locator("#run").click()
    wait_result(loaded)
    assert faults(loaded, "done") == []
    loaded.evaluate("scrollTo(0, 0)")
    assert unlike(loaded, "done-dark") < TOLERANCE
    with themed(loaded, "light"):
        assert unlike(loaded, "done-light") < TOLERANCE
    for grade in loaded.locator("#rate-realism label").all():
        box = grade.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44


def test_compared_results_look_right(loaded: Page) -> None:
    loaded.locator(".cs-toolbar").get_by_role("button", name="Compare").click()
    loaded.wait_for_function("document.querySelector('.cs-viewer').dataset.ready === 'true'")
    assert faults(loaded, "compared") == []


def test_the_list_of_runs_looks_right_and_filters(loaded: Page) -> None:
    loaded.get_by_role("tab", name="Sessions").click()
    rows = loaded.locator("#sessions tbody tr >> visible=true")
    expect(rows).to_have_count(2)
    assert faults(loaded, "sessions", ends=".cs-whole:has(#sessions)") == []
    loaded.get_by_label("State").select_option("done")
    expect(rows).to_have_count(1)
    loaded.get_by_label("Find").fill("nothing of this name")
    expect(rows).to_have_count(0)
    expect(loaded.locator(".cs-found-runs")).to_have_text("0 of 2 runs")
    loaded.get_by_label("Find").fill("")
    loaded.get_by_label("State").select_option("cancelled")
    delete = rows.first.get_by_role("button", name="Delete")
    delete.click()
    expect(rows).to_have_count(1)
    delete.click()
    expect(loaded.locator("#sessions tbody tr")).to_have_count(1)
    expect(loaded.locator("#sessions-outcome [role=status]")).to_contain_text("Deleted: the run on T1.nii.gz")
    expect(loaded.locator("#sessions-welcome")).to_be_hidden()


def test_a_failed_run_looks_right(loaded: Page, server: Server) -> None:
    # no task that ships fails on demand: the row becomes what a lost process leaves
    job = loaded.evaluate("new URL(document.querySelector('#sessions a').href).searchParams.get('job')")
    data = Path(server.log).parent / "data" / "counterscan.db"
    with closing(sqlite3.connect(data, timeout=30)) as database, database:
        database.execute("update job set state = 'failed', error = ? where id = ?", (FAILED, job))
    visit(loaded, f"{server.url}/?job={job}")
    expect(loaded.locator("#outcome .cs-problem")).to_be_visible()
    assert faults(loaded, "failed") == []
