from __future__ import annotations

import re

import pytest

from core.declaration import Task
from core.report.citations import OF_MEASURE, OF_METHOD, OF_TASK, WORKS, cited
from core.tasks import TASKS


def test_every_entry_is_of_something_and_leads_somewhere() -> None:
    assert OF_METHOD.keys() <= {(task.name, method.name) for task in TASKS for method in task.methods}
    assert OF_MEASURE.keys() <= {measure.name for task in TASKS for measure in task.measures}
    used = {key for table in (OF_METHOD, OF_MEASURE, OF_TASK) for keys in table.values() for key in keys}
    assert used == WORKS.keys()


@pytest.mark.parametrize("key", WORKS)
def test_a_key_is_the_first_author_and_the_year(key: str) -> None:
    name, year = re.fullmatch(r"([a-z]+)(\d{4})", key).groups()  # type: ignore[union-attr]
    work = WORKS[key]
    assert work.text.split()[0].lower() == name
    assert re.search(rf"\b{year}\.$", work.text)
    assert re.fullmatch(r"https://(arxiv\.org/abs/\d{4}\.\d{5}|doi\.org/10\.\S+)", work.url)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_who_is_named_in_a_method_is_cited(task: Task) -> None:
    for method in task.methods:
        for year in re.findall(r"[A-Z][a-z]+ (\d{4})", method.source):
            assert any(key.endswith(year) for key in OF_METHOD[task.name, method.name]), method.name


def test_each_work_is_cited_once_in_order() -> None:
    works = cited("inpaint", ["volume", "biharmonic"], ["ssim"])
    assert len(works) == len(set(works)) == 8
    assert [work.text for work in works] == sorted(work.text for work in works)
    assert cited("lab", ["unknown"], []) == []
