from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.fakes import Days
from webapp.rates import ALL, DAY, Allowance, Rates, in_words


def test_each_key_is_counted_apart() -> None:
    rates = Rates(2, 100.0)
    assert [rates.take("a") for _ in range(2)] == [0.0, 0.0]
    assert 98 < rates.take("a") <= 100
    assert rates.take("b") == 0.0


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(1, 9))
def test_nobody_gets_more_and_nobody_gets_less(keys: list[str], amount: int) -> None:
    rates = Rates(amount, 3600.0)
    taken = [key for key in keys if rates.take(key) == 0.0]
    assert {key: taken.count(key) for key in "abc"} == {key: min(amount, keys.count(key)) for key in "abc"}


def test_an_allowance_is_of_each_and_of_all() -> None:
    allowance = Allowance(5, 8, Days())
    assert allowance.take("a", 3) == allowance.take("a", 2) == 0.0
    assert 86300 < allowance.take("a") <= 86400
    # nothing was counted of what was refused
    assert allowance.wait("b", 3) == allowance.take("b", 3) == 0.0
    assert allowance.wait("c") > 0


def test_looking_takes_nothing() -> None:
    allowance = Allowance(1, 9, Days())
    assert [allowance.wait("a") for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_day_is_a_day_also_over_a_restart() -> None:
    days, now = Days(), [1000.0]
    first = Allowance(5, 8, days, lambda: now[0])
    assert first.take("a", 4) == 0.0
    first.keep()
    assert days.rows == {"a": (1000.0, 4), ALL: (1000.0, 4)}
    first.keep()
    assert days.rows["a"] == (1000.0, 4)
    now[0] += DAY - 10
    second = Allowance(5, 8, days, lambda: now[0])
    assert second.wait("a", 2) == 10.0 and second.wait("b", 5) == 10.0 and second.take("a") == 0.0
    now[0] += 10
    assert second.take("a", 5) == 0.0
    second.forget()
    assert second.wait("a") == DAY


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 minute"), (61, "2 minutes"), (3600, "1 hour"), (3601, "2 hours"), (86400, "24 hours")],
)
def test_a_wait_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
