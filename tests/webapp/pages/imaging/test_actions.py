"""What the controls do, without a browser."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from core.errors import UserError
from core.files.convert import ask_child
from core.imaging.inpaint import task as inpaint
from core.imaging.superres import task as superres
from core.imaging.translate import task as translate
from core.presentation import Group
from tests.contract.phantom import write_contrasts, write_phantom, write_thick
from tests.dicom_files import Series
from tests.phantom import Phantom
from tests.webapp.fakes import wait_for
from tests.webapp.intake.test_scans import folder_of
from webapp.intake import example_scans as examples
from webapp.pages.imaging import actions
from webapp.pages.kit import panel_actions, upload_slot
from webapp.pages.kit.job_titles import main_input
from webapp.pages.kit.page_state import Held, of_job, view
from webapp.services import Services

ME = "session-of-the-tests"


def group() -> Group:
    found = translate.TASK.page.group
    assert found is not None
    return found


GROUP = group()


@pytest.fixture
def files(tmp_path: Path, services: Services) -> dict[str, Path]:
    """Uploads of every kind; an upload is deleted once it is taken."""
    services.repo.touch(ME)
    (tmp_path / "thick").mkdir()
    return {**write_contrasts(tmp_path), **write_phantom(tmp_path), **write_thick(tmp_path / "thick")}


def test_a_new_anchor_clears_the_tab_and_a_mask_needs_it(services: Services, files: dict[str, Path]) -> None:
    with pytest.raises(UserError) as caught:
        panel_actions.load(services, ME, inpaint.TASK, "mask", Held(), str(files["mask"]))
    assert caught.value.code == "no_scan"
    assert files["mask"].is_file()
    copy = str(shutil.copy(files["t1"], files["t1"].with_name("again.nii.gz")))
    held = panel_actions.load(services, ME, inpaint.TASK, "t1", Held(), str(files["t1"]))
    held = panel_actions.load(services, ME, inpaint.TASK, "mask", held, [str(files["mask"])])
    assert view(services, ME, inpaint.TASK, held).ready
    again = panel_actions.load(services, ME, inpaint.TASK, "t1", held, copy)
    assert set(again.inputs) == {"t1"}


def test_contrasts_dropped_together_find_their_slots(services: Services, files: dict[str, Path]) -> None:
    held, problems = actions.distribute(
        services, ME, translate.TASK, GROUP, Held(), [str(files["t2"]), str(files["t1ce"])]
    )
    assert not problems
    shown = view(services, ME, translate.TASK, held)
    assert {name: scan.filename for name, scan in shown.scans.items()} == {"t2": "t2.nii.gz", "t1ce": "t1ce.nii.gz"}


def test_a_file_without_a_place_is_named(services: Services, files: dict[str, Path]) -> None:
    odd = str(shutil.copy(files["t1"], files["t1"].with_name("scan.nii.gz")))
    held, problems = actions.distribute(services, ME, translate.TASK, GROUP, Held(), [str(files["t2"]), odd])
    assert set(held.inputs) == {"t2"}
    assert len(problems) == 1
    assert "scan.nii.gz" in problems[0]


def study(head: Phantom, folder: Path, *descriptions: str) -> list[str]:
    """Write a folder with a series for each description, none of which looks like another."""
    rng = np.random.default_rng(0)
    for number, description in enumerate(descriptions):
        values = np.where(head.scan > 0, rng.integers(100, 900, head.scan.shape), 0).astype(np.int16)
        Series(values, head.affine, uid=f"1.2.3.{number}", description=description).write(folder)
    return sorted(str(path) for path in folder.iterdir())


@pytest.mark.parametrize(
    ("descriptions", "taken", "sentence"),
    [
        (("t1_mprage_sag", "t2_space_dark-fluid", "t2_tse_tra"), (1, 2, 3), ""),
        (
            ("survey 3", "t1_mprage", "ep2d_diff"),
            (2,),
            "Left out, as their descriptions name no contrast: survey 3; ep2d",
        ),
        (("t2 sag", "t2 tra", "t1 post gad"), (3,), "none was taken: t2 sag; t2 tra."),
        # a repetition, or another volume of one series
        (("t1_mprage", "t1_mprage"), (1,), ""),
        (("Series 1", "Series 2"), (), ""),
    ],
)
def test_series_are_chosen_by_their_descriptions(
    descriptions: tuple[str, ...], taken: tuple[int, ...], sentence: str
) -> None:
    problems: list[str] = []
    words = [f"“{name}” (20 slices, 64 x 64, 1 x 1 x 2 mm)" for name in descriptions]
    chosen = actions._by_contrast(GROUP, words, problems)
    assert chosen == [(descriptions[number - 1], number) for number in taken]
    assert len(problems) == bool(sentence) and sentence in "".join(problems)
    assert actions._by_contrast(GROUP, ["no description (20 slices)"], []) == []


def test_series_of_one_folder_are_taken_by_their_contrasts(
    services: Services, head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.repo.touch(ME)
    paths = study(head, tmp_path / "in", "survey", "t2_flair", "t1_mprage")
    reads: list[object] = []

    def counted(request: Mapping[str, Any], work: Path) -> dict[str, Any]:
        reads.append(request["numbers"])
        return ask_child(request, work)

    monkeypatch.setattr("core.files.convert.ask_child", counted)
    held, problems = actions.distribute(services, ME, translate.TASK, GROUP, Held(), paths)
    found = {name: services.repo.scan(scan, ME).facts["series"] for name, scan in held.inputs.items()}
    assert found == {"t1": "t1_mprage", "flair": "t2_flair"} and not problems
    # once for what there is, once for all that is taken; and nothing of it stays
    assert [len(numbers) for numbers in reads if isinstance(numbers, list)] == [1, 2]
    assert not list((services.settings.data / "incoming").glob("*.nii"))
    # one alone is taken by its description too, which the names of its files do not repeat
    alone = study(head, tmp_path / "alone", "t2_tse")
    assert set(actions.distribute(services, ME, translate.TASK, GROUP, Held(), alone)[0].inputs) == {"t2"}


def test_a_folder_whose_series_have_no_contrast_is_refused_by_what_was_found(
    services: Services, head: Phantom, tmp_path: Path
) -> None:
    services.repo.touch(ME)
    paths = study(head, tmp_path / "in", "Series 1", "Series 2")
    with pytest.raises(UserError) as refused:
        actions.distribute(services, ME, translate.TASK, GROUP, Held(), paths)
    assert refused.value.code == "dicom_series"
    assert "There are 2 series here" in refused.value.message and "“Series 2” (" in refused.value.message
    assert not services.repo.scans(ME)


def test_moving_a_scan_swaps_what_is_there(services: Services, files: dict[str, Path]) -> None:
    held = Held({"t1": "a", "t2": "b"}, "job")
    assert actions.move("t1", "flair", held) == Held({"t2": "b", "flair": "a"})
    assert actions.move("t1", "t2", held) == Held({"t1": "b", "t2": "a"})
    assert actions.move("t1", "t1", held) == held
    once = actions.move("t1", "flair", held)
    assert actions.move("t1", "flair", once) == once


def test_a_run_without_its_inputs_is_refused(services: Services) -> None:
    for task in (inpaint.TASK, superres.TASK, translate.TASK):
        with pytest.raises(UserError) as caught:
            panel_actions.submit(services, ME, task, Held(), {})
        assert caught.value.code == "not_ready"


def test_a_result_becomes_the_input_of_another_task(services: Services, files: dict[str, Path]) -> None:
    held = panel_actions.load(services, ME, superres.TASK, "image", Held(), str(files["image"]))
    held = panel_actions.submit(services, ME, superres.TASK, held, {"method": "cubic"})
    with pytest.raises(UserError):
        actions.receive(services, ME, inpaint.TASK, held.job)
    finish(services, held.job)
    for task, name in ((inpaint.TASK, "t1"), (translate.TASK, "t1")):
        taken = actions.receive(services, ME, task, held.job)
        assert set(taken.inputs) == {name}
        scan = view(services, ME, task, taken).scans[name]
        assert scan.facts["synthetic"]
        assert "(synthetic)" in scan.filename
    job = services.repo.job(held.job, ME)
    assert main_input(job) == held.inputs["image"]
    assert of_job(services, ME, held.job) == (superres.TASK, held)


def test_a_result_stays_in_reach_while_and_after_another_run_takes_its_place(
    services: Services, files: dict[str, Path]
) -> None:
    held = panel_actions.load(services, ME, superres.TASK, "image", Held(), str(files["image"]))
    first = panel_actions.submit(services, ME, superres.TASK, held, {"method": "cubic"})
    second = panel_actions.submit(services, ME, superres.TASK, held, {"method": "linear"})
    assert view(services, ME, superres.TASK, second).earlier == ()
    finish(services, first.job)
    # also while the second waits or runs
    assert [one.id for one in view(services, ME, superres.TASK, second).earlier] == [first.job]
    wait_for(services, second.job, ME)
    assert [one.id for one in view(services, ME, superres.TASK, first).earlier] == [second.job]


def finish(services: Services, job: str) -> None:
    """Let the queue run until ``job`` is over; its result is the scan it was given."""
    services.dispatcher.start()
    wait_for(services, job, ME)


@pytest.mark.long
def test_every_example_makes_a_tab_ready(services: Services) -> None:
    services.repo.touch(ME)
    for task in (inpaint.TASK, superres.TASK, translate.TASK):
        known = examples.examples(task.name)
        assert known
        held = Held(examples.accept_example(services, ME, task.name, known[0].name))
        shown = view(services, ME, task, held)
        assert shown.ready
        assert all(scan.facts["synthetic"] for scan in shown.scans.values() if scan.role == "volume")


def test_an_unknown_example_is_refused(services: Services) -> None:
    with pytest.raises(UserError) as caught:
        examples.accept_example(services, ME, "inpaint", "none")
    assert caught.value.code == "not_found"


def test_another_volume_of_a_folder_is_chosen_on_the_page(services: Services, head: Phantom, tmp_path: Path) -> None:
    _, mask = head.write(tmp_path)
    services.repo.touch(ME)
    paths = [str(path) for path in folder_of(head, tmp_path / "in", "T1", "FLAIR")]
    task = inpaint.TASK
    held = panel_actions.load(services, ME, task, "t1", Held(), paths)
    assert held.inputs == {} and held.volumes["t1"].number is None
    choice = gr.Dropdown()
    slot = upload_slot.Slot(task.inputs[0], gr.File(), gr.HTML(), gr.HTML(), choice, None)
    offered = slot.updates(None, True, held.volumes["t1"])[choice]
    assert (offered.label, [number for _, number in offered.choices]) == (
        "2 volumes in this upload: choose one", [1, 2]
    )  # fmt: skip
    first = panel_actions.choose_volume(services, ME, task, "t1", held, 2)
    assert view(services, ME, task, first).scans["t1"].facts["series"] == "FLAIR"
    masked = panel_actions.load(services, ME, task, "mask", first, str(mask))
    assert masked.volumes == first.volumes and first.volumes["t1"].number == 2
    other = panel_actions.choose_volume(services, ME, task, "t1", masked, 1)
    assert set(other.inputs) == {"t1"} and other.volumes["t1"].number == 1
    assert panel_actions.remove(task, "t1", other).volumes == {}
    with pytest.raises(UserError) as caught:
        panel_actions.choose_volume(services, ME, task, "t1", Held(), 1)
    assert caught.value.code == "upload_gone"
