"""Schemas and types are those of the models, and what a page sends keeps to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapp import schemas
from webapp.pages.kit.viewer_scene import Scene


@pytest.mark.parametrize("path", schemas.files(), ids=lambda path: path.name)
def test_what_is_shipped_is_what_the_models_say(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == schemas.files()[path], "write it anew: make schemas"


def test_required_optional_and_nullable_fields_are_told_apart() -> None:
    written = schemas.typescript(Scene.model_json_schema())
    for line in (
        "  url: string;",
        "  title?: string;",
        "  inputs?: SceneImage[];",
        "  compare?: SceneImage[] | null;",
        "  drawable?: boolean;",
    ):
        assert line in written.splitlines()
    assert written.count("export interface") == 3


def test_a_type_that_the_viewer_has_not_is_refused() -> None:
    with pytest.raises(KeyError):
        schemas.typescript({"title": "Odd", "properties": {"any": {"type": "object"}}})
