from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from core.failure.results_json import from_json, schema, to_json
from core.measure.intervals import Interval
from tests.core.failure.finished_run import results
from tests.core.failure.json_schema import faults

ROOT = Path(__file__).resolve().parents[3]
# written before the schema was made by pydantic, lists shortened
EARLIER = Path(__file__).with_name("irrgb-1.json")


def test_results_come_back_as_they_were() -> None:
    text = to_json(results())
    assert to_json(from_json(text)) == text
    assert from_json(text).models[0].accuracy.keys() == results().models[0].accuracy.keys()


def test_what_is_written_keeps_to_the_schema() -> None:
    assert faults(json.loads(to_json(results())), schema()) == []


def test_the_schema_that_is_shipped_is_the_programs() -> None:
    shipped = json.loads((ROOT / "assets" / "schema" / "irrgb-1.json").read_text())
    assert shipped == schema(), "write it anew: counterscan failure schema"


def test_what_could_not_be_measured_is_null_and_nan_again() -> None:
    unmeasured = replace(results().paired[0], p=math.inf, difference=Interval(math.nan))
    text = to_json(replace(results(), paired=(unmeasured,)))
    assert "NaN" not in text and "Infinity" not in text
    gap = json.loads(text)["paired"][0]
    assert gap["p"] is None and gap["difference"] == {"value": None, "low": None, "high": None}
    read = from_json(text).paired[0]
    assert math.isnan(read.p) and math.isnan(read.difference.value)


def test_numbers_have_five_digits() -> None:
    text = to_json(
        replace(results(), paired=(replace(results().paired[0], p=0.123456789, difference=Interval(1 / 3e6)),))
    )
    gap = json.loads(text)["paired"][0]
    assert (gap["p"], gap["difference"]["value"]) == (0.12346, 3.3333e-07)


def test_a_document_of_an_earlier_version_opens() -> None:
    text = EARLIER.read_text(encoding="utf-8")
    found = from_json(text)
    assert [model.name for model in found.models] == ["ir-instance"] and found.verdicts.keys() == {"rgb", "ir"}
    assert found.models[0].losses == (1.4051, 1.3731, 1.3261)
    drop = next(each for each in found.models[0].diagnostics if each.code == "D12").figures["drop external"]
    assert math.isfinite(drop.value) and math.isnan(drop.low)
    # what the earlier version did not know has the value that it had then
    expected = json.loads(text)
    expected["data"] |= {"technique": "infrared", "chance": None, "parts": [], "files": []}
    expected["models"][0] |= {"history": [], "confusion": {}}
    expected |= {"accuracies": {}, "contamination": []}
    assert json.loads(to_json(found)) == expected and faults(json.loads(text), schema()) == []


# a place in a document, and what stands there in its stead; None: nothing
Change = tuple[list[Any], Any]
WRONG: tuple[Change, ...] = (
    (["schema"], "irrgb/2"),
    (["models", 0, "seed"], "0"),
    (["models", 0, "seed"], 0.5),
    (["models", 0, "train_accuracy"], "0.5"),
    (["models", 0, "train_accuracy"], True),
    (["models", 0, "accuracy"], [1]),
    (["models", 0, "title"], None),
    (["models", 0, "surplus"], 1),
    (["data", "size"], [1, 2, 3]),
    (["verdicts"], {"ir": {"level": 1}}),
)


def changed(change: Change) -> str:
    found = json.loads(to_json(results()))
    (*way, last), value = change
    place = found
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return json.dumps(found)


@pytest.mark.parametrize("change", WRONG)
def test_a_changed_document_is_refused_and_by_the_schema_too(change: Change) -> None:
    text = changed(change)
    _refused(text)
    assert faults(json.loads(text), schema())


@pytest.mark.parametrize("text", ["[]", "{", "null", "[" * 5000])
def test_what_is_no_document_is_refused(text: str) -> None:
    _refused(text)


def _refused(text: str) -> None:
    with pytest.raises(UserError) as caught:
        from_json(text)
    assert caught.value.code == "bad_results"
