from __future__ import annotations

from dataclasses import fields

import pytest

from core.imaging.methods import METHODS, find, of_task
from core.imaging.parameters import beside, names, papers, weights
from core.imaging.published.options import Paper
from core.tasks import find as find_task

TASKS = ("inpaint", "superres", "translate")


@pytest.mark.parametrize("task", TASKS)
def test_what_papers_can_be_told_defaults_to_what_they_take(task: str) -> None:
    known = {each.name for each in fields(Paper)}
    for param in papers(task):
        assert param.name in known and param.paper and param.advanced
        assert param.default == getattr(Paper(), param.name) == param.parse(param.default)
    assert set(papers(task)) <= set(find_task(task).params)


def test_every_setting_of_a_paper_can_be_chosen_where_its_method_is() -> None:
    assert {param.name for param in papers("inpaint")} == {each.name for each in fields(Paper)}
    here = {task: {param.name for param in papers(task)} for task in TASKS}
    assert here["superres"] - here["translate"] == {"solver", "chain"}
    assert here["inpaint"] - here["superres"] == {"stages", "conditioned", "start", "resamples", "jump"}


@pytest.mark.parametrize("task", TASKS)
def test_methods_beside_the_chosen_one_are_none_unless_asked_for(task: str) -> None:
    param = beside(task)
    assert param.default == param.parse("") == param.parse([]) == ()
    assert param.parse("scorefusion, volume") == ("volume", "scorefusion")
    assert param.choices == names(task)


@pytest.mark.parametrize("task", TASKS)
def test_every_network_a_method_may_ask_is_listed_once(task: str) -> None:
    listed = weights(task)
    assert len(set(listed)) == len(listed)
    asked = {name for each in of_task(task) for name in each.networks(True)}
    assert asked == set(listed)


def test_methods_are_ours_of_the_papers_or_plain() -> None:
    for method in METHODS:
        assert [method.ours, method.paper, method.cheap].count(True) == 1
        assert method.cheap or method.weights
    assert find("scorefusion", "inpaint").networks() == ("inpaint-fusion", "inpaint-plane")
    assert find("scorefusion", "inpaint").networks(True)[-1] == "inpaint-volume"
    assert find("biharmonic", "inpaint").networks(True) == ()
