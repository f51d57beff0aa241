"""What a study found is said in sentences that its numbers bear."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.measure.intervals import Estimate
from core.plurals import count
from tests.webapp.pages.study_results import UNKNOWN, estimate, results
from webapp.pages.study.sentences import percent, share_of, summary


def said(start: str, found: tuple[str, ...]) -> str:
    (line,) = [line for line in found if line.startswith(start)]
    return line


def test_the_first_sentences_tell_who_answered_and_what_they_told_apart() -> None:
    lines = summary(results())
    assert lines[0] == "1 rater gave 240 answers on 60 items; 1 of 2 raters finished."
    assert lines[1] == (
        "Raters told real from synthetic in 58 % of 240 answers (95 % interval 52 to 64 %); chance is 50 %, and this "
        "does not differ clearly from it (p 0.010). With items resampled the interval is 50 to 66 %, which holds "
        "chance."
    )


@pytest.mark.parametrize(
    ("p", "clustered", "clear"),
    [(0.01, estimate(0.65), True), (0.01, UNKNOWN, True), (0.01, estimate(0.55), False), (0.3, estimate(0.65), False)],
)
def test_a_difference_is_clear_only_where_both_ways_of_counting_say_so(
    p: float, clustered: Estimate, clear: bool
) -> None:
    found = results()
    first = replace(found.detections[0], p=p, clustered=clustered)
    line = said("Raters told", summary(replace(found, detections=(first,))))
    assert ("the difference is clear" in line) is clear
    assert ("does not differ clearly" in line) is not clear


def test_the_preferred_method_is_named_first() -> None:
    lines = summary(results())
    assert "Preference ranks the methods: 1. diffusion, 2. repaint, 3. biharmonic." in lines
    assert "diffusion was preferred to biharmonic in 90 % of 60 choices (95 % interval 85 to 95 %)." in lines
    assert not any("preferred to repaint" in line for line in lines)
    close = replace(results(), pairs=results().pairs[:1])
    assert "No pair of methods differs clearly in preference." in summary(close)


def test_the_measure_with_the_largest_correlation_is_named_whatever_its_sign() -> None:
    assert said("The measure", summary(results())).endswith("lpips for “Realism”, ρ −0.60 (−0.70 to −0.50).")


def test_nothing_is_said_about_what_was_not_asked() -> None:
    empty = replace(
        results(), answers=0, people=(), detections=(), fooling=(), pairs=(), strengths=(), scales=(), marks=(),
        agreements=(), correlations=(),
    )  # fmt: skip
    assert summary(empty) == ("No answer counts yet; 0 of 0 raters finished.",)


def test_numbers_in_words() -> None:
    assert (count(1, "rater"), count(2, "rater")) == ("1 rater", "2 raters")
    assert share_of(UNKNOWN) == percent(UNKNOWN.value) == "–"
    assert share_of(Estimate(0.5, float("nan"), float("nan"), 1), " of 1") == "50 % of 1"
