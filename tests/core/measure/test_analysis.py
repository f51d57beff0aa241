"""The whole analysis, of whatever has been answered so far."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from core.measure.analysis import analyse
from core.measure.answers import Answer, Collected
from tests.core.measure.rows import ALL_ASKED, REAL_ASKED, SCALE_ASKED, answer, image, study
from tests.spent import little_work

# whatever is missing, nothing is divided by zero on the way
pytestmark = pytest.mark.filterwarnings("error")

SCAN = image("scanner", truth="real")
SINGLE = [SCAN, image("a", psnr=20.0), image("b", psnr=30.0, ssim=0.9)]


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    images = tuple(draw(st.lists(st.sampled_from(SINGLE), min_size=1, max_size=2)))
    values: dict[str, st.SearchStrategy[str | float | None]] = {
        "real": st.sampled_from(["real", "synthetic", None]),
        "prefer": st.sampled_from(["A", "B", None]),
        "confidence": st.sampled_from([1, 3, 5, None]),
        "realism": st.sampled_from([1, 2, 5, None]),
        "mark": st.sampled_from([0.0, 0.4, 1.0, None]),
    }
    asked = draw(st.lists(st.sampled_from(sorted(values)), unique=True))
    return replace(
        answer(draw(st.sampled_from(["R1", "R2", "R3"])), draw(st.integers(0, 4)), *images),
        use=draw(st.sampled_from(["item", "item", "item", "training", "catch"])),
        repeat=draw(st.booleans()),
        group=draw(st.sampled_from(["", "old"])),
        values={name: draw(values[name]) for name in asked},
    )


def simulated(raters: int, items: int, seed: int = 0) -> Collected:
    """Return a study in which everybody answers every item, right three times of four."""
    rng = random.Random(seed)
    shown = [
        replace(SINGLE[item % 3], case=f"c{item}", measures={f"m{index}": rng.gauss(0, 1) for index in range(8)})
        for item in range(items)
    ]
    rows = []
    for rater in range(raters):
        for item, one in enumerate(shown):
            other = "real" if one.truth == "synthetic" else "synthetic"
            values: dict[str, str | int] = {"real": one.truth if rng.random() < 0.75 else other}
            values |= {"confidence": rng.randint(1, 5), "realism": min(5, item % 3 + rng.randint(1, 3))}
            rows.append(replace(answer(f"R{rater:02}", item, one, group=f"g{rater % 3}"), values=values))
    return study(*rows, questions=ALL_ASKED)


@given(st.lists(answers(), max_size=25))
def test_anything_can_be_analysed(rows: list[Answer]) -> None:
    found = analyse(study(*rows), resamples=20)
    counted = {(row.rater, row.item) for row in rows if row.use == "item" and not row.repeat}
    assert found.answers == len(counted)
    assert found.raters == len({rater for rater, _ in counted})
    assert found.items == len({item for _, item in counted})
    assert len(found.people) == len({row.rater for row in rows})
    assert [one.question for one in found.agreements] == ["real", "prefer", "confidence", "realism"]


def test_a_study_without_answers() -> None:
    found = analyse(study())
    assert (found.raters, found.items, found.answers) == (0, 0, 0)
    assert not any((found.detections, found.fooling, found.pairs, found.strengths, found.correlations, found.marks))
    assert [one.methods for one in found.scales] == [(), ()]
    assert found.notes == ("No item has been answered yet.",)


def test_neither_training_nor_catch_items_nor_repeats_change_the_statistics() -> None:
    plain = simulated(3, 9)
    extra = [
        replace(row, item=100 + row.item, use="training", values={"real": "real", "realism": 5})
        for row in plain.answers
    ]
    extra += [replace(row, item=200 + row.item, use="catch", expected={"real": "real"}) for row in plain.answers]
    again = [replace(row, repeat=True, position=50, values={"real": "real", "realism": 5}) for row in plain.answers]
    one, two = (analyse(study(*rows), resamples=50) for rows in (plain.answers, [*extra, *again, *plain.answers]))
    unchanged = {"raters", "items", "answers", "detections", "fooling", "scales", "correlations", "marks"}
    assert {name for name in unchanged if getattr(one, name) != getattr(two, name)} == set()
    for before, after in zip(one.agreements, two.agreements, strict=True):
        nothing = replace(before, same=after.same, again=after.again)
        assert repr(nothing) == repr(after)  # nan is not nan
    assert [person.catch_total for person in two.people] == [9, 9, 9]


def test_the_same_answers_in_any_order_give_the_same_results() -> None:
    collected = simulated(3, 8)
    mixed = list(collected.answers)
    random.Random(1).shuffle(mixed)
    one, two, other = (
        analyse(replace(collected, answers=tuple(rows)), resamples=50, seed=seed)
        for rows, seed in ((collected.answers, 0), (mixed, 0), (mixed, 1))
    )
    assert repr(one) == repr(two)
    assert repr(one.detections) != repr(other.detections)


def test_the_parts_of_the_results_fit_each_other() -> None:
    collected = simulated(2, 60)
    found = analyse(collected, resamples=200)
    everyone = found.detections[0]
    assert everyone.n == found.answers == 120
    assert 0.6 < everyone.accuracy.value < 0.9
    assert everyone.p < 0.01
    real = {one.method: one.called_real for one in found.fooling}
    assert real["scanner"].value == pytest.approx(everyone.specificity.value)
    assert [one.methods[0].n + one.methods[1].n + one.methods[2].n for one in found.scales] == [120, 120]
    rows = {name: [row.values["realism"] for row in collected.answers if row.rater == name] for name in ("R00", "R01")}
    kappa = {one.question: one.kappa.value for one in found.agreements}
    assert kappa["realism"] == pytest.approx(cohen_kappa_score(*rows.values(), weights="quadratic"), abs=1e-9)
    assert {one.measure for one in found.correlations} == {f"m{index}" for index in range(8)}


def test_an_interval_of_kappa_covers_the_truth() -> None:
    # two raters who each see the truth three times of four: kappa is 0.25 for two equally frequent answers
    rng = np.random.default_rng(2)
    hits = 0
    for study_number in range(60):
        truth = rng.integers(0, 2, 80)
        rows = [
            answer(rater, item, real=("real", "synthetic")[truth[item] ^ int(rng.random() < 0.25)])
            for rater in ("R1", "R2")
            for item in range(80)
        ]
        kappa = analyse(study(*rows, questions=(REAL_ASKED,)), resamples=200, seed=study_number).agreements[0].kappa
        hits += kappa.low <= 0.25 <= kappa.high
    assert hits >= 52


@pytest.mark.parametrize(("raters", "items"), [(20, 500), (4, 2500)])
def test_ten_thousand_answers_take_little_work(raters: int, items: int) -> None:
    analyse(study(answer("R1", 1), answer("R2", 1), questions=(SCALE_ASKED,)), resamples=1)
    collected = simulated(raters, items)
    with little_work(2000):
        found = analyse(collected)
    assert (found.answers, found.resamples) == (10_000, 1000)
