"""What the results say about their own gaps."""

from __future__ import annotations

import pytest

from core.measure.analysis import analyse
from core.measure.answers import Answer, Question
from tests.core.measure.rows import (
    MARK_ASKED,
    PREFER_ASKED,
    REAL_ASKED,
    SCALE_ASKED,
    answer,
    image,
    study,
)

A, B, C, D = (image(name, psnr=20.0 + index) for index, name in enumerate("abcd"))


def notes(*answers: Answer, questions: tuple[Question, ...]) -> str:
    return "\n".join(analyse(study(*answers, questions=questions), resamples=20).notes)


def test_an_empty_study_has_one_note() -> None:
    assert notes(questions=(SCALE_ASKED,)) == "No item has been answered yet."
    assert notes(answer("R1", 1, use="catch"), questions=(SCALE_ASKED,)) == "No item has been answered yet."


def test_a_whole_study_has_none() -> None:
    rows = [
        answer(rater, item, image("a", psnr=float(item**2)), realism=(item + shift) % 5 + 1, repeat=repeat)
        for rater, shift in (("R1", 0), ("R2", 1))
        for item in range(6)
        for repeat in (False, True)
    ]
    assert notes(*rows, questions=(SCALE_ASKED,)) == ""


@pytest.mark.parametrize(
    ("rows", "question", "words"),
    [
        ([answer("R1", 1, realism=3)], SCALE_ASKED, "Only one rater has answered"),
        ([answer("R1", 1, realism=3)], SCALE_ASKED, "Only one item has been answered"),
        ([answer("R1", 1, realism=3)], SCALE_ASKED, "No repeat has been answered"),
        ([answer("R1", 1, realism=3)], SCALE_ASKED, "No measures are known of the images"),
        ([answer("R1", 1)], SCALE_ASKED, "Nobody has answered “Realistic?”"),
        ([answer("R1", 1, realism=3), answer("R2", 1)], SCALE_ASKED, "only one rater has answered it"),
        ([answer("R1", 1, realism=3), answer("R2", 2, realism=3)], SCALE_ASKED, "no item was answered by two raters"),
        ([answer(f"R{r}", i, realism=3) for r in (1, 2) for i in (1, 2)], SCALE_ASKED, "all answers are the same"),
        (
            [answer(f"R{r}", r + i, realism=r + i + 1) for r in range(3) for i in (0, 1)],
            SCALE_ASKED,
            "no two raters gave different answers to two items in common",
        ),
        (
            [answer(f"R{r}", i, realism=1 + i) for r in (1, 2, 3) for i in range(1 + r)],
            SCALE_ASKED,
            "ICC(2,1) uses only items that all raters answered: 2 of 3",
        ),
        (
            [answer(f"R{r}", i, real=("real", "synthetic")[i % 2]) for r in (1, 2, 3) for i in range(1 + r)],
            REAL_ASKED,
            "Fleiss' kappa uses only items with equally many answers: 2 of 3",
        ),
        (
            [answer("R1", 1, realism=3), answer("R1", 1, realism=3, repeat=True)],
            SCALE_ASKED,
            "all repeats got one and the same answer",
        ),
        ([answer("R1", 1, A, B, real="real")], REAL_ASKED, "1 answer about two images at once counted for neither"),
        ([answer("R1", 1, A, real="real")], REAL_ASKED, "Only synthetic images were judged"),
        ([answer(f"R{r}", 1, A, real="real") for r in (1, 2)], REAL_ASKED, "take all answers as independent"),
        ([answer("R1", 1, A, B, realism=3)], SCALE_ASKED, "1 answer about two images at once counted under no"),
        ([answer("R1", 1, A, A, prefer="A")], PREFER_ASKED, "1 preference not between two methods counted"),
        (
            [answer("R1", 1, A, B, prefer="A"), answer("R1", 2, C, D, prefer="A")],
            PREFER_ASKED,
            "never compared with each other",
        ),
        ([answer("R1", 1, A, B, prefer="A")], PREFER_ASKED, "one method was always preferred"),
        ([answer("R1", 1, mark=None)], MARK_ASKED, "1 answer counted for no method"),
        ([answer("R1", 1, A, realism=3)], SCALE_ASKED, "“Realistic?” against psnr: 1 item, too few"),
        ([answer("R1", i, A, realism=i) for i in (1, 2, 3)], SCALE_ASKED, "one of the two is the same for all items"),
    ],
)
def test_a_gap_is_told(rows: list[Answer], question: Question, words: str) -> None:
    assert words in notes(*rows, questions=(question,))
