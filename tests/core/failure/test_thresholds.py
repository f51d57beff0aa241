from __future__ import annotations

import re
from pathlib import Path

from core.failure import thresholds

PAGE = Path(__file__).resolve().parents[3] / "docs" / "failure-lab.md"
ROW = re.compile(r"^\|.*\| (?:from|below) (\d\.\d\d) \| `([A-Z_]+)` \|$", re.MULTILINE)


def test_the_thresholds_of_the_page_are_those_of_the_verdict() -> None:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    constants = {name: value for name, value in vars(thresholds).items() if name.isupper()}
    assert {name for _, name in rows} == constants.keys()
    assert all(float(value) == constants[name] for value, name in rows)
