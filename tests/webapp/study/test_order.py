from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from webapp.store.study_records import ItemRecord
from webapp.study.order import APART, FEWEST, arranged, draw, flipped, least_shown, slots

KEY = "0123"
ITEMS = [ItemRecord(100 + number, number, "item", (1, 2)) for number in range(1, 41)]


def test_a_draw_is_what_the_documentation_says() -> None:
    # python3 -c "import hmac; print(int(hmac.new(b'0123', b'order|r|7', 'sha256').hexdigest()[:16], 16))"
    assert draw(KEY, "order", "r", 7) == 16158125663658057458


def test_orders_differ_between_raters_and_come_again() -> None:
    first, second = (arranged(KEY, who, ITEMS, "rater") for who in ("a", "b"))
    assert first != second
    assert first == arranged(KEY, "a", list(reversed(ITEMS)), "rater")
    assert sorted(first, key=lambda item: item.number) == ITEMS
    assert arranged(KEY, "a", ITEMS, "study") == arranged(KEY, "b", ITEMS, "study") != ITEMS
    assert arranged("other", "a", ITEMS, "rater") != first
    assert arranged(KEY, "a", ITEMS, "none") == ITEMS


@given(st.integers(0, 200), st.floats(0, 0.5), st.text(max_size=5))
def test_every_item_comes_once_and_some_again_later(number: int, share: float, rater: str) -> None:
    row = slots(KEY, rater, number, share)
    assert [slot.first for slot in row if not slot.repeat] == list(range(number))
    again = [slot.first for slot in row if slot.repeat]
    assert len(set(again)) == len(again)
    assert len(again) <= round(share * number + 0.5)
    for place, slot in enumerate(row):
        if slot.repeat:
            before = next(i for i, one in enumerate(row) if one.first == slot.first)
            between = sum(not one.repeat for one in row[before + 1 : place])
            assert between >= max(1, min(APART, number // 3))


def test_a_tenth_is_a_tenth() -> None:
    assert sum(slot.repeat for slot in slots(KEY, "a", 100, 0.1)) == 10
    assert not any(slot.repeat for slot in slots(KEY, "a", FEWEST - 1, 0.5))


def test_half_of_the_pairs_are_turned_and_a_repeat_is_turned_again() -> None:
    turned = [flipped(KEY, "a", ITEMS, item, repeat=False) for item in ITEMS]
    assert Counter(turned) == {True: 20, False: 20}
    assert turned != [flipped(KEY, "b", ITEMS, item, repeat=False) for item in ITEMS]
    assert [flipped(KEY, "a", ITEMS, item, repeat=True) for item in ITEMS] == [not one for one in turned]


def test_a_single_item_is_turned_for_some_raters() -> None:
    seen = {flipped(KEY, str(rater), ITEMS[:1], ITEMS[0], repeat=False) for rater in range(20)}
    assert seen == {True, False}


def test_the_least_shown_comes_first() -> None:
    assert least_shown(ITEMS[:3], {101: 2, 102: 1, 103: 1}) == ITEMS[1]
    assert least_shown(ITEMS[:3], {101: 2, 102: 1}) == ITEMS[2]
