from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import UserError
from tests.source import ROOT
from webapp.study.design import Ask, Design, parse, read, schema

LEAST: dict[str, Any] = {"title": "T", "ask": {"real": True}, "folder": "images"}


def names(design: Design, images: int) -> list[str]:
    return [question.name for question in design.asked_of(images)]


def test_yaml_and_json_say_the_same_and_paths_are_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("title: T\nask: {real: true}\nfolder: images\n")
    (tmp_path / "a.json").write_text(json.dumps(LEAST))
    assert read(tmp_path / "a.yaml") == read(tmp_path / "a.json")
    assert read(tmp_path / "a.yaml").folder == tmp_path / "images"


def test_a_design_survives_the_database() -> None:
    own = {"name": "noise", "title": "Noise", "levels": 4}
    design = parse({**LEAST, "ask": {"prefer": "Which?", "scales": ["realism", own]}, "pairs": [["a", "b"]]})
    assert Design.model_validate(json.loads(json.dumps(design.model_dump(mode="json")))) == design


def test_what_is_asked_depends_on_how_many_images_there_are() -> None:
    design = parse({**LEAST, "ask": {"real": True, "prefer": True, "scales": ["slices"], "mark": True}})
    assert names(design, 1) == ["real", "confidence", "slices", "mark", "comment"]
    assert names(design, 2) == ["prefer", "confidence", "comment"]
    scales = parse({**LEAST, "ask": {"scales": ["realism", "border"], "prefer": True, "comment": False}})
    assert names(scales, 1) == ["realism", "border"]
    assert names(scales, 2) == ["prefer", "confidence"]


def test_the_documented_study_is_one_and_has_every_field() -> None:
    page = (ROOT / "docs" / "reader-study.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    content = yaml.safe_load(text)
    design = parse(content)
    # images are files in place of a folder or runs, and named in a comment
    assert set(content) | {"jobs", "images"} == set(Design.model_fields)
    assert set(content["ask"]) == set(Ask.model_fields)
    assert all(f"{name}:" in text for name in Design.model_fields)
    assert [one.name for one in design.questions if one.kind == "scale"][1:] == [
        "realism", "slices", "anatomy", "border", "noise",
    ]  # fmt: skip


def test_the_schema_describes_every_field() -> None:
    described = json.loads(schema())
    kinds = {"Design": described, **described["$defs"]}
    assert set(kinds) == {"Design", "Ask", "Scale", "ImageFile"}
    fields = [field for kind in kinds.values() for field in kind["properties"].values()]
    assert all(field["description"].endswith(".") for field in fields)
    assert not any(kind["additionalProperties"] for kind in kinds.values())
    assert described["required"] == ["title", "ask"]


def test_words_of_ones_own() -> None:
    asked = parse({**LEAST, "ask": {"prefer": "Which is sharper?"}}).questions
    assert asked[0].title == "Which is sharper?"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"title": ""}, "title is empty."),
        ({"title": None}, "title is not a text."),
        ({"ask": {}}, "nothing is asked"),
        ({"ask": {"comment": True}}, "nothing is asked"),
        ({"ask": {"scales": ["realism", "realism"]}}, "twice"),
        ({"ask": {"scales": [{"name": "real", "title": "x"}]}}, "taken"),
        ({"ask": {"scales": [{"name": "Not good", "title": "x"}]}}, "ask.scales.0.name may have"),
        ({"ask": {"scales": [{"name": "own"}]}}, "ask.scales.0.title is missing."),
        ({"ask": {"scales": ["blur"]}}, "ask.scales.0 is not one of 'realism', 'slices', 'anatomy' or 'border'."),
        ({"ask": {"real": "x" * 201}}, "ask.real is longer than 200 characters."),
        ({"ask": {"confidence": "perhaps"}}, "ask.confidence is neither true nor false."),
        ({"images": [{"file": "a.nii"}]}, "images.0.method is missing."),
        ({"folder": None}, "no images"),
        ({"repeats": 0.9}, "repeats is more than 0.5."),
        ({"ask": {"scales": ["realism"]}, "catch": ["a"]}, "right answer"),
        ({"training": ["a"], "catch": ["a"]}, "practice"),
        ({"pairs": [["a", "a"]]}, "same method"),
        ({"order": "random"}, "order is not one of 'rater', 'study', 'least' or 'none'."),
        ({"colour": "red"}, "colour is not a field of a study."),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError) as refused:
        parse({**LEAST, **change})
    assert refused.value.code == "bad_study"
    assert named in refused.value.message.lower()


@pytest.mark.parametrize("text", ["a: [", "- 1", "!!python/object:os.system x", "\x00"])
def test_a_file_that_is_no_study(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(UserError, match="bad_study"):
        read(tmp_path / "a.yaml")
    with pytest.raises(UserError, match="bad_study"):
        read(tmp_path / "missing.yaml")
