from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webapp.door.rates import Rates


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
