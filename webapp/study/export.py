"""Export of a study: the table of answers with its data dictionary, JSON, and one archive of all."""

from __future__ import annotations

import csv
import io
import json
import math
import platform
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from importlib.metadata import version
from typing import Any

from core import __version__
from core.measure.answers import MARK, PREFER, REAL, Answer, Collected, Question
from core.measure.findings import Results
from webapp.study.rating import AXES

SCHEMA = "counterscan-study-1"
# the packages whose version may change a statistic
PACKAGES = ("numpy", "scipy")
SIDES = ("left", "right")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
# one date for all members, so that archives of the same study are the same bytes
_MOMENT = (1980, 1, 1, 0, 0, 0)

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Column:
    """One column of the table of answers. allowed: the values it may have; read: returns its cell of an answer."""

    name: str
    type: str
    unit: str
    allowed: str
    meaning: str
    read: Callable[[Answer], Cell]


def to_csv(collected: Collected) -> str:
    """Return one row for each answer as RFC 4180 text without cells that a spreadsheet evaluates.

    Text that begins with = + - @, a tab or a carriage return, or with such a sign after apostrophes, gets an apostrophe
    in front. Cells are empty where nothing was asked, answered or known.
    """
    found = columns(collected)
    rows = ([column.read(answer) for column in found] for answer in collected.answers)
    return _written([column.name for column in found], rows)


def dictionary(collected: Collected) -> str:
    """Return the data dictionary of ``to_csv`` as CSV: column, type, unit, allowed values, meaning."""
    rows = ([one.name, one.type, one.unit, one.allowed, one.meaning] for one in columns(collected))
    return _written(["column", "type", "unit", "allowed", "meaning"], rows)


def to_json(collected: Collected, results: Results) -> str:
    """Return all answers and statistics as strict JSON; numbers that are not finite are null."""
    versions = {
        "counterscan": __version__,
        "python": platform.python_version(),
        **{one: version(one) for one in PACKAGES},
    }
    whole = {"schema": SCHEMA, "versions": versions, "collected": _plain(collected), "results": _plain(results)}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def archive(collected: Collected, results: Results, report: str) -> bytes:
    """Return a zip file with the answers, their dictionary, the JSON and ``report``, the text of an HTML page."""
    files = {
        "answers.csv": to_csv(collected),
        "dictionary.csv": dictionary(collected),
        "study.json": to_json(collected, results),
        "report.html": report,
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(zipfile.ZipInfo(name, _MOMENT), text.encode(), zipfile.ZIP_DEFLATED)
    return held.getvalue()


def columns(collected: Collected) -> tuple[Column, ...]:
    """Return the columns of the table of answers, those of its questions, measures and slice axes included."""
    measures = sorted({name for answer in collected.answers for image in answer.images for name in image.measures})
    axes = dict.fromkeys((*AXES, *sorted({axis for answer in collected.answers for axis in answer.slices})))
    return (
        *_showing(collected),
        *(column for index, side in enumerate(SIDES) for column in _image(index, side, measures)),
        *(column for question in collected.questions for column in _question(question)),
        Column("seconds", "number", "s", "0 or more", "Time the images were looked at, changes of the answer included.",
               lambda answer: answer.seconds),
        Column("changes", "integer", "", "0 or more", "How often an answer was changed before it was saved.",
               lambda answer: answer.changes),
        Column("revisions", "integer", "", "0 or more", "How often a saved answer was replaced; this is the newest.",
               lambda answer: answer.revisions),
        *(_slices(axis) for axis in axes),
        Column("answered", "time", "UTC", "ISO 8601", "When the answer was saved.", lambda answer: answer.answered),
    )  # fmt: skip


def _showing(collected: Collected) -> tuple[Column, ...]:
    raters = f"{len(collected.raters)} names"
    groups = " | ".join(dict.fromkeys(rater.group for rater in collected.raters))
    return (
        Column("study", "text", "", collected.study, "The id of the study.", lambda _: collected.study),
        Column("rater", "text", "", raters, "The anonymous name of the rater.", lambda answer: answer.rater),
        Column("group", "text", "", groups, "The rater's group.", lambda answer: answer.group),
        Column("item", "integer", "", "", "The item's number in the study.", lambda answer: answer.item),
        Column("use", "text", "", "item | training | catch",
               "What the item was for: training items teach, catch items test attention; neither is in the statistics.",
               lambda answer: answer.use),
        Column("repeat", "boolean", "", "true | false", "Whether this rater saw the item a second time.",
               lambda answer: answer.repeat),
        Column("position", "integer", "", "1 or more", "The place of this showing in the rater's own order.",
               lambda answer: answer.position),
    )  # fmt: skip


def _image(index: int, side: str, measures: Sequence[str]) -> list[Column]:
    which = "the left image, or of the only one" if side == "left" else "the right image"

    def of(part: str) -> Callable[[Answer], Cell]:
        return lambda answer: getattr(answer.images[index], part) if index < len(answer.images) else None

    def measured(name: str) -> Callable[[Answer], Cell]:
        return lambda answer: answer.images[index].measures.get(name) if index < len(answer.images) else None

    return [
        Column(f"{side}_method", "text", "", "", f"The method of {which}.", of("method")),
        Column(f"{side}_case", "text", "", "", f"The case of {which}.", of("case")),
        Column(f"{side}_truth", "text", "", "real | synthetic", f"The truth of {which}.", of("truth")),
        *(
            Column(f"{side}_measure_{name}", "number", "", "", f"The measure {name} of {which}.", measured(name))
            for name in measures
        ),
    ]


def _question(question: Question) -> list[Column]:
    kind, allowed = _kind(question)
    meaning = f"The answer to: {question.title} {question.help}".rstrip()
    if question.name == PREFER:
        meaning += " A is the image on the left, B the one on the right."
    if question.name == MARK:
        meaning += " The share of what was marked that lies in made tissue."
    answered = Column(f"answer_{question.name}", kind, "", allowed, meaning, lambda one: one.values.get(question.name))
    if question.kind not in ("choice", "scale"):
        return [answered]
    known = "Known for training and catch items" + (", and for single images." if question.name == REAL else ".")
    return [
        answered,
        Column(f"expected_{question.name}", kind, "", allowed, f"The right answer to {question.name}. {known}",
               lambda one: _expected(one, question.name)),
        Column(f"correct_{question.name}", "boolean", "", "true | false", f"Whether answer_{question.name} was right.",
               lambda one: _correct(one, question.name)),
    ]  # fmt: skip


def _kind(question: Question) -> tuple[str, str]:
    """Return the type of a question's answers and the values they may have."""
    if question.kind == "choice":
        return "text", " | ".join(f"{value}: {title}" for value, title in question.options)
    if question.kind == "scale":
        ends = ((1, question.low), (question.levels, question.high))
        return "integer", " to ".join(f"{level}: {word}" if word else str(level) for level, word in ends)
    return ("number", "0 to 1") if question.kind == "mark" else ("text", "any")


def _slices(axis: str) -> Column:
    meaning = f"How many different {axis} slices were looked at."
    return Column(f"slices_{axis}", "integer", "slices", "0 or more", meaning, lambda answer: answer.slices.get(axis))


def _expected(answer: Answer, name: str) -> str | int | None:
    if name == REAL and len(answer.images) == 1:
        return answer.expected.get(name, answer.images[0].truth)
    return answer.expected.get(name)


def _correct(answer: Answer, name: str) -> bool | None:
    given, right = answer.values.get(name), _expected(answer, name)
    return None if given is None or right is None else given == right


def _written(head: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> str:
    held = io.StringIO(newline="")
    writer = csv.writer(held, lineterminator="\r\n")
    writer.writerow([_cell(one) for one in head])
    writer.writerows([_cell(one) for one in row] for row in rows)
    return held.getvalue()


def _cell(value: Cell) -> str:
    """Return a cell's text; text that a spreadsheet would evaluate gets an apostrophe in front."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return f"'{value}" if _FORMULA.match(value) else value


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
