"""What is exported can be read back, says the same in every file, and runs nowhere."""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.measure.answers import COMMENT, MARK, PREFER, REAL, Answer, Collected, Image, Question, Rater
from tests.webapp.pages.study_results import results
from tests.webapp.study.simulated import QUESTIONS, collected
from webapp.study.export import archive, columns, dictionary, to_csv, to_json

SIGNS = tuple("=+-@\t\r")
# texts that a spreadsheet could run are as likely as any others
texts = st.one_of(st.text(), st.builds(lambda head, rest: head + rest, st.sampled_from([*SIGNS, "'", "'="]), st.text()))
numbers = st.floats(allow_nan=True, allow_infinity=True)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def said(cell: str) -> str:
    """Take off the apostrophe that keeps text from being run."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(SIGNS) else cell


def is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


@st.composite
def studies(draw: st.DrawFn) -> Collected:
    """Draw a study of one rater whose texts and numbers are arbitrary."""
    questions = (
        Question(REAL, "choice", draw(texts), options=((draw(texts), draw(texts)),)),
        Question("own", "scale", draw(texts), low=draw(texts), high=draw(texts)),
        Question(MARK, "mark", "Mark"),
        Question(COMMENT, "text", "Comment", help=draw(texts)),
    )
    one = st.builds(Image, texts, texts, st.just("synthetic"), st.dictionaries(texts, numbers, max_size=2))
    images = tuple(draw(st.lists(one, min_size=1, max_size=2)))
    values = {REAL: "real", "own": 3, MARK: draw(st.none() | numbers), COMMENT: draw(texts)}
    answer = Answer(
        rater=draw(texts), group=draw(texts), item=draw(st.integers(0)), use="item", repeat=draw(st.booleans()),
        position=1, images=images, values=values,
        expected={}, seconds=draw(numbers), changes=draw(st.integers(0)), revisions=0,
        slices={draw(texts): draw(st.integers(0))}, answered=draw(texts),
    )  # fmt: skip
    return Collected(draw(texts), draw(texts), questions, (Rater(answer.rater, answer.group, 1, 1),), (answer,))


@given(studies())
def test_the_table_gives_back_what_was_answered(study: Collected) -> None:
    (row,) = read(to_csv(study))
    (answer,) = study.answers
    for column in columns(study):
        value, cell = column.read(answer), row[column.name]
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            assert cell == ""
        elif isinstance(value, bool):
            assert cell == str(value).lower()
        elif isinstance(value, str):
            assert said(cell) == value
        else:
            assert type(value)(cell) == value


@given(studies())
def test_no_cell_is_a_formula(study: Collected) -> None:
    for text in (to_csv(study), dictionary(study)):
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert [cell for cell in cells if cell.startswith(SIGNS) and not is_number(cell)] == []


@given(studies())
def test_the_dictionary_has_a_row_for_every_column(study: Collected) -> None:
    head = next(csv.reader(io.StringIO(to_csv(study), newline="")))
    described = read(dictionary(study))
    assert [row["column"] for row in described] == head
    assert all(row["type"] and row["meaning"] for row in described)


@given(studies())
def test_json_is_strict_and_gives_back_what_was_answered(study: Collected) -> None:
    def refuse(constant: str) -> Any:
        raise AssertionError(constant)

    whole = json.loads(to_json(study, results()), parse_constant=refuse)
    (row,), (answer,) = whole["collected"]["answers"], study.answers
    assert row["values"][COMMENT] == answer.values[COMMENT]
    assert row["seconds"] == (answer.seconds if math.isfinite(answer.seconds) else None)
    assert [image["method"] for image in row["images"]] == [image.method for image in answer.images]
    assert whole["schema"] == "counterscan-study-1"


def test_a_number_below_zero_stays_a_number_and_text_does_not() -> None:
    study = collected(raters=1, items=4)
    image = Image("-5", "case 1", "synthetic", {"psnr": -1.5})
    changed = replace(study, answers=(replace(study.answers[0], images=(image,), values={COMMENT: "+5"}),))
    (row,) = read(to_csv(changed))
    assert (row["left_measure_psnr"], row["left_method"], row["answer_comment"]) == ("-1.5", "'-5", "'+5")


def test_lines_end_as_rfc_4180_wants_and_quotes_are_doubled() -> None:
    study = collected(raters=1, items=4)
    answer = replace(study.answers[0], values={COMMENT: 'a "seam",\nleft'})
    text = to_csv(replace(study, answers=(answer,)))
    assert text.endswith("\r\n")
    assert '"a ""seam"",\nleft"' in text


def test_right_and_wrong_are_told_where_they_are_known() -> None:
    study = collected()
    rows = read(to_csv(study))
    assert len(rows) == len(study.answers)
    for row, answer in zip(rows, study.answers, strict=True):
        single = len(answer.images) == 1
        assert row["right_truth"] == ("" if single else answer.images[1].truth)
        assert row["expected_real"] == (answer.images[0].truth if single else "")
        right = "" if not single else str(answer.values[REAL] == answer.images[0].truth).lower()
        assert row["correct_real"] == right
        assert row["correct_prefer"] == ""


def test_the_right_answer_of_a_catch_item_is_that_of_the_study() -> None:
    study = collected(raters=1, items=4)
    answer = replace(study.answers[0], use="catch", values={PREFER: "A"}, expected={PREFER: "B"})
    (row,) = read(to_csv(replace(study, answers=(answer,))))
    assert (row["answer_prefer"], row["expected_prefer"], row["correct_prefer"]) == ("A", "B", "false")


def test_the_dictionary_says_which_values_are_allowed() -> None:
    rows = {row["column"]: row for row in read(dictionary(collected()))}
    assert rows["answer_real"]["allowed"] == "real: Real | synthetic: Synthetic"
    assert rows["answer_anatomy"]["allowed"] == "1: impossible to 4: plausible"
    assert rows["seconds"]["unit"] == "s"
    assert "expected_comment" not in rows
    assert {f"answer_{question.name}" for question in QUESTIONS} <= rows.keys()


def test_a_study_without_answers_has_a_head_and_no_rows() -> None:
    empty = replace(collected(raters=1, items=4), answers=())
    assert read(to_csv(empty)) == []
    assert to_csv(empty).startswith("study,rater,group,item,")


def test_the_archive_holds_every_file_and_is_always_the_same() -> None:
    study = collected(raters=2, items=8)
    made = archive(study, results(), "<p>report é</p>")
    assert made == archive(study, results(), "<p>report é</p>")
    with zipfile.ZipFile(io.BytesIO(made)) as zipped:
        held = {name: zipped.read(name).decode() for name in zipped.namelist()}
    assert held == {
        "answers.csv": to_csv(study),
        "dictionary.csv": dictionary(study),
        "study.json": to_json(study, results()),
        "report.html": "<p>report é</p>",
    }
