"""A finished run offers the other presets of its task, and can be exchanged for those that were run."""

from __future__ import annotations

from dataclasses import replace

from core.imaging.inpaint.task import TASK
from tests.webapp.pages.kit.test_boxes import JOB, SCAN
from webapp.pages.imaging import other_presets
from webapp.pages.imaging.result_scene import scene
from webapp.pages.kit.page_state import View
from webapp.store.records import ArtifactRecord, JobRecord

REALISTIC, FAITHFUL = other_presets.twins(TASK)
SCANS = {"t1": SCAN, "mask": replace(SCAN, id="m1", role="mask")}


def run_with(params: dict[str, object], name: str) -> JobRecord:
    kinds = ("result", "Result"), ("uncertainty", "Uncertainty")
    files = tuple(
        ArtifactRecord(f"{name}-{kind}", name, kind, title, f"{name}-{kind}", "b", 1) for kind, title in kinds
    )
    return replace(JOB, id=name, params=TASK.parse(params), artifacts=files)


FIRST = run_with({**REALISTIC.params, "seed": 3, "grow": 2.0}, "first")
AGAIN = run_with(other_presets.settings(FIRST, FAITHFUL), "again")


def test_a_finished_run_offers_the_preset_that_it_has_not_had() -> None:
    assert (REALISTIC.title, FAITHFUL.title) == ("Realistic", "Faithful")
    assert other_presets.left(View(TASK, SCANS, FIRST)) == (FAITHFUL,)
    assert other_presets.left(View(TASK, SCANS, AGAIN)) == (REALISTIC,)
    assert other_presets.left(View(TASK, SCANS, run_with({"method": "shell"}, "plain"))) == (REALISTIC, FAITHFUL)
    assert other_presets.left(View(TASK, SCANS, replace(FIRST, state="running"))) == ()
    assert other_presets.left(View(TASK, SCANS, AGAIN, (FIRST,))) == ()


def test_the_other_run_has_all_other_settings_and_inputs_of_the_first() -> None:
    given = other_presets.settings(replace(FIRST, params={**FIRST.params, "beside": ["shell"]}), FAITHFUL)
    assert (given["seed"], given["grow"], given["mode"], given["beside"]) == (3, 2.0, "faithful", ())
    for other in (
        replace(FIRST, inputs={"t1": "s1", "mask": "m2"}),
        replace(FIRST, params={**FIRST.params, "seed": 4}),
        replace(FIRST, artifacts=()),
    ):
        assert other_presets.computed(View(TASK, SCANS, AGAIN, (other,))) == ()
    # plain methods beside it change nothing of the result
    beside = replace(FIRST, params={**FIRST.params, "compare": False, "beside": ["shell"]})
    older = replace(FIRST, id="older")
    assert other_presets.computed(View(TASK, SCANS, AGAIN, (beside, older))) == ((REALISTIC, beside),)


def test_the_viewer_switches_between_both() -> None:
    drawn = scene(View(TASK, SCANS, AGAIN, (FIRST,)))
    assert [one.title for one in (*drawn.results, *drawn.twins)] == ["Faithful", "Realistic"]
    (twin,) = drawn.twins
    assert (twin.id, twin.url, twin.uncertainty) == (
        "first-volume", "/vol/first-result/v.nii.gz", "/vol/first-uncertainty/v.nii.gz"
    )  # fmt: skip
    assert twin.id in [one.id for one in drawn.others]
    assert drawn.uncertainty == "/vol/again-uncertainty/v.nii.gz"
    assert scene(View(TASK, SCANS, FIRST)).twins == ()
