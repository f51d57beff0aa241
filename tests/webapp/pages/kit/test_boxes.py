"""No text from outside enters the page as anything but text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from core.errors import UserError
from core.events import Failed
from core.imaging.inpaint.task import TASK
from core.imaging.superres import task as superres
from core.imaging.translate import task as translate
from core.result import Finding, Note, Result, Row
from webapp.pages.imaging.result_scene import scene
from webapp.pages.kit import boxes
from webapp.pages.kit.job_progress import progress
from webapp.pages.kit.page_state import Held, View, anchor
from webapp.pages.kit.viewer_scene import Scene
from webapp.store.records import ArtifactRecord, JobRecord, ScanRecord

SCAN_ADDRESS = "/vol/tok/v.nii.gz"
HOSTILE = "${alert(1)}<img src=x onerror=alert(1)>{{value}}`.nii.gz"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCAN = ScanRecord(
    "s1", "me", "volume", HOSTILE, (26, 30, 28), (6.0, 6.0, 6.0), "RAS", {"head": "Taken."}, (HOSTILE,), "tok", NOW, "b"
)
JOB = JobRecord(
    "j1", "me", "inpaint", {"method": "biharmonic"}, {"t1": "s1", "mask": "m1"}, "done", 1.0, "", None,
    Result(table=(Row("biharmonic", "3D biharmonic", {"texture": None, "consistency": (1, 0.5, None)}),)),
    (
        ArtifactRecord("a1", "j1", "result", "Result", "t1", "b1", 1),
        ArtifactRecord("a2", "j1", "baseline-shell", "Shell mean", "t2", "b2", 1),
    ),
    3.0, NOW, NOW, NOW, None,
)  # fmt: skip


class Tags(HTMLParser):
    """Collects the names of the elements and their event attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.events: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.events += [name for name, _ in attrs if name.startswith("on")]


def inert(text: str) -> bool:
    seen = Tags(text)
    return not seen.events and not seen.names & {"img", "script"} and "${" not in text and "{{" not in text


def test_hostile_text_is_inert_everywhere() -> None:
    mask = replace(SCAN, role="mask", facts={"volume_ml": 2.5})
    assert inert(boxes.scan_card(SCAN))
    assert inert(boxes.mask_card(mask))
    assert inert(boxes.problem(UserError(HOSTILE, HOSTILE, HOSTILE)))
    assert inert(boxes.header(HOSTILE, 2))
    hostile = Result(notes=(Note("warning", HOSTILE), Note("info", HOSTILE)))
    assert inert(boxes.outcome(replace(JOB, result=hostile), HOSTILE))
    assert inert(boxes.downloads(replace(JOB, result=hostile)))


def test_other_runs_are_links_named_by_their_presets() -> None:
    runs = [
        replace(JOB, id=f"run-{name}", params={**JOB.params, **params})
        for name, params in (("a", TASK.preset_params("fast")), ("b", {"method": "shell"}))
    ]
    text = boxes.other_runs(runs)
    assert (
        'scan: <a class="cs-link" href="?job=run-a">Faithful, fast, ' in text
        and 'href="?job=run-b">Shell mean, ' in text
    )
    assert not boxes.other_runs([]).strip()


def test_facts_name_size_spacing_and_assumption() -> None:
    text = boxes.scan_card(SCAN)
    for part in ("26 × 30 × 28 voxels", "6 × 6 × 6 mm", "RAS", "Taken."):
        assert part in text


def test_a_missing_measure_is_a_dash() -> None:
    text = boxes.result_table(TASK, JOB.result.table)
    assert "1.00 · 0.50 · –" in text
    assert "chosen" in text


def test_downloads_keep_plain_methods_apart() -> None:
    main, folded = boxes.downloads(JOB).split("<details")
    assert "/files/a1" in main
    assert "/files/a2" not in main
    assert "/files/a2" in folded


def test_a_series_is_offered_for_a_scan_that_was_one() -> None:
    assert "/dicom" not in boxes.downloads(JOB)
    main, _ = boxes.downloads(JOB, dicom=True).split("<details")
    assert 'href="/files/a1/dicom"' in main
    assert "/dicom" not in boxes.downloads(replace(JOB, artifacts=()), dicom=True)


def test_a_failure_is_told_with_its_code() -> None:
    text = boxes.outcome(replace(JOB, state="failed", error=Failed("worker_lost", "It died.", "Again.")))
    assert 'role="alert"' in text
    assert "worker_lost" in text


def test_a_finished_job_makes_a_scene_of_its_results() -> None:
    drawn = scene(View(TASK, {"t1": SCAN, "mask": replace(SCAN, role="mask")}, JOB))
    assert [one.id for one in drawn.results] == ["biharmonic", "shell"]
    assert drawn.uncertainty is None
    assert drawn.job == "j1"
    assert scene(View(TASK)).scan is None


def test_the_viewer_gets_what_is_known_and_nothing_made_up() -> None:
    value = scene(View(TASK, {"t1": SCAN, "mask": replace(SCAN, role="mask")}, JOB)).value()
    assert value.keys() == set(Scene.model_fields)
    assert value["scan"] == {"id": "s1", "title": "T1 scan", "url": "/vol/tok/v.nii.gz", "synthetic": False}
    # the viewer takes a result as synthetic, in the units of the scan
    assert value["results"][0] == {"id": "biharmonic", "title": "3D biharmonic", "url": "/vol/t1/v.nii.gz"}
    assert value["difference"] is None and value["compare"] is None
    assert Scene.model_validate_json(json.dumps(value)).value() == value


def test_a_result_of_another_run_is_taken_as_synthetic_too() -> None:
    value = scene(View(TASK, {"t1": SCAN}, earlier=(JOB,))).value()
    group = f"Run of {NOW:%d %b %H:%M}"
    assert value["others"] == [
        {"id": "j1-biharmonic", "title": "3D biharmonic", "url": "/vol/t1/v.nii.gz", "group": group},
        {"id": "j1-shell", "title": "Shell mean", "url": "/vol/t2/v.nii.gz", "group": group},
    ]


def test_a_map_has_what_its_task_subtracted() -> None:
    files = (
        ArtifactRecord("a1", "j1", "result", "Result", "t1", "b1", 1),
        ArtifactRecord("a2", "j1", "difference", "Difference", "t2", "b2", 1),
    )
    job = replace(JOB, task="superres", params={"method": "linear"}, inputs={"image": "s1"}, artifacts=files)
    found = scene(View(superres.TASK, {"image": SCAN}, job)).difference
    assert found and (found.title, found.what) == ("Difference", "result minus linear interpolation")


def test_a_comparison_opens_side_by_side() -> None:
    compared = replace(JOB, params={"method": "biharmonic", "beside": ["shell"]})
    scans = {"t1": SCAN, "mask": replace(SCAN, role="mask")}
    side_by_side = scene(View(TASK, scans, compared)).compare
    assert side_by_side and [one.title for one in side_by_side] == ["T1 scan", "3D biharmonic", "Shell mean"]
    with_truth = scene(View(TASK, {**scans, "reference": replace(SCAN, id="r1")}, compared)).compare
    assert with_truth and with_truth[0].id == "r1"
    assert scene(View(TASK, scans, JOB)).compare is None


def test_progress_is_hidden_when_nothing_runs() -> None:
    assert progress(None)["shown"] is False
    assert progress(JOB)["shown"] is False

    waiting = progress(replace(JOB, state="queued", position=3))
    assert waiting["shown"]
    assert "place 3" in waiting["text"]
    # who is not next looks less often
    assert (waiting["again"], progress(replace(JOB, state="queued", position=1))["again"]) == (2.0, 0.7)
    assert progress(replace(JOB, state="running", fraction=0.456, text="Step"))["percent"] == 45


@pytest.mark.parametrize(
    ("fraction", "words"),
    [(0.05, "Sampling · 20 s"), (0.5, "Sampling · 20 s · about 20 s left"), (1.0, "Sampling · 20 s")],
)
def test_a_run_under_way_has_its_time_and_what_is_left(fraction: float, words: str) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=20)
    bar = progress(replace(JOB, state="running", text="Sampling", fraction=fraction, started=begun))
    assert (bar["shown"], bar["text"], bar["percent"]) == (True, words, int(100 * fraction))


def test_a_new_scan_lets_go_of_what_belonged_to_the_old_one() -> None:
    held = Held({"t1": "a", "mask": "b", "reference": "c"}, "job")
    assert held.with_input(TASK, "t1", "new") == Held({"t1": "new"})
    assert held.with_input(TASK, "mask", "new") == Held({"t1": "a", "mask": "new", "reference": "c"})
    assert held.without(TASK, "mask") == Held({"t1": "a", "reference": "c"})


def test_contrasts_stand_side_by_side() -> None:
    assert (anchor(TASK), anchor(superres.TASK), anchor(translate.TASK)) == ("t1", "image", "")
    held = Held({"t1": "a", "t2": "b"}, "job")
    assert held.with_input(translate.TASK, "t1", "new") == Held({"t1": "new", "t2": "b"})
    assert held.without(translate.TASK, "t1") == Held({"t2": "b"})


def test_a_run_needs_a_source_where_none_is_required() -> None:
    assert not View(translate.TASK, {"reference": SCAN}).ready
    assert View(translate.TASK, {"flair": SCAN}).ready
    assert View(superres.TASK, {"image": SCAN}).ready
    assert not View(TASK, {"t1": SCAN}).ready


def test_every_note_of_a_run_is_shown_warnings_first() -> None:
    found = (Note("info", "It lies on T1"), Note("warning", "No full stop"), Note("info", "T2 was moved."))
    text = boxes.downloads(replace(JOB, result=Result(notes=found, findings=(Finding("target", "Target", "flair"),))))
    places = [text.index(note) for note in ("<li>No full stop</li>", ">It lies on T1</p>", ">T2 was moved.</p>")]
    assert places == sorted(places)
    assert "flair" not in text


def test_a_translated_image_shares_no_window_with_its_sources_or_truth() -> None:
    job = replace(JOB, task="translate", params={"method": "volume", "target": "t2"}, inputs={"t1": "s1"})
    shown = scene(View(translate.TASK, {"t1": SCAN, "reference": SCAN}, job))
    assert shown.reference and shown.scan
    assert shown.reference.units == shown.scan.units == SCAN_ADDRESS
    assert {one.units for one in shown.results} == {"result"}
