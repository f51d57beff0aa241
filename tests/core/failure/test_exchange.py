from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from core.failure.exchange import from_json, plain, schema, to_json
from core.measure.intervals import Interval
from tests.core.failure.finished import results
from tests.core.failure.schemas import faults

ROOT = Path(__file__).resolve().parents[3]


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
    assert plain(Interval(math.nan)) == {"value": None, "low": None, "high": None}
    text = to_json(results())
    assert "NaN" not in text and "Infinity" not in text


def change(path: list[Any], value: Any) -> str:
    found = json.loads(to_json(results()))
    place = found
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(found)


WRONG = [
    change(["schema"], "irrgb/2"),
    change(["models", 0, "seed"], "0"),
    change(["models", 0, "accuracy"], [1]),
    change(["models", 0, "title"], None),
    change(["models", 0, "surplus"], 1),
    change(["data", "size"], [1, 2, 3]),
    change(["verdicts"], {"ir": {"level": 1}}),
    "[]",
    "{",
    "null",
    "[" * 5000,
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_result_is_refused(text: str) -> None:
    with pytest.raises(UserError) as caught:
        from_json(text)
    assert caught.value.code == "bad_results"


@pytest.mark.parametrize("text", WRONG[:-4])
def test_the_schema_refuses_it_too(text: str) -> None:
    assert faults(json.loads(text), schema())
