from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import skimage.metrics
from numpy.typing import NDArray
from PIL import Image

from core.bench.case import Entrant, Label, both_modes, check_names, chosen, measure, run, whole_scores, within
from core.bench.figures import Scene
from core.errors import UserError
from core.events import Progress
from core.imaging.options import Options
from core.imaging.problem import Estimate
from tests.core.bench.scans import broken

Float = NDArray[np.float32]

TRUTH = np.random.default_rng(0).random((20, 20, 20), dtype=np.float32)
BRAIN = np.pad(np.ones((14, 14, 14), bool), 3)


@dataclass(frozen=True, eq=False)
class Copying:
    """To give the truth back."""

    label: Label = field(default_factory=lambda: Label("superres", "4 mm, box", "1015"))
    problem: Float = field(default_factory=lambda: TRUTH)
    truth: Float = field(default_factory=lambda: TRUTH)
    where: NDArray[np.bool_] = field(default_factory=lambda: BRAIN)
    region: NDArray[np.bool_] | None = None
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def assess(self, estimate: Estimate) -> tuple[dict[str, float], Float]:
        return whole_scores(estimate.values, TRUTH, BRAIN), estimate.values

    def scene(self) -> Scene:
        return Scene({"truth": TRUTH}, (10, 10, 10), (1.0, 1.0, 1.0), 1.0, 16.0)


def doubting(share: float) -> Generator[Progress, None, Estimate]:
    yield Progress(0.0, 0, 1, "guessing")
    return Estimate(TRUTH * share, np.full_like(TRUTH, 0.1), 3)


def entrants() -> list[Entrant]:
    half = Entrant("net", "Network", lambda problem: doubting(0.5))
    hidden = Entrant("net/free", "Hidden", lambda problem: doubting(1.0), shown=False)
    return [half, hidden, Entrant("lost", "Lost", lambda problem: broken(problem, Options()))]


def test_every_entrant_gets_a_row_and_a_failure_says_why() -> None:
    lines: list[str] = []
    rows = run([Copying()], entrants(), report=lines.append)
    assert [(row.method, row.calls) for row in rows] == [("net", 3), ("net/free", 3), ("lost", 0)]
    assert rows[1].scores["psnr"] == np.inf and rows[1].scores["texture"] == 1
    assert "weights are not here" in rows[2].error and rows[2].scores == {}
    assert [line.partition(":")[0] for line in lines] == [f"superres-4-mm-box-1015-0 {row.method}" for row in rows]


def test_every_measured_image_is_handed_on() -> None:
    kept: list[tuple[str, float]] = []
    run([Copying()], entrants(), keep=lambda case, row, image: kept.append((row.method, float(image.max()))))
    assert kept == [("net", float((TRUTH * 0.5).max())), ("net/free", float(TRUTH.max()))]


def test_pictures_show_those_who_have_something_to_show(tmp_path: Path) -> None:
    run([Copying()], entrants(), figures=tmp_path)
    with Image.open(tmp_path / "superres-4-mm-box-1015-0.png") as sheet:
        assert sheet.width == 2 * 300


def test_a_failure_of_the_program_is_not_hidden() -> None:
    def wrong(problem: Float) -> Generator[Progress, None, Estimate]:
        yield Progress(0.0, 0, 1, "starting")
        raise AttributeError("a mistake")

    with pytest.raises(AttributeError):
        measure(Copying(), Entrant("wrong", "Wrong", wrong))


def test_names_choose_also_the_variants() -> None:
    def names(*wanted: str) -> list[str]:
        return [each.name for each in chosen(entrants(), wanted)]

    assert names() == ["net", "net/free", "lost"]
    assert names("net") == ["net", "net/free"]
    assert names("net/free", "lost") == ["net/free", "lost"]
    with pytest.raises(UserError, match="no method 'magic'"):
        check_names(entrants(), ["lost", "magic"])


def test_a_network_runs_in_both_modes_and_a_plain_method_once() -> None:
    made = [each.name for each in both_modes("inpaint", Options(), Options("realistic"))]
    assert made[:3] == ["volume", "volume/realistic", "biharmonic"]
    assert len(made) == len(set(made)) == 6


def test_the_interval_of_a_right_deviation_holds_nine_in_ten() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, TRUTH.shape).astype(np.float32)
    right = Estimate(TRUTH + noise, np.full_like(TRUTH, 0.1))
    assert within(right, TRUTH, BRAIN) == pytest.approx(0.9, abs=0.02)
    assert np.isnan(within(Estimate(TRUTH), TRUTH, BRAIN))


def test_scores_are_those_of_the_reference() -> None:
    result = TRUTH + np.random.default_rng(2).normal(0, 0.05, TRUTH.shape).astype(np.float32)
    scores: Mapping[str, float] = whole_scores(result, TRUTH, BRAIN)
    _, reference = skimage.metrics.structural_similarity(  # type: ignore[no-untyped-call]
        result, TRUTH, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True, data_range=1.0
    )
    assert scores["ssim"] == pytest.approx(float(reference[BRAIN].mean()), abs=1e-4)
    assert scores["psnr"] == pytest.approx(-10 * np.log10(((result - TRUTH)[BRAIN] ** 2).mean()), abs=1e-4)
