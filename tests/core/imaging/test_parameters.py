from __future__ import annotations

from dataclasses import fields

import pytest

from core.declaration import Task
from core.imaging.options import PublishedOptions
from core.imaging.parameters import beside
from core.imaging.publications import settings
from core.tasks import find

TASKS = [pytest.param(find(name), id=name) for name in ("inpaint", "superres", "translate")]


@pytest.mark.parametrize("task", TASKS)
def test_a_setting_of_a_paper_defaults_to_what_its_method_takes(task: Task) -> None:
    known = {each.name for each in fields(PublishedOptions)}
    for param in settings(task.methods):
        assert param.name in known and param.paper and param.advanced
        assert param.default == getattr(PublishedOptions(), param.name) == param.parse(param.default)
    assert set(settings(task.methods)) <= set(task.params)


def test_every_setting_of_a_paper_can_be_chosen_where_its_method_is() -> None:
    here = {
        name: {param.name for param in settings(find(name).methods)} for name in ("inpaint", "superres", "translate")
    }
    assert here["inpaint"] == {each.name for each in fields(PublishedOptions)}
    assert here["superres"] - here["translate"] == {"solver", "chain"}
    assert here["inpaint"] - here["superres"] == {"stages", "conditioned", "start", "resamples", "jump"}


@pytest.mark.parametrize("task", TASKS)
def test_methods_beside_the_chosen_one_are_none_unless_asked_for(task: Task) -> None:
    param = beside(task.methods)
    assert param.default == param.parse("") == param.parse([]) == ()
    assert param.parse("scorefusion, volume") == ("volume", "scorefusion")
    assert param.choices == tuple(method.name for method in task.methods)


@pytest.mark.parametrize("task", TASKS)
def test_every_network_a_method_may_run_on_is_listed_once(task: Task) -> None:
    assert len(set(task.weights)) == len(task.weights)
    assert {name for each in task.methods for name in each.networks(True)} == set(task.weights)


@pytest.mark.parametrize("task", TASKS)
def test_methods_are_ours_then_of_papers_then_plain(task: Task) -> None:
    kinds = [[method.ours, method.paper, method.cheap] for method in task.methods]
    assert all(kind.count(True) == 1 for kind in kinds)
    assert sorted(kinds, reverse=True) == kinds and kinds[0][0]
    assert all(method.cheap or method.weights for method in task.methods)


def test_a_method_names_its_networks_and_with_its_expert_those_too() -> None:
    inpaint, translate = find("inpaint"), find("translate")
    assert inpaint.method("scorefusion").networks() == ("inpaint-fusion", "inpaint-plane")
    assert inpaint.method("scorefusion").networks(True) == ("inpaint-fusion", "inpaint-plane", "inpaint-volume")
    assert inpaint.method("biharmonic").networks(True) == ()
    ours = translate.method("volume").networks()
    assert ours == ("translate-volume", "translate-regression", "translate-trees")
    fused = translate.method("scorefusion").networks()
    assert fused == ("translate-fusion", "translate-plane", "translate-regression")
    assert translate.method("scorefusion").networks(True) == tuple(dict.fromkeys((*fused, *ours)))
