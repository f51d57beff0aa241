from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from tests.webapp.study.sitting import study_of
from webapp.pages.study.management import _days, _scales
from webapp.services import Services
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


def test_an_invitation_is_valid_for_days_that_there_are(services: Services, tmp_path: Path) -> None:
    study = study_of(services, tmp_path / "images")
    assert [_days(study, given) for given in (None, 0.04, 3650)] == [study.design["days"], 0.04, 3650]
    for given in (0, -1, 3651, 1e300, float("nan"), float("inf")):
        with pytest.raises(UserError, match="at most 3650 days"):
            _days(study, given)


def test_titles_in_other_scripts_get_a_number() -> None:
    assert [one["name"] for one in _scales("雑音\n3 T artefacts\n")] == ["scale_1", "scale_2"]
