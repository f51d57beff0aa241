from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from webapp.door.page_states import PageStates


def states(capacity: int) -> PageStates:
    """Return a holder in which a page is its owner's by its first letter."""
    made = PageStates(lambda page: page[:1])
    made.capacity = capacity
    made.blocks = SimpleNamespace(default_config=SimpleNamespace(blocks={}), blocks={})  # type: ignore[assignment]
    return made


def test_who_opens_pages_without_end_costs_nobody_else_a_page() -> None:
    held = states(50)
    for page in ("a1", "a2", "b1"):
        assert held[page] is not None
    first = held["a1"]
    for number in range(1000):
        assert held[f"x{number}"] is not None
    assert len(held.session_data) == 50 and len(held.time_last_used) == 50
    assert held["a1"] is first and {"a2", "b1"} <= held.session_data.keys()
    # of the greedy one's the newest are left
    assert "x999" in held.session_data and "x0" not in held.session_data


@given(st.lists(st.tuples(st.sampled_from("abcx"), st.integers(0, 9)), max_size=60), st.integers(1, 12))
def test_a_fair_share_is_never_taken_away(uses: list[tuple[str, int]], capacity: int) -> None:
    held = states(capacity)
    for owner, number in uses:
        page = f"{owner}{number}"
        pages = {*held.session_data, page}
        assert held[page] is not None
        assert page in held.session_data and len(held.session_data) <= capacity
        counts = Counter(name[0] for name in pages)
        assert all(counts[lost[0]] == max(counts.values()) for lost in pages - held.session_data.keys())
