from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webapp.pages.kit.row_buttons import day_of, keep_days
from webapp.pages.kit.templates import piece
from webapp.pages.kit.text import age_of
from webapp.settings import Settings


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (None, ""),
        (timedelta(hours=24), "24 hours"),
        (timedelta(hours=1.5), "1.5 hours"),
        (timedelta(seconds=60), "1 minute"),
    ],
)
def test_an_age_in_words(age: timedelta | None, words: str) -> None:
    assert age_of(age) == words


def test_a_day_is_that_of_utc() -> None:
    assert (day_of(None), day_of(datetime(2026, 12, 3, 23, 59, tzinfo=UTC))) == ("", "2026-12-03")


@pytest.mark.parametrize(("demo", "days"), [(False, 0), (True, 7)])
def test_what_is_not_deleted_by_age_need_not_be_kept(demo: bool, days: int) -> None:
    assert keep_days(Settings(public_demo=demo)) == days
    scan = {"id": "x", "name": "t1", "about": "", "picture": "", "ago": "", "masked": False, "links": (), "kept": ""}
    shown = str(piece("scans", "table", scans=[scan], days=days))
    assert ('cs-keep" data-item="x"' in shown) is demo and 'cs-delete" data-item="x"' in shown
    kept = str(piece("scans", "table", scans=[{**scan, "kept": "2026-12-03"}], days=days))
    assert "Kept until 2026-12-03" in kept and "cs-keep" not in kept


def test_the_list_of_runs_names_the_age() -> None:
    assert "Deleted 24 hours after" in str(piece("sessions", "heading", age="24 hours"))
    assert "Deleted" not in str(piece("sessions", "heading", age=""))
