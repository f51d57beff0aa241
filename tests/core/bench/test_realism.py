from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.bench import inpaint, realism
from core.bench.case import entrant
from core.events import finish
from core.imaging.options import Options
from core.tasks import find
from tests.core.bench.scans import SPACING, write_healthy

SUBJECTS = ("1015", "1036")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in SUBJECTS:
        write_healthy(tmp_path, name)
    return tmp_path


def test_every_fill_is_measured_beside_the_mirror(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {realism.REALISTIC: "harmonic", realism.MIRROR: "shell"}
    quick = [replace(entrant(find("inpaint").method(of), Options()), name=name) for name, of in plain.items()]
    monkeypatch.setattr(realism, "_entrants", lambda *given: quick)
    *_, rows = realism.measure(data, Options(), SUBJECTS[:1], size=150.0)
    assert not [row.error for row in rows if row.error]
    assert [row.method for row in rows] == 2 * [*plain]
    assert all(row.scores["features"] > 0 for row in rows)
    table = realism.markdown(rows)
    won = [row.scores["features"] for row in rows]
    assert table.count("| - |") == 2 * 2
    for at, block in enumerate(table.split("\n\n**")):
        assert f"| {won[2 * at]:.3f} | {int(won[2 * at] < won[2 * at + 1])} of 1 |" in block


def test_our_fills_stand_beside_the_mirror_a_smooth_fill_and_another_person(data: Path) -> None:
    hole = next(inpaint.cases(data, SUBJECTS[:1], [40.0], [3.0]))
    assert {each.name for each in realism._entrants(hole, data, Options(), SUBJECTS)} == realism.TITLES.keys()
    alone = realism._entrants(hole, data, Options(), SUBJECTS[:1])
    assert {each.name for each in alone} == realism.TITLES.keys() - {realism.PERSON}


def test_another_persons_tissue_is_brought_to_the_place_and_brightness(data: Path) -> None:
    case = next(inpaint.cases(data, SUBJECTS[:1], [40.0], [3.0]))
    problem = case.problem
    made = finish(realism.another_person(data, SUBJECTS[1], problem)).values
    known = problem.head & ~problem.mask
    assert made.shape == problem.image.shape
    assert abs(np.median(made[known]) - np.median(problem.image[known])) < 0.05 * np.median(problem.image[known])
    assert made[problem.head].min() > 0
    assert problem.spacing[0] == SPACING


def test_the_other_person_is_of_the_same_site_where_there_is_one() -> None:
    subjects = ("1015", "ds002748-08", "1017", "ds002748-20")
    first = {name: next(realism._beside(name, subjects)) for name in subjects}
    assert first == {
        "1015": "1017",
        "ds002748-08": "ds002748-20",
        "1017": "1015",
        "ds002748-20": "ds002748-08",
    }
    assert list(realism._beside("1015", ("1015",))) == []
