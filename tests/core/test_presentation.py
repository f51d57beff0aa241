"""What a task declares for its page holds together, and its functions give what a page takes."""

from __future__ import annotations

import pytest

from core.contrasts import CONTRASTS
from core.declaration import Task
from core.presentation import GivenScan
from core.result import Note
from core.tasks import TASKS, find

EVERY = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
THICK = GivenScan((180, 220, 40), (1.0, 1.0, 4.0))


@EVERY
def test_a_page_names_only_what_its_task_has(task: Task) -> None:
    page, params = task.page, {param.name: param for param in task.params}
    inputs = {entry.name: entry for entry in task.inputs}
    assert page.preset in ([preset.name for preset in task.presets if preset.on_page] or [""])
    assert set(page.offers) | ({page.subject} - {""}) <= params.keys()
    assert all(set(param.titles) <= set(param.choices) for param in task.params)
    if page.group:
        assert {inputs[name].kind for name in page.group.inputs} == {"volume"}
        assert not any(inputs[name].required or inputs[name].folded for name in page.group.inputs)
    assert sum(entry.kind == "mask" for entry in task.inputs) <= 1
    assert not (page.in_place and page.own_units)


@EVERY
def test_the_defaults_are_explained_without_a_scan(task: Task) -> None:
    found = task.page.explain({}, task.parse({})) if task.page.explain else ()
    assert all(isinstance(note, Note) for note in found)


@EVERY
def test_an_offer_is_a_part_of_the_choices(task: Task) -> None:
    for name, offer in task.page.offers.items():
        for given in ((), tuple(entry.name for entry in task.inputs), task.inputs[0].name):
            found = offer(given)
            param = task.param(name)
            assert param and found.usual in found.choices and set(found.choices) <= set(param.choices)


def test_super_resolution_explains_what_is_measured_and_what_is_made() -> None:
    task = find("superres")
    assert task.page.explain
    texts = [note.text for note in task.page.explain({"image": THICK}, task.parse({}))]
    assert any("4 mm thick" in text for text in texts)


def test_a_contrast_that_is_given_is_not_offered_and_the_wanted_one_comes_first() -> None:
    offer = find("translate").page.offers["target"]
    assert offer(("t1", "reference")).choices == ("t1ce", "t2", "flair")
    assert [offer(given).usual for given in ((), ("flair",), ("flair", "t2"), CONTRASTS)] == [
        "flair",
        "t2",
        "t1",
        "flair",
    ]


def test_translation_warns_of_what_its_target_cannot_show() -> None:
    task = find("translate")
    assert task.page.explain
    (note,) = task.page.explain({}, task.parse({"target": "t1ce"}))
    assert note.level == "warning" and "contrast agent" in note.text
