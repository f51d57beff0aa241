from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from core.bench.table import (
    COLUMNS,
    format_table,
    mark,
    markdown_methods,
    markdown_summary,
    write_json,
    write_markdown,
)
from core.errors import UserError
from tests.core.bench.rows import ROWS, row
from tests.source import ROOT


def test_text_has_every_column_the_gains_and_the_failure() -> None:
    text = format_table(ROWS)
    assert "Inpaint: holes" in text
    assert all(title in text for title, _ in COLUMNS.values())
    assert "+2.00" in text and "100% of 2" in text
    assert "volume: 1 of 3 failed: out of luck" in text


def test_a_measure_that_nobody_has_is_no_column() -> None:
    rows = [row("volume", "a", 21.0), row("biharmonic", "a", 20.0)]
    for each in rows:
        each.scores["residual"] = math.nan
        del each.scores["seam"]
    text = format_table(rows)
    assert COLUMNS["residual"][0] not in text and "seam" not in text
    assert "texture" in text


def test_a_method_that_never_worked_has_dashes() -> None:
    rows = [row("volume", "a", 0.0, error="no weights"), row("biharmonic", "a", 20.0)]
    assert "1 of 1 failed: no weights" in format_table(rows)
    assert " - " in format_table(rows)
    assert "| Inpaint: holes | 20.00 `biharmonic` | - | - | - |" in markdown_summary(rows)
    assert "failed: no weights" in markdown_methods(rows)


def test_a_single_case_has_a_gain_without_an_interval() -> None:
    rows = [row("volume", "a", 21.5), row("biharmonic", "a", 20.0)]
    assert markdown_summary(rows).endswith("| 20.00 `biharmonic` | 21.50 | +1.50 | 100% of 1 |")


def test_file_is_strict_json_and_its_rows_are_flat(tmp_path: Path) -> None:
    write_json(tmp_path / "new" / "bench.json", [row("biharmonic", "a", math.inf), row("shell", "a", math.nan)])
    content = json.loads((tmp_path / "new" / "bench.json").read_text())
    assert [entry["scores"]["psnr"] for entry in content["rows"]] == [None, None]
    assert {"task", "block", "subject", "method", "seconds"} <= set(content["rows"][0])
    assert [line["method"] for line in content["summary"]] == ["biharmonic", "shell"]


def test_markdown_goes_between_the_marks_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    (first, last), (first_all, last_all) = mark("summary"), mark("methods")
    page.write_text(f"# Title\n\n{first}\nold\n{last}\n\nbetween\n\n{first_all}\n{last_all}\nend\n")
    write_markdown(page, ROWS)
    text = page.read_text()
    assert text.startswith(f"# Title\n\n{first}\n| Case |")
    assert "old" not in text and "\nbetween\n" in text and text.endswith(f"{last_all}\nend\n")
    assert markdown_summary(ROWS) in text and markdown_methods(ROWS) in text
    write_markdown(page, ROWS)
    assert page.read_text() == text


def test_markdown_makes_a_new_file_but_no_room_in_an_old_one(tmp_path: Path) -> None:
    write_markdown(tmp_path / "new" / "page.md", ROWS)
    assert "| Case |" in (tmp_path / "new" / "page.md").read_text()
    (tmp_path / "old.md").write_text("text")
    with pytest.raises(UserError, match="no place for a table"):
        write_markdown(tmp_path / "old.md", ROWS)


def test_markdown_tables_have_as_many_cells_in_every_row() -> None:
    for text in (markdown_summary(ROWS), markdown_methods(ROWS)):
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert len(rows) >= 3
        assert len({line.count("|") for line in rows}) == 1


def test_the_readme_has_the_table_of_the_command() -> None:
    first, last = mark("summary")
    _, begin, rest = (ROOT / "README.md").read_text().partition(first)
    table, end, _ = rest.partition(last)
    assert begin and end
    lines = table.strip().splitlines()
    assert lines[:2] == markdown_summary(ROWS).splitlines()[:2]
    number, interval = r"-?\d+\.\d+", r"( \([+-][\d.]+ to [+-][\d.]+\))?"
    cells = (
        rf"\| [^|]+: [^|]+ \| ({number} `[^|]+`|-) \| ({number}|-) \| ([+-][\d.]+{interval}|-) \| (\d+% of \d+|-) \|"
    )
    assert lines[2:] and [line for line in lines[2:] if not re.fullmatch(cells, line)] == []
