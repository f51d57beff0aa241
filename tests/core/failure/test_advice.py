"""What to do next: the remedy that won, at what price, and what the data lack."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.failure.advice import advise, winner
from core.failure.results import Model, Results, Verdict
from core.measure.intervals import Interval
from tests.webapp.pages.lab_results import leak, model, results


def recipe(remedy: str, home: float, conflict: float, level: str = "none") -> Model:
    made = model(f"ir-{remedy}", f"IR: {remedy}", "ir")
    accuracy = {"id": Interval(home), "conflict": Interval(conflict)}
    return replace(made, remedy=remedy, accuracy=accuracy, verdict=Verdict(level, "", (), ()))


def run(*models: Model, source: str = "simulated") -> Results:
    found = results()
    verdicts = {"ir": models[0].verdict} if models[0].verdict else {}
    return replace(found, models=models, verdicts=verdicts, data=replace(found.data, source=source))


def test_the_remedy_that_closes_the_gap_wins_at_its_price() -> None:
    found = run(recipe("erm", 0.97, 0.5, "red"), recipe("instance", 0.99, 0.8), recipe("full", 0.94, 0.95, "amber"))
    best = winner(found, "ir")
    assert best is not None and best.name == "ir-full"
    first, second, *_ = advise(found)
    assert "IR: full won: 45 points better than IR: erm" in first and "(0.50 to 0.95)" in first
    assert "costs 3 points at home (0.97 to 0.94), and trains 2 times as long" in first
    assert "IR: full is amber itself" in second


def test_a_remedy_that_does_not_help_is_not_recommended() -> None:
    sentences = advise(run(recipe("erm", 0.97, 0.5, "red"), recipe("whiten", 0.95, 0.51)))
    assert "no recipe that was tried is 2 points better" in sentences[0]
    assert not any(" won" in each for each in sentences)


def test_without_a_set_away_from_home_the_worst_change_counts() -> None:
    plain, other = (
        replace(recipe(name, 0.9, 0.0), accuracy={"id": Interval(0.9)}, diagnostics=()) for name in ("erm", "snv")
    )
    shift = replace(model("a", "A", "ir").diagnostics[0], name="shift")
    tried = run(
        replace(plain, diagnostics=(replace(shift, figure=Interval(0.3)),)),
        replace(other, diagnostics=(replace(shift, figure=Interval(0.1)),)),
    )
    assert "20 points better than IR: erm on the worst physical change" in advise(tried)[0]


@pytest.mark.parametrize(("groups", "words"), [(0, "Name the patient"), (4, "Bring more patients")])
def test_data_without_enough_patients_are_named(groups: int, words: str) -> None:
    found = run(recipe("erm", 0.9, 0.9), source="file")
    sentences = advise(replace(found, data=replace(found.data, groups=groups), leakage=(leak(),)))
    assert any(each.startswith(words) for each in sentences)
    assert any("up to 30 points that a new patient" in each for each in sentences)


def test_a_model_that_has_learnt_nothing_gets_one_advice() -> None:
    sentences = advise(run(recipe("erm", 0.3, 0.3, "unlearnt"), recipe("full", 0.3, 0.9)))
    assert len(sentences) == 1 and "nothing was learnt" in sentences[0]


def test_nothing_found_is_no_end() -> None:
    healthy = replace(recipe("erm", 0.9, 0.9), diagnostics=())
    assert "slides of another laboratory" in advise(run(healthy))[0]
