"""What a job gives: names of files made in one place, and JSON that comes back the same."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.result import (
    Artifact,
    Finding,
    Note,
    Result,
    Row,
    Verdict,
    artifact_in,
    kind_and_method,
    number,
    verdict_level,
)
from core.result_json import from_json, to_json
from core.tasks import TASKS
from tests.source import ROOT, Module, modules, parse

RESULT = Result(
    (Artifact("result", "/out/result.nii.gz"), Artifact("baseline", "/out/baseline-a-b.nii.gz", "a-b")),
    (
        Row("volume", "Ours", {"calls": 4, "psnr": 31.25, "consistency": (1.0, None, 0.5), "mean": None}),
        Row("a-b", "A"),
    ),
    (Note("warning", "Odd"), Note("info", "Taken as it is"), Note("warning", "Odder.")),
    (Finding("mask_ml", "Mask", 2.5, "ml"), Finding("sources", "Sources", ("t1", "t2")), Finding("n", "N", (3, 0.5))),
    (Verdict("ir", "IR", "red", "It leans.", ("because",), ("instruments",)),),
    ("inpaint-volume",),
    12.5,
)
# what version 1 of the program stored of a run of each kind
OLD_IMAGING = {
    "facts": {
        "head": "Taken as a whole head",
        "mask_ml": 27.9,
        "sources": ["t1", "t2"],
        "target": "flair",
        "alignment": ["T2 lies on T1.", "FLAIR was moved."],
        "uncertainty": "There is none.",
        "notices": ["The mask touches the border."],
    },
    "table": [
        {"method": "volume", "title": "Ours", "seconds": 1.5, "calls": 4, "psnr": None, "consistency": [1, None, 0.5]},
        {"method": "old"},
    ],
    "weights": ["inpaint-volume"],
    "seconds": 2.5,
}
OLD_LAB = {
    "facts": {
        "mode": "patches",
        "tissue": "Breast.",
        "classes": ["a", "b"],
        "counts": {"train": 300},
        "verdicts": {"ir": {"level": "red", "text": "It leans.", "reasons": ["because"], "not_tested": ["much"]}},
        "notices": [],
    },
    "table": [{"method": "ir-erm", "title": "Plain", "id": 0.9, "seeds": 1, "verdict": "red", "seconds": 3.0}],
    "weights": [],
    "lines": ["IR: RED. It leans."],
    "seconds": 4.0,
}


def test_a_result_survives_json() -> None:
    again = from_json(json.loads(json.dumps(to_json(RESULT), allow_nan=False)))
    assert again == RESULT
    assert isinstance(again.table[0].values["calls"], int)


def test_a_result_answers_by_name() -> None:
    assert RESULT.files == {"result": "/out/result.nii.gz", "baseline-a-b": "/out/baseline-a-b.nii.gz"}
    assert RESULT.texts("warning") == ("Odd", "Odder.")
    assert (RESULT.finding("mask_ml"), RESULT.finding("none")) == (2.5, None)
    row = RESULT.row("volume")
    assert row is not None and RESULT.row("none") is None
    assert (row.number("psnr"), row.number("consistency"), row.number("gone")) == (31.25, None, None)
    assert [name for name in row.values if not row.measured(name)] == ["mean"]
    assert not Row("m", "M", {"consistency": (None, None)}).measured("consistency")


def test_a_run_of_an_imaging_task_of_version_1_opens() -> None:
    found = from_json(OLD_IMAGING)
    assert found.texts("warning") == ("The mask touches the border.",)
    assert found.texts("info") == (
        "Taken as a whole head", "T2 lies on T1.", "FLAIR was moved.", "There is none.",
    )  # fmt: skip
    assert found.findings == (
        Finding("mask_ml", "Mask", 27.9, "ml"),
        Finding("sources", "Sources", ("t1", "t2")),
        Finding("target", "Target", "flair"),
    )
    values = {"seconds": 1.5, "calls": 4, "psnr": None, "consistency": (1.0, None, 0.5)}
    assert found.table == (Row("volume", "Ours", values), Row("old", "old"))
    assert (found.weights, found.seconds, found.verdicts, found.artifacts) == (("inpaint-volume",), 2.5, (), ())
    assert from_json(to_json(found)) == found


def test_a_run_of_the_failure_lab_of_version_1_opens() -> None:
    found = from_json(OLD_LAB)
    assert found.verdicts == (Verdict("ir", "IR", "red", "It leans.", ("because",), ("much",)),)
    assert [finding.name for finding in found.findings] == ["mode", "tissue", "classes"]
    assert found.notes == ()
    assert found.table == (Row("ir-erm", "Plain", {"id": 0.9, "seeds": 1, "seconds": 3.0}),)


def test_a_job_without_a_result_has_an_empty_one() -> None:
    assert from_json({}) == Result()


@pytest.mark.parametrize(
    "content", [{"version": 3}, {"version": 2, "table": 1}, {"version": 2, "notes": [{"level": "x"}]}]
)
def test_what_is_no_result_is_a_value_error(content: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        from_json(content)


def test_a_verdict_that_is_none_is_a_value_error() -> None:
    assert verdict_level("amber") == "amber"
    with pytest.raises(ValueError):
        verdict_level("green")


@pytest.mark.parametrize(
    ("kind", "method", "name"),
    [("result", "", "result"), ("baseline", "cubic", "baseline-cubic"), ("baseline", "a-b", "baseline-a-b")],
)
def test_the_name_of_a_file_is_made_of_kind_and_method_and_taken_apart_again(kind: str, method: str, name: str) -> None:
    artifact = artifact_in(Path("/out"), kind, ".nii.gz", method)
    assert (artifact.name, artifact.path) == (name, f"/out/{name}.nii.gz")
    assert kind_and_method(name) == (kind, method)


def test_no_kind_that_a_task_declares_has_a_hyphen() -> None:
    assert not [output.name for task in TASKS for output in task.outputs if "-" in output.name]


def literals(module: Module) -> Iterator[str]:
    """Yield the text of each string of a module that is no docstring."""
    texts = [node for node in module.nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    alone = {id(node.value) for node in module.nodes if isinstance(node, ast.Expr)}
    yield from (str(node.value) for node in texts if id(node) not in alone)


def test_names_of_result_files_are_spelt_in_no_module() -> None:
    spelt = re.compile(r"^baseline-|^(result|uncertainty|difference|error)\.nii")
    found = [module.name for module in modules("core", "webapp") if any(map(spelt.search, literals(module)))]
    assert found == []
    example = parse("core.new", 'path = out / f"baseline-{method}.nii.gz"')
    assert any(map(spelt.search, literals(example)))


def test_the_schema_that_is_shipped_allows_what_is_written() -> None:
    shipped = json.loads((ROOT / "assets" / "schema" / "result-2.json").read_text())
    assert shipped["properties"].keys() == to_json(RESULT).keys()


def test_numbers_are_rounded_to_four_digits_or_none() -> None:
    assert (number(1.23456), number(0.000123456), number(float("nan"))) == (1.235, 0.0001235, None)
