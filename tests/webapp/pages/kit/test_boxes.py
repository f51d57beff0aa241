"""No text from outside enters the page as anything but text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

from core.errors import UserError
from core.events import Failed
from core.imaging.inpaint.task import TASK
from core.imaging.superres import task as superres
from core.imaging.translate import task as translate
from webapp.pages.imaging.page import Held, View, anchor, progress, scene
from webapp.pages.kit import boxes as pieces
from webapp.store.records import ArtifactRecord, JobRecord, ScanRecord

HOSTILE = "${alert(1)}<img src=x onerror=alert(1)>{{value}}`.nii.gz"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCAN = ScanRecord(
    "s1", "me", "volume", HOSTILE, (26, 30, 28), (6.0, 6.0, 6.0), "RAS", {"head": "Taken."}, (HOSTILE,), "tok", NOW, "b"
)
JOB = JobRecord(
    "j1", "me", "inpaint", {"method": "biharmonic"}, {"t1": "s1", "mask": "m1"}, "done", 1.0, "", None,
    {"table": [{"method": "biharmonic", "title": "3D biharmonic", "texture": None, "consistency": [1, 0.5, None]}]},
    (
        ArtifactRecord("a1", "j1", "result", "Result", "t1", "b1"),
        ArtifactRecord("a2", "j1", "baseline-shell", "Shell mean", "t2", "b2"),
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
    assert inert(pieces.facts(SCAN))
    assert inert(pieces.mask_facts(mask))
    assert inert(pieces.problem(UserError(HOSTILE, HOSTILE, HOSTILE)))
    assert inert(pieces.sessions([(JOB, HOSTILE, HOSTILE)]))
    assert inert(pieces.header(HOSTILE, 2))
    assert inert(pieces.outcome(replace(JOB, summary={"facts": {"notices": [HOSTILE]}})))


def test_facts_name_size_spacing_and_assumption() -> None:
    text = pieces.facts(SCAN)
    for part in ("26 × 30 × 28 voxels", "6 × 6 × 6 mm", "RAS", "Taken."):
        assert part in text


def test_a_missing_measure_is_a_dash() -> None:
    text = pieces.result_table(TASK, JOB.summary)
    assert "1.00 · 0.50 · –" in text
    assert "chosen" in text


def test_downloads_keep_plain_methods_apart() -> None:
    main, folded = pieces.downloads(JOB).split("<details")
    assert "/files/a1" in main
    assert "/files/a2" not in main
    assert "/files/a2" in folded


def test_a_failure_is_told_with_its_code() -> None:
    text = pieces.outcome(replace(JOB, state="failed", error=Failed("worker_lost", "It died.", "Again.")))
    assert 'role="alert"' in text
    assert "worker_lost" in text


def test_a_finished_job_makes_a_scene_of_its_results() -> None:
    drawn = scene(View(TASK, {"t1": SCAN, "mask": replace(SCAN, role="mask")}, JOB))
    assert [one["id"] for one in drawn["results"]] == ["biharmonic", "shell"]
    assert drawn["uncertainty"] is None
    assert drawn["job"] == "j1"
    assert scene(View(TASK))["scan"] is None


def test_a_comparison_opens_side_by_side() -> None:
    compared = replace(JOB, params={"method": "biharmonic", "beside": ["shell"]})
    scans = {"t1": SCAN, "mask": replace(SCAN, role="mask")}
    assert [one["title"] for one in scene(View(TASK, scans, compared))["compare"]] == [
        "T1 scan", "3D biharmonic", "Shell mean",
    ]  # fmt: skip
    with_truth = {**scans, "reference": replace(SCAN, id="r1")}
    assert scene(View(TASK, with_truth, compared))["compare"][0]["id"] == "r1"
    assert scene(View(TASK, scans, JOB))["compare"] is None


def test_progress_is_hidden_when_nothing_runs() -> None:
    assert progress(None)["shown"] is False
    assert progress(JOB)["shown"] is False
    waiting = progress(replace(JOB, state="queued", position=3))
    assert waiting["shown"]
    assert "place 3" in waiting["text"]
    assert progress(replace(JOB, state="running", fraction=0.456, text="Step"))["percent"] == 45


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


def test_only_sentences_are_said_of_a_run() -> None:
    said = pieces.fact_sentences(
        {"facts": {"target": "flair", "grid": "It lies on T1.", "moved": ["T2 was moved."], "notices": ["no"]}}
    )
    assert "It lies on T1." in said
    assert "T2 was moved." in said
    assert "flair" not in said
    assert "no" not in said.replace("note", "")


def test_a_translated_image_shares_no_window_with_its_sources_or_truth() -> None:
    job = replace(JOB, task="translate", params={"method": "volume", "target": "t2"}, inputs={"t1": "s1"})
    shown = scene(View(translate.TASK, {"t1": SCAN, "reference": SCAN}, job))
    assert shown["reference"] and "units" not in shown["reference"]
    assert {one["units"] for one in shown["results"]} == {"target"}
