from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bench.aggregate import difference, summarise
from core.bench.case import Label, Row
from tests.core.bench.rows import ROWS, row


def test_means_and_paired_gains() -> None:
    volume, biharmonic = summarise(ROWS)
    assert (volume.method, volume.cases, volume.failed, volume.error) == ("volume", 3, 1, "out of luck")
    assert volume.scores["psnr"] == pytest.approx(23.0)
    assert (volume.seconds, volume.calls) == (2.0, 4.0)
    gain = volume.differences["psnr"]
    assert (gain.mean, gain.share_better, gain.cases) == (2.0, 1.0, 2)
    assert 1.0 <= gain.low <= gain.mean <= gain.high <= 3.0
    assert biharmonic.differences == {}


def test_each_block_has_its_own_mean_and_a_pooled_one_pairs_case_by_case() -> None:
    pairs = [("T1 to T2", 1.0), ("T2 to T1", 3.0)]
    rows = [row("volume", "a", 20.0 + gain, block, pooled="all") for block, gain in pairs]
    rows += [row("biharmonic", "a", 20.0, block, pooled="all") for block, _ in pairs]
    lines = {(line.block, line.method): line for line in summarise(rows)}
    assert list(lines) == [
        (block, name) for block in ("T1 to T2", "T2 to T1", "all") for name in ("volume", "biharmonic")
    ]
    assert lines["T2 to T1", "volume"].differences["psnr"].mean == 3.0
    pooled = lines["all", "volume"].differences["psnr"]
    assert (pooled.mean, pooled.cases) == (2.0, 2)


def test_tasks_stay_together() -> None:
    other = Row(Label("translate", "T1 to T2", "a", pooled="all"), "volume", "V", 1.0, 1, {"psnr": 1.0})
    tasks = [line.task for line in summarise([other, row("volume", "a", 1.0, pooled="all")])]
    assert tasks == ["translate", "translate", "inpaint", "inpaint"]


def test_a_measure_that_some_lack_is_averaged_over_the_others() -> None:
    rows = [row("volume", "a", 20.0), row("volume", "b", math.nan)]
    assert summarise(rows)[0].scores["psnr"] == 20.0


def test_bootstrap_interval_covers_the_mean_at_its_rate() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for draw in range(200):
        found = difference(rng.normal(1.0, 1.0, 30), draws=500, seed=draw)
        covered += found.low <= 1.0 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=12))
def test_the_interval_holds_the_mean_and_lies_within_the_gains(gains: list[float]) -> None:
    found = difference(np.array(gains), draws=200)
    assert min(gains) - 1e-9 <= found.low <= found.high <= max(gains) + 1e-9
    assert 0 <= found.share_better <= 1


def test_equal_gains_have_no_width_and_one_case_no_interval() -> None:
    found = difference(np.full(5, -0.5))
    assert (found.mean, found.low, found.high, found.share_better) == (-0.5, -0.5, -0.5, 0.0)
    alone = difference(np.array([2.0]))
    assert (alone.mean, alone.cases) == (2.0, 1)
    assert math.isnan(alone.low) and math.isnan(alone.high)


def test_the_stronger_of_two_plain_methods_is_the_one_to_beat() -> None:
    def boosted(method: str, psnr: float) -> Row:
        return Row(Label("translate", "T1 to T2", "a"), method, "", 1.0, 0, {"psnr": psnr})

    lines = summarise([boosted("volume", 20.0), boosted("boosting", 17.0), boosted("boosting/matched", 18.0)])
    assert {line.baseline for line in lines} == {"boosting/matched"}
    assert [line.differences["psnr"].mean for line in lines[:2]] == [2.0, -1.0]
    assert lines[2].differences == {}
