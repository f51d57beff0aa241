"""The Batch tab: what it shows of a batch in every state, and what its form takes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from markupsafe import Markup

from core.engine.protocol import JobSpec
from core.errors import UserError
from core.events import Event, Failed
from core.result import Finding, Note, Result, Row
from core.tasks import find
from tests.phantom import Phantom
from tests.waiting import wait_until
from tests.webapp.fakes import FakeEngine, finish
from webapp.pages.many import tab
from webapp.pages.many.many_archive import tables
from webapp.pages.many.many_state import ManyScan, ManyState
from webapp.services import Services
from webapp.store.batches import BatchRecord
from webapp.store.records import ArtifactRecord, JobRecord

MOMENT = datetime(2026, 1, 2, 12, tzinfo=UTC)
RESULT = Result(
    table=(Row("ours", "Ours", {"texture": 0.5, "seams": (0.1, None, 0.3)}),),
    notes=(Note("warning", "A <b>large</b> mask."), Note("info", "Fine.")),
    findings=(Finding("mask_ml", "Mask", 12.0, "ml"),),
)
JOB = JobRecord(
    "j1", "a", "inpaint", {"method": "ours"}, {}, "done", 1.0, "", None, RESULT,
    (ArtifactRecord("a1", "j1", "result", "Result", "t1", "b1", 1),), 30.0, MOMENT, MOMENT, MOMENT, None,
)  # fmt: skip
RECORD = BatchRecord("b1", "inpaint", "<i>.zip", MOMENT, ())


def state(*scans: ManyScan) -> ManyState:
    return ManyState(RECORD, find("inpaint"), scans)


DONE = ManyScan("one", "done", JOB, None)
RUNNING = ManyScan("two", "running", replace(JOB, id="j2", state="running", fraction=0.5, artifacts=()), None)
FAILED = ManyScan("three", "failed", None, UserError("bad", "It is no scan.", "Use another."))
UNREAD = ManyScan("four", "reading", None, None)


def test_a_batch_under_way_shows_states_rate_and_time_left() -> None:
    standing = state(DONE, RUNNING, FAILED, UNREAD).standing(MOMENT + timedelta(seconds=60))
    assert standing.rate == 90.0 and standing.left == pytest.approx(60.0)
    drawn = tab._drawn(state(DONE, RUNNING, FAILED, UNREAD))
    for words in ("1 to be read", "1 running", "1 done", "1 failed", "Running, 50 %", "It is no scan. Use another."):
        assert words in drawn
    assert "<i>" not in drawn and "&lt;b&gt;large" in drawn and 'aria-valuenow="62"' in drawn
    assert ">Cancel<" in drawn and "/batch/b1/results.zip" in drawn and "/batch/b1/failed.csv" in drawn


def test_a_batch_that_is_over_is_deleted_not_cancelled() -> None:
    drawn = tab._drawn(state(DONE))
    assert ">Delete<" in drawn and "progressbar" not in drawn and "failed.csv" not in drawn
    assert ">0.50<" in drawn and "/thumbnail/j1.webp" in drawn and "1 note" in drawn


def test_what_was_cancelled_is_no_part_of_what_is_left() -> None:
    cancelled = ManyScan("five", "cancelled", None, UserError("cancelled", "No.", "Else."))
    made = state(DONE, cancelled)
    assert made.over and made.standing(MOMENT + timedelta(seconds=60)).left == 0.0
    assert [line.name for line in made.lines()] == ["one"] and not made.failures()


def test_a_job_that_failed_has_its_sentence_in_the_table() -> None:
    job = replace(JOB, state="failed", error=Failed("bad", "It broke.", "Again."))
    failed = state(ManyScan("x", "failed", job, UserError("bad", "It broke.", "Again.")))
    assert failed.failures() == [("x", "bad", "It broke.", "Again.")]
    assert failed.lines()[0].message == "It broke. Again. [bad]"


def test_a_first_try_that_failed_is_noted() -> None:
    first = UserError("once", "It was <busy>.", "Wait.")
    noted = "The first try failed: It was &lt;busy&gt;. Wait."
    waiting = ManyScan("w", "queued", replace(JOB, id="j2", state="queued", artifacts=()), None, first)
    done = ManyScan("d", "done", JOB, None, first)
    other = ManyScan("o", "failed", JOB, UserError("bad", "It broke.", "Again."), first)
    alike = ManyScan("a", "failed", JOB, first, first)
    for scan, notes in ((waiting, "1 note<"), (done, "2 notes<"), (other, "It broke. Again. The first"), (DONE, "")):
        drawn = tab._drawn(state(scan))
        assert (noted in drawn) == bool(notes) and notes in drawn
    assert noted not in tab._drawn(state(alike)) and "It was &lt;busy&gt;. Wait." in tab._drawn(state(alike))
    assert [line.warnings[-1:] for line in state(done, other, alike).lines()] == [(done.note,), (other.note,), ()]


@pytest.mark.parametrize(
    ("text", "settings"),
    [("", {}), ("seed = 7\n\n target=t2 ", {"seed": "7", "target": "t2"}), ("slice-gap = a=b", {"slice_gap": "a=b"})],
)
def test_settings_are_lines(text: str, settings: dict[str, str]) -> None:
    assert tab._settings(text) == settings


@pytest.mark.parametrize("text", ["seed", "= 7"])
def test_a_line_that_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(UserError) as refused:
        tab._settings(text)
    assert refused.value.code == "bad_parameter"


def zip_of(head: Phantom, folder: Path, names: str) -> Path:
    """Return a zip of scans with their masks, each named by a letter."""
    t1, mask = head.write(folder)
    path = folder / "scans.zip"
    with zipfile.ZipFile(path, "w") as out:
        for name in names:
            out.write(t1, f"{name}_t1.nii")
            out.write(mask, f"{name}_mask.nii")
    return path


def test_a_batch_is_started_cancelled_and_deleted(services: Services, head: Phantom, tmp_path: Path) -> None:
    path = zip_of(head, tmp_path, "ab")
    said = tab._start(services, "a", [path], "inpaint", "fast", "seed = 7", False)
    assert "Started with 2 scans." in said

    def read() -> list[str]:
        return [scan.state for made in tab.standing_of(services, "a") for scan in made.scans]

    wait_until(read, lambda states: states == ["queued", "queued"])
    (made,) = tab.standing_of(services, "a")
    assert made.scans[0].job is not None and made.scans[0].job.params["seed"] == 7
    ended = tab._end(services, made.record.id, "a")
    assert isinstance(ended, Markup) and "Cancelled: what was left of scans.zip. What is done stays." in ended
    assert read() == ["cancelled", "cancelled"]
    assert tab._end(services, made.record.id, "a") == "scans.zip with 2 runs and 4 scans"
    assert tab.standing_of(services, "a") == [] and not services.repo.blobs()


def test_a_scan_that_fails_once_is_done_with_a_note_and_one_that_fails_twice_has_both_sentences(
    services: Services, engine: FakeEngine, head: Phantom, tmp_path: Path
) -> None:
    path = zip_of(head, tmp_path, "abc")
    order: list[str] = []

    def script(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        order.append(job_id)
        number = list(dict.fromkeys(order)).index(job_id)
        if attempt == 1 and number < 2:
            yield Failed("disk_full", "The disk is full.", "Wait.")
        elif number == 1:
            yield Failed("no_head", "No head is found.", "Another.")
        else:
            yield from finish(job_id, spec, attempt)

    engine.script = script
    tab._start(services, "a", [path], "inpaint", "fast", "", False)
    wait_until(lambda: tab.standing_of(services, "a")[0].counts["queued"], lambda count: count == 3)
    services.dispatcher.start()
    (made,) = wait_until(lambda: tab.standing_of(services, "a"), lambda found: found[0].over)
    assert [scan.state for scan in made.scans] == ["done", "failed", "done"]
    # after all others
    assert order == [*dict.fromkeys(order), *order[:2]]
    drawn = tab._drawn(made)
    assert drawn.count("The first try failed: The disk is full. Wait.") == 2
    assert "No head is found. Another. The first try failed" in drawn
    assert "The first try failed" in tables(made)["summary.csv"] and "no_head" in tables(made)["failed.csv"]


def test_a_batch_with_a_setting_that_there_is_not_is_refused_at_once(services: Services, tmp_path: Path) -> None:
    path = tmp_path / "scans.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("a_t1.nii", b"x")
        out.writestr("a_mask.nii", b"x")
    with pytest.raises(UserError) as refused:
        tab._start(services, "a", [path], "inpaint", "fast", "colour = red", False)
    assert refused.value.code in ("unknown_parameter", "bad_parameter")
    assert not services.batches.of("a")


@pytest.mark.long
def test_the_examples_are_a_batch(services: Services) -> None:
    assert "Started with 2 scans." in tab._start_examples(services, "a")
    (made,) = wait_until(
        lambda: tab.standing_of(services, "a"), lambda found: found[0].counts == {"queued": len(found[0].scans)}
    )
    assert [scan.name for scan in made.scans] == ["cavity-brain", "cavity-head"]
    assert all(scan.facts["synthetic"] for scan in services.repo.scans("a") if scan.role == "volume")
