from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from core.bench.inpaint import Row
from core.bench.table import COLUMNS, difference, format_table, summarise, write_json


def row(method: str, subject: str, psnr: float, error: str = "") -> Row:
    scores = {} if error else {name: 0.5 for name in COLUMNS} | {"psnr": psnr}
    return Row(subject, 12.0, 0, "cortex", method, method.title(), 2.0, 4, scores, error)


ROWS = [
    row("volume", "a", 21.0),
    row("volume", "b", 25.0),
    row("volume", "c", 0.0, error="out of luck"),
    row("biharmonic", "a", 20.0),
    row("biharmonic", "b", 22.0),
    row("biharmonic", "c", 30.0),
]


def test_means_and_paired_gains() -> None:
    volume, biharmonic = summarise(ROWS)
    assert (volume.method, volume.cases, volume.failed, volume.error) == ("volume", 3, 1, "out of luck")
    assert volume.scores["psnr"] == pytest.approx(23.0)
    assert (volume.seconds, volume.calls) == (2.0, 4.0)
    gain = volume.differences["psnr"]
    assert (gain.mean, gain.share_better, gain.cases) == (2.0, 1.0, 2)
    assert 1.0 <= gain.low <= gain.mean <= gain.high <= 3.0
    assert biharmonic.differences == {}


def test_bootstrap_interval_covers_the_mean_at_its_rate() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for draw in range(200):
        found = difference(rng.normal(1.0, 1.0, 30), draws=500, seed=draw)
        covered += found.low <= 1.0 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_equal_gains_have_no_width() -> None:
    found = difference(np.full(5, -0.5))
    assert (found.mean, found.low, found.high, found.share_better) == (-0.5, -0.5, -0.5, 0.0)


def test_text_has_every_column_the_gains_and_the_failure() -> None:
    text = format_table(ROWS)
    assert all(title in text for title, _ in COLUMNS.values())
    assert "+2.00" in text and "100% of 2" in text
    assert "volume: 1 of 3 failed: out of luck" in text


def test_a_method_that_never_worked_has_dashes() -> None:
    text = format_table([row("volume", "a", 0.0, error="no weights"), row("biharmonic", "a", 20.0)])
    assert "1 of 1 failed: no weights" in text
    assert " - " in text


def test_file_is_strict_json(tmp_path: Path) -> None:
    write_json(tmp_path / "new" / "bench.json", [row("biharmonic", "a", math.inf), row("shell", "a", math.nan)])
    content = json.loads((tmp_path / "new" / "bench.json").read_text())
    assert [entry["scores"]["psnr"] for entry in content["rows"]] == [None, None]
