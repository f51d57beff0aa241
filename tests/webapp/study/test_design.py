from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from webapp.study.design import Design, of, read

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
    design = of({**LEAST, "ask": {"prefer": "Which?", "scales": ["realism", own]}, "pairs": [["a", "b"]]})
    assert Design.model_validate(json.loads(json.dumps(design.model_dump(mode="json")))) == design


def test_what_is_asked_depends_on_how_many_images_there_are() -> None:
    design = of({**LEAST, "ask": {"real": True, "prefer": True, "scales": ["slices"], "mark": True}})
    assert names(design, 1) == ["real", "confidence", "slices", "mark", "comment"]
    assert names(design, 2) == ["prefer", "confidence", "comment"]
    scales = of({**LEAST, "ask": {"scales": ["realism", "border"], "prefer": True, "comment": False}})
    assert names(scales, 1) == ["realism", "border"]
    assert names(scales, 2) == ["prefer", "confidence"]


def test_words_of_ones_own() -> None:
    asked = of({**LEAST, "ask": {"prefer": "Which is sharper?"}}).questions
    assert asked[0].title == "Which is sharper?"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"title": ""}, "title"),
        ({"ask": {}}, "nothing is asked"),
        ({"ask": {"comment": True}}, "nothing is asked"),
        ({"ask": {"scales": ["realism", "realism"]}}, "twice"),
        ({"ask": {"scales": [{"name": "real", "title": "x"}]}}, "taken"),
        ({"ask": {"scales": [{"name": "Not good", "title": "x"}]}}, "ask.scales"),
        ({"folder": None}, "no images"),
        ({"repeats": 0.9}, "repeats"),
        ({"ask": {"scales": ["realism"]}, "catch": ["a"]}, "right answer"),
        ({"training": ["a"], "catch": ["a"]}, "practice"),
        ({"pairs": [["a", "a"]]}, "same method"),
        ({"order": "random"}, "order"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError) as refused:
        of({**LEAST, **change})
    assert refused.value.code == "bad_study"
    assert named in refused.value.message.lower()


@pytest.mark.parametrize("text", ["a: [", "- 1", "!!python/object:os.system x", "\x00"])
def test_a_file_that_is_no_study(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(UserError, match="bad_study"):
        read(tmp_path / "a.yaml")
    with pytest.raises(UserError, match="bad_study"):
        read(tmp_path / "missing.yaml")
