"""Agreement against published values, other programs and laws."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats import inter_rater

from core.measure.agreement import (
    agreement,
    alpha_estimate,
    cohen_kappa,
    fleiss_estimate,
    fleiss_kappa,
    icc,
    icc_estimate,
    kappa_estimate,
    krippendorff_alpha,
    repeat_estimates,
)
from core.measure.bootstrap import Bootstrap, Floats
from core.measure.findings import Level
from tests.core.measure.rows import PREFER_ASKED, REAL_ASKED, SCALE_ASKED, Watched, answer, image

NAN = math.nan
FIXTURE = np.array([[1, 2, 3, 3, 2, 1, 4, 1, 2, NAN], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5], [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5]])
# Krippendorff (2011), Computing Krippendorff's alpha-reliability, section C: four observers, twelve units
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
# Shrout and Fleiss (1979), table 2: six subjects in rows, four judges
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float).T
# Fleiss (1971) as told on Wikipedia: ten items, fourteen raters, five categories
FLEISS = np.array(
    [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1], [7, 7, 0, 0, 0],
     [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]], float,
)  # fmt: skip
LEVELS: tuple[Level, ...] = ("nominal", "ordinal")


def tables(raters: int = 4, gaps: bool = True) -> st.SearchStrategy[Floats]:
    cell = st.sampled_from([0.0, 1.0, 2.0, 3.0, NAN] if gaps else [0.0, 1.0, 2.0, 3.0])
    row = st.integers(2, 12).flatmap(
        lambda items: st.lists(st.lists(cell, min_size=items, max_size=items), min_size=2, max_size=raters)
    )
    return row.map(np.array)


def same(one: float, two: float) -> bool:
    return one == pytest.approx(two, abs=1e-9, nan_ok=True)


def ones(ratings: Floats) -> Floats:
    """Return weights that count every item of ``ratings`` (raters, N) once, (1, N)."""
    return np.ones((1, ratings.shape[1]))


def alpha(ratings: Floats, level: Literal["nominal", "ordinal", "interval"]) -> float:
    return float(krippendorff_alpha(ratings, level, ones(ratings))[0])


def alpha_by_pairs(ratings: Floats, level: str) -> float:
    """Return alpha by counting every pair of values, in exact fractions."""
    units = [[int(value) for value in unit if not math.isnan(value)] for unit in ratings.T]
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]

    def apart(one: int, two: int) -> Fraction:
        if level != "ordinal":
            return Fraction((one - two) ** 2 if level == "interval" else one != two)
        low, high = sorted((one, two))
        between = sum(low <= value <= high for value in values)
        return (between - Fraction(values.count(low) + values.count(high), 2)) ** 2 if low != high else Fraction(0)

    observed = sum(Fraction(2, len(unit) - 1) * apart(*pair) for unit in units for pair in combinations(unit, 2)) / max(
        len(values), 1
    )
    expected = sum(2 * apart(*pair) for pair in combinations(values, 2))
    return NAN if not expected else float(1 - observed * len(values) * (len(values) - 1) / expected)


def test_krippendorff_of_the_ordinal_fixture() -> None:
    assert alpha(FIXTURE, "ordinal") == pytest.approx(0.8048605240912934, abs=1e-9)


@pytest.mark.parametrize(("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorff_of_his_own_example(level: Literal["nominal", "ordinal", "interval"], value: float) -> None:
    assert alpha(OBSERVERS, level) == pytest.approx(value, abs=5e-4)


@given(tables(), st.sampled_from(["nominal", "ordinal", "interval"]))
def test_krippendorff_is_the_count_over_all_pairs(
    ratings: Floats, level: Literal["nominal", "ordinal", "interval"]
) -> None:
    assert same(alpha(ratings, level), alpha_by_pairs(ratings, level))


@given(tables(), st.sampled_from(LEVELS), st.integers(0, 99))
def test_neither_the_order_of_raters_nor_of_items_matters(ratings: Floats, level: Level, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mixed = ratings[rng.permutation(len(ratings))][:, rng.permutation(ratings.shape[1])]
    bootstrap = Bootstrap(0, 0)
    weighted = level == "ordinal"
    assert same(alpha(ratings, level), alpha(mixed, level))
    one, two = (kappa_estimate(part, 4, bootstrap, weighted=weighted).value for part in (ratings, mixed))
    assert same(one, two)
    assert same(fleiss_estimate(ratings, 4, bootstrap).value, fleiss_estimate(mixed, 4, bootstrap).value)
    assert same(icc_estimate(ratings, bootstrap).value, icc_estimate(mixed, bootstrap).value)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=20).filter(lambda row: len(set(row)) > 1), st.integers(2, 5))
def test_perfect_agreement_is_one(row: list[int], raters: int) -> None:
    ratings = np.tile(np.array(row, float), (raters, 1))
    bootstrap = Bootstrap(0, 0)
    found = [alpha(ratings, level) for level in LEVELS]
    found += [kappa_estimate(ratings, 5, bootstrap, weighted=weighted).value for weighted in (False, True)]
    found += [fleiss_estimate(ratings, 5, bootstrap).value, icc(ratings, ones(ratings))[0]]
    assert found == pytest.approx([1.0] * 6, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30), st.booleans())
def test_cohen_is_symmetric_and_scikit_learn_agrees(pairs: list[tuple[int, int]], weighted: bool) -> None:
    first, second = np.array(pairs, float).T
    value = cohen_kappa(first, second, 4, ones(first[None]), weighted=weighted)[0]
    assert same(value, cohen_kappa(second, first, 4, ones(first[None]), weighted=weighted)[0])
    if len({one for pair in pairs for one in pair}) > 1:
        other = cohen_kappa_score(first, second, weights="quadratic" if weighted else None, labels=range(4))
        assert same(value, other)
        counts = np.zeros((4, 4))
        np.add.at(counts, (first.astype(int), second.astype(int)), 1)
        kind = "quadratic" if weighted else None
        assert same(value, inter_rater.cohens_kappa(counts, wt=kind, return_results=False))


def test_cohen_counts_items_as_often_as_they_weigh_and_leaves_gaps_out() -> None:
    first, second = np.array([0, 1, 1, 2, NAN, 0]), np.array([[0, 1, 2, 2, 1, NAN], [2, NAN, 1, 0, 0, 0]])
    weights = np.array([[1.0, 1, 1, 1, 1, 1], [2, 0, 3, 1, 4, 1]])
    found = cohen_kappa(first, second, 3, weights, weighted=True)
    assert found.shape == (2, 2)
    for row, times in enumerate(weights.astype(int)):
        for column, other in enumerate(second):
            drawn = np.repeat(np.stack([first, other]), times, axis=1)
            drawn = drawn[:, ~np.isnan(drawn).any(0)]
            expected = cohen_kappa_score(*drawn, weights="quadratic", labels=range(3))
            assert found[row, column] == pytest.approx(expected, abs=1e-9)


def test_the_mean_kappa_leaves_out_pairs_without_common_items() -> None:
    # the first and the last rater have one item in common, which is not enough
    ratings = np.array([[0, 1, 2, 1, NAN, NAN], [0, 2, 2, 1, 3, 0], [NAN, NAN, NAN, 2, 3, 1]])
    expected = np.mean(
        [
            cohen_kappa_score([0, 1, 2, 1], [0, 2, 2, 1], weights="quadratic", labels=range(4)),
            cohen_kappa_score([1, 3, 0], [2, 3, 1], weights="quadratic", labels=range(4)),
        ]
    )
    assert kappa_estimate(ratings, 4, Bootstrap(10, 0), weighted=True).value == pytest.approx(expected, abs=1e-9)


def test_fleiss_of_the_published_table() -> None:
    assert fleiss_kappa(FLEISS, ones(FLEISS.T))[0] == pytest.approx(0.20993070442195522, abs=1e-9)


def test_fleiss_uses_the_number_of_answers_that_covers_most() -> None:
    # nine answers to three items, eight to four others, one to the last
    ratings = np.array(
        [[0, 1, 0, 1, 1, 0, 0, NAN], [0, 1, 1, 1, 0, 1, 0, 1], [0, 1, 0, NAN, NAN, NAN, NAN, NAN]],
    )
    counts, _ = inter_rater.aggregate_raters(ratings[:, :3].T.astype(int))
    found = fleiss_estimate(ratings, 2, Bootstrap(10, 0))
    assert found.value == pytest.approx(inter_rater.fleiss_kappa(counts), abs=1e-9)
    assert found.n == 3


def test_icc_of_shrout_and_fleiss() -> None:
    assert icc(JUDGES, ones(JUDGES))[0] == pytest.approx(0.2897638, abs=5e-8)
    assert icc(JUDGES, ones(JUDGES))[0] == pytest.approx(float(icc_by_fractions(JUDGES)), abs=1e-9)


def icc_by_fractions(ratings: Floats) -> Fraction:
    """Return ICC(2,1) by the definition of its mean squares."""
    rows = [[Fraction(int(value)) for value in row] for row in ratings.T]
    n, k = len(rows), len(rows[0])
    mean = sum(map(sum, rows)) / (n * k)
    of_items = [sum(row) / k for row in rows]
    of_raters = [sum(row[judge] for row in rows) / n for judge in range(k)]
    by_item = k * sum((value - mean) ** 2 for value in of_items) / (n - 1)
    by_rater = n * sum((value - mean) ** 2 for value in of_raters) / (k - 1)
    rest = sum(
        (rows[item][judge] - of_items[item] - of_raters[judge] + mean) ** 2 for item in range(n) for judge in range(k)
    )
    error = rest / ((n - 1) * (k - 1))
    return Fraction((by_item - error) / (by_item + (k - 1) * error + k * (by_rater - error) / n))


def test_every_resample_is_the_coefficient_of_the_items_drawn() -> None:
    rng = np.random.default_rng(5)
    items = 14
    truth = rng.integers(0, 4, items)
    ratings = np.clip(truth + rng.integers(-1, 2, (3, items)), 0, 3).astype(float)
    watched = Watched(6, 1)
    draws = [ratings[:, watched.drawn(row, items)] for row in range(7)]

    for level in LEVELS:
        alpha_estimate(ratings, level, watched)
        assert watched.seen == pytest.approx([alpha_by_pairs(drawn, level) for drawn in draws], abs=1e-9)
    for weights in (None, "quadratic"):
        kappa_estimate(ratings, 4, watched, weighted=weights is not None)
        means = [
            np.mean([cohen_kappa_score(one, two, weights=weights, labels=range(4)) for one, two in combinations(d, 2)])
            for d in draws
        ]
        assert watched.seen == pytest.approx(means, abs=1e-9)
    fleiss_estimate(ratings, 4, watched)
    counts = [inter_rater.aggregate_raters(drawn.T.astype(int), 4)[0] for drawn in draws]
    assert watched.seen == pytest.approx([inter_rater.fleiss_kappa(count) for count in counts], abs=1e-9)
    icc_estimate(ratings, watched)
    assert watched.seen == pytest.approx([float(icc_by_fractions(drawn)) for drawn in draws], abs=1e-9)
    repeat_estimates(ratings[0], ratings[1], np.arange(items), 4, watched, weighted=True)
    kappas = [cohen_kappa_score(drawn[0], drawn[1], weights="quadratic", labels=range(4)) for drawn in draws]
    assert watched.seen == pytest.approx(kappas, abs=1e-9)


@given(tables(), st.sampled_from(LEVELS))
def test_intervals_hold_their_value_whatever_is_missing(ratings: Floats, level: Level) -> None:
    bootstrap = Bootstrap(40, 0)
    for found in (
        alpha_estimate(ratings, level, bootstrap),
        kappa_estimate(ratings, 4, bootstrap, weighted=level == "ordinal"),
        fleiss_estimate(ratings, 4, bootstrap),
        icc_estimate(ratings, bootstrap),
    ):
        assert math.isnan(found.low) == math.isnan(found.high)
        assert math.isnan(found.low) or found.low <= found.value <= found.high
        assert math.isnan(found.value) or found.value <= 1 + 1e-9


def test_equal_answers_have_no_agreement_beyond_chance() -> None:
    ratings = np.full((3, 6), 2.0)
    bootstrap = Bootstrap(20, 0)
    found = [
        alpha_estimate(ratings, "ordinal", bootstrap),
        kappa_estimate(ratings, 5, bootstrap, weighted=True),
        fleiss_estimate(ratings, 5, bootstrap),
        icc_estimate(ratings, bootstrap),
    ]
    assert all(math.isnan(estimate.value) and estimate.n == 6 for estimate in found)


def test_agreement_of_a_scale() -> None:
    rows = {"R1": [1, 2, 4, 5, 3], "R2": [1, 3, 4, 5, 2]}
    given = [answer(name, item, realism=value) for name, row in rows.items() for item, value in enumerate(row)]
    repeats = [(given[item], answer("R1", item, repeat=True, realism=value)) for item, value in enumerate([1, 2, 5])]
    found = agreement(SCALE_ASKED, given, repeats, Bootstrap(100, 0))
    ratings = np.array(list(rows.values()), float)
    assert (found.level, found.raters, found.title) == ("ordinal", 2, "Realistic?")
    assert found.alpha.value == pytest.approx(alpha(ratings, "ordinal"), abs=1e-9)
    assert found.kappa.value == pytest.approx(cohen_kappa_score(*rows.values(), weights="quadratic"), abs=1e-9)
    assert found.icc.value == pytest.approx(icc(ratings, ones(ratings))[0], abs=1e-9)
    assert math.isnan(found.fleiss.value)
    assert found.same.value == pytest.approx(2 / 3)
    assert found.same.n == 3
    expected = cohen_kappa_score([1, 2, 4], [1, 2, 5], weights="quadratic", labels=range(1, 6))
    assert found.again.value == pytest.approx(expected, abs=1e-9)


def test_agreement_of_a_choice() -> None:
    rows = {"R1": ["real", "real", "synthetic"], "R2": ["real", "synthetic", "synthetic"]}
    given = [answer(name, item, real=value) for name, row in rows.items() for item, value in enumerate(row)]
    found = agreement(REAL_ASKED, given, [], Bootstrap(100, 0))
    assert found.level == "nominal"
    assert found.kappa.value == pytest.approx(cohen_kappa_score(*rows.values()), abs=1e-9)
    assert found.fleiss.value == pytest.approx(1 / 3, abs=1e-9)
    assert math.isnan(found.icc.value)
    assert math.isnan(found.same.value)
    assert found.again.n == 0


def test_raters_agree_on_an_image_whatever_its_side() -> None:
    ours, theirs = image("ours"), image("theirs")
    given = []
    for item in range(6):
        better = item % 2
        sides = (ours, theirs) if item % 3 else (theirs, ours)
        given.append(answer("R1", item, *sides, prefer="AB"[better]))
        given.append(answer("R2", item, *sides[::-1], prefer="BA"[better]))
    found = agreement(PREFER_ASKED, given, [], Bootstrap(100, 0))
    assert (found.alpha.value, found.kappa.value) == pytest.approx((1.0, 1.0))


def test_one_rater_agrees_with_nobody() -> None:
    given = [answer("R1", item, realism=item % 5 + 1) for item in range(8)]
    found = agreement(SCALE_ASKED, given, [], Bootstrap(20, 0))
    assert found.raters == 1
    assert all(math.isnan(one.value) for one in (found.alpha, found.kappa, found.icc))
