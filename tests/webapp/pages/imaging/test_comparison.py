"""One job runs every ticked method, ours first."""

from __future__ import annotations

import pytest

from core import tasks
from core.declaration import Task
from core.errors import UserError
from core.imaging.drive import compared
from core.tasks import find
from webapp.pages.imaging import comparison
from webapp.pages.kit import forms

IMAGING = [task for task in tasks.TASKS if any(param.name == comparison.BESIDE for param in task.params)]


def form(task: Task, *ticked: str, **other: object) -> dict[str, object]:
    """Return the values of a form in which ``ticked`` are ticked, the last first."""
    shown = forms.values(task.params, [param.default for param in task.params])
    return {**shown, "beside": list(reversed(ticked)), **other}


@pytest.mark.parametrize("task", IMAGING, ids=lambda task: task.name)
def test_ours_is_the_method_and_nothing_unticked_runs(task: Task) -> None:
    plain = next(one.name for one in task.methods if one.cheap)
    given = form(task, "volume", "slicewise", plain, method="average", steps=3, samples=5, mode="realistic")
    made = task.parse(comparison.settings(task, given))
    assert (made["method"], made["steps"], made["samples"], made["mode"]) == ("volume", 0, 5, "realistic")
    beside = compared(task, task.methods[0], made)
    assert [one.name for one in beside] == ["slicewise", plain]


def test_without_ours_the_first_ticked_is_the_method() -> None:
    task = tasks.find("inpaint")
    made = comparison.settings(task, form(task, "tpdm", "shell"))
    assert (made["method"], made["beside"]) == ("tpdm", ["shell"])


@pytest.mark.parametrize("ticked", [(), ("volume",)])
def test_one_method_is_no_comparison(ticked: tuple[str, ...]) -> None:
    task = tasks.find("inpaint")
    with pytest.raises(UserError) as caught:
        comparison.settings(task, form(task, *ticked))
    assert caught.value.code == "not_ready"


def test_a_run_takes_no_heed_of_the_ticks() -> None:
    task = tasks.find("inpaint")
    assert task.parse(comparison.alone(form(task, "volume", "shell"))) == task.parse({})


def test_usual_ticks_are_ours_one_of_the_papers_and_a_plain_one() -> None:
    assert comparison.usual(find("inpaint").methods) == ("volume", "hierarchical", "biharmonic")
    assert comparison.usual(find("superres").methods) == ("volume", "average", "cubic")
    assert comparison.usual(find("translate").methods) == ("volume", "average", "regression")
    assert comparison.usual(one for one in find("inpaint").methods if one.cheap) == ("biharmonic",)


def test_methods_whose_weights_are_missing_cannot_be_ticked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.weights.entries", lambda: {"inpaint-volume": None, "inpaint-fusion": None})
    assert [one.name for one in comparison.installed(tasks.find("inpaint")) if one.weights] == ["volume"]
    ticks = comparison.ticks(tasks.find("inpaint"), "ticks")
    assert [name for _, name in ticks.choices] == ["volume", "biharmonic", "harmonic", "shell", "mirror"]
    assert ticks.value == ["volume", "biharmonic"]
