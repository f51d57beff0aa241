from __future__ import annotations

from pathlib import Path

from tests.webapp.study.sitting import sit, study_of
from webapp.pages.study import cards
from webapp.services import Services
from webapp.study.collection import collect

EVIL = "<img src=x onerror=alert(1)>${1}"


def test_what_raters_and_makers_write_is_inert(services: Services, tmp_path: Path) -> None:
    study = study_of(services, tmp_path / "images", title=EVIL, training=["case0"], catch=["case1"])
    studies = services.studies
    _, sitting = sit(services, study, EVIL, start=False)
    sitting.start(EVIL, 3)
    records = studies.raters(study)
    shown = cards.raters(records, collect(studies, study).raters)
    facts = cards.overview(study, studies.items(study))
    for html in (shown, facts, cards.exports(study), cards.report(study, 3)):
        assert "<img" not in html
        assert "${" not in html
    assert "24 items: 12 single images, 12 pairs; 6 for practice; 6 with an obvious answer" in facts
    assert "open for rating" in facts
    assert "in use" in shown
    assert cards.options(records) == [(f"R01 {EVIL}", 1)]


def test_states_of_a_link_and_of_a_study(services: Services, tmp_path: Path) -> None:
    study = study_of(services, tmp_path / "images")
    studies = services.studies
    assert "Nobody" in cards.raters((), ())
    sit(services, study, start=False)
    found = collect(studies, study).raters
    assert "not opened" in cards.raters(studies.raters(study), found)
    studies.revoke(study, 1)
    assert "ended" in cards.raters(studies.raters(study), found)
    assert "closed" in cards.overview(studies.close(study), studies.items(study))


def test_new_answers_are_counted() -> None:
    assert "3 answers." in cards.fresh(3, 3) and "1 answer." in cards.fresh(1, 1)
    assert "5 answers, 2 of them new." in cards.fresh(5, 3)
