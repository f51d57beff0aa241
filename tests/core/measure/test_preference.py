"""Which methods are preferred."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special

from core.measure.bootstrap import Bootstrap, Floats
from core.measure.preference import PRIOR, bradley_terry, choices, pairs, parted, strengths
from tests.core.measure.rows import answer, image

OURS, THEIRS, SCAN = image("ours"), image("theirs"), image("scanner", truth="real")
WINS = st.integers(2, 5).flatmap(
    lambda methods: st.lists(
        st.lists(st.integers(0, 300), min_size=methods, max_size=methods), min_size=methods, max_size=methods
    ).map(lambda rows: np.array(rows, float))
)


def test_two_methods_stand_apart_by_the_log_odds() -> None:
    found = bradley_terry(np.array([[[0.0, 30.0], [10.0, 0.0]]]))[0]
    assert found[0] - found[1] == pytest.approx(math.log(3), abs=1e-9)
    assert found.sum() == pytest.approx(0, abs=1e-12)


def test_the_fit_is_where_an_optimiser_finds_it() -> None:
    wins = np.array([[0, 12, 9, 20], [7, 0, 14, 3], [5, 6, 0, 11], [1, 8, 4, 0]], float)

    def loss(logs: Floats) -> float:
        return float(-(wins * special.log_expit(logs[:, None] - logs[None])).sum() + logs.mean() ** 2)

    expected = optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-8}).x
    assert bradley_terry(wins[None])[0] == pytest.approx(expected, abs=1e-5)


@given(WINS)
def test_every_method_wins_as_often_as_its_strength_foretells(wins: Floats) -> None:
    wins = wins + PRIOR
    np.fill_diagonal(wins, 0)
    logs = bradley_terry(wins[None])[0]
    foretold = ((wins + wins.T) * special.expit(logs[:, None] - logs[None])).sum(1)
    assert foretold == pytest.approx(wins.sum(1), abs=1e-6)


@given(WINS, st.integers(0, 99))
def test_the_order_of_methods_does_not_matter(wins: Floats, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(wins))
    one, two = (bradley_terry(part[None] + PRIOR)[0] for part in (wins, wins[np.ix_(order, order)]))
    assert two == pytest.approx(one[order], abs=1e-6)


def test_a_simulated_order_comes_back() -> None:
    rng = np.random.default_rng(0)
    true = {"a": -1.5, "b": 0.9, "c": -0.4, "d": 1.8, "e": -0.8}
    given = []
    for item in range(600):
        first, second = rng.choice(list(true), 2, replace=False)
        won = rng.random() < special.expit(true[first] - true[second])
        given.append((item, str(first if won else second), str(second if won else first)))
    found = strengths(given, Bootstrap(200, 0))
    assert [one.method for one in found] == ["d", "b", "c", "e", "a"]
    assert [one.rank for one in found] == [1, 2, 3, 4, 5]
    assert all(one.strength.low <= true[one.method] <= one.strength.high for one in found)
    assert sum(one.wins for one in found) == 600
    assert sum(one.n for one in found) == 1200


def test_one_that_always_wins_has_a_finite_strength() -> None:
    found = strengths([(item, "ours", "theirs") for item in range(20)], Bootstrap(100, 0))
    gap = math.log((20 + PRIOR) / PRIOR)
    assert [one.strength.value for one in found] == pytest.approx([gap / 2, -gap / 2])
    assert [(one.method, one.wins, one.n) for one in found] == [("ours", 20, 20), ("theirs", 0, 20)]


def test_equal_methods_share_a_rank() -> None:
    found = strengths([(1, "a", "b"), (2, "b", "a"), (3, "a", "c"), (4, "b", "c")], Bootstrap(20, 0))
    assert [(one.method, one.rank) for one in found] == [("a", 1), ("b", 1), ("c", 3)]


def test_choices_leave_out_what_is_between_one_method() -> None:
    rows = [
        answer("R1", 1, OURS, THEIRS, prefer="A"),
        answer("R2", 1, THEIRS, OURS, prefer="A"),
        answer("R1", 2, OURS, image("ours", "c2"), prefer="A"),
        answer("R1", 3, OURS, prefer="A"),
        answer("R1", 4, OURS, SCAN),
    ]
    assert choices(rows) == [(1, "ours", "theirs"), (1, "theirs", "ours")]


def test_a_pair_counts_for_its_first_name() -> None:
    given = [(1, "theirs", "ours"), (2, "ours", "theirs"), (3, "theirs", "ours"), (4, "scanner", "ours")]
    found = pairs(given)
    assert [(one.method, one.other, one.wins, one.n) for one in found] == [
        ("ours", "scanner", 0, 1),
        ("ours", "theirs", 1, 3),
    ]
    assert found[1].share.value == pytest.approx(1 / 3)
    assert [one.p for one in found] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("given", "apart"),
    [
        ([], False),
        ([(1, "a", "b")], False),
        ([(1, "a", "b"), (2, "c", "d")], True),
        ([(1, "a", "b"), (2, "c", "d"), (3, "d", "a")], False),
    ],
)
def test_methods_that_were_never_compared(given: list[tuple[int, str, str]], apart: bool) -> None:
    assert parted(given) is apart


def test_nothing_preferred() -> None:
    assert strengths([], Bootstrap(10, 0)) == ()
    assert pairs([]) == ()
