from __future__ import annotations

import pytest

from core.errors import UserError
from webapp.pages.study.management import _scales
from webapp.study import design


def test_a_line_is_a_scale() -> None:
    made = _scales("Noise | none | strong\n\n  Sharp edges  \nToo | many | parts | here\n")
    assert made == [
        {"name": "noise", "title": "Noise", "low": "none", "high": "strong"},
        {"name": "sharp_edges", "title": "Sharp edges", "low": "", "high": ""},
        {"name": "too", "title": "Too", "low": "many", "high": "parts"},
    ]
    asked = design.parse({"title": "T", "jobs": ["j"], "ask": {"scales": ["realism", *made]}})
    assert [one.name for one in asked.questions] == ["realism", "noise", "sharp_edges", "too", "comment"]


@pytest.mark.parametrize("line", ["|low|high", "Realism"])
def test_a_line_that_cannot_be_asked_is_refused_in_words(line: str) -> None:
    with pytest.raises(UserError, match="bad_study"):
        design.parse({"title": "T", "jobs": ["j"], "ask": {"scales": _scales(line)}})


def test_titles_in_other_scripts_get_a_number() -> None:
    assert [one["name"] for one in _scales("雑音\n3 T artefacts\n")] == ["scale_1", "scale_2"]
