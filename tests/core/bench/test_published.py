from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.bench import published as methods
from core.bench.case import Label, Row
from core.bench.published import ABLATIONS, SIDES, Settings, compare, entrants, middle
from core.bench.suite import SAMPLES
from core.contrasts import CONTRASTS
from core.declaration import Method
from core.events import Progress
from core.imaging.options import Options
from core.imaging.problem import Estimate
from core.tasks import find
from core.train.heldout import TUMOUR
from tests.core.bench.scans import write_contrasts, write_healthy


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scans, and methods that say 0.5 everywhere after one matrix product for each step."""
    write_healthy(tmp_path)
    write_contrasts(tmp_path / "train" / "brats18" / TUMOUR, {name: name for name in CONTRASTS}, 0)

    def half(problem: Any, options: Options) -> Generator[Progress, None, Estimate]:
        yield Progress(0.0, 0, 1, "")
        for _ in range(options.steps * options.samples):
            torch.zeros(10, 10) @ torch.zeros(10, 10)
        shape = problem.acquisition.fine if hasattr(problem, "acquisition") else None
        values = np.full(shape or _shape(problem), 0.5, np.float32)
        return Estimate(values, None, options.steps * options.samples)

    monkeypatch.setattr(Method, "load", lambda self: half)
    monkeypatch.setattr(methods, "tissues", _tissues)
    return tmp_path


def _tissues(image: np.ndarray[Any, Any], spacing: Any, head: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Bright and dark in place of the segmenter, which would see these coarse voxels on a grid of 1 mm."""
    return np.where(head, 2 + (image > 0.5), 0).astype(np.uint8)


def _shape(problem: Any) -> tuple[int, ...]:
    return tuple(problem.mask.shape if hasattr(problem, "mask") else problem.brain.shape)


@pytest.mark.parametrize("task", ["inpaint", "superres", "translate"])
def test_every_method_is_measured_and_its_arithmetic_counted(task: str, data: Path) -> None:
    rows = compare(task, Settings(data, subjects=("1015",)))
    assert not [row.error for row in rows if row.error]
    by_name = {row.method: row for row in rows}
    wanted = {one.name for one in find(task).methods if not one.cheap} | {methods.PLAIN[task]}
    assert wanted <= set(by_name)
    ours, slices = by_name["volume"], by_name["slicewise"]
    assert ours.scores["gflop"] == pytest.approx(SAMPLES[task] * 2e-6)
    assert slices.scores["gflop"] == pytest.approx(8 * 2e-6)
    assert by_name["slicewise/1"].scores["gflop"] == pytest.approx(2e-6)
    assert slices.scores["published"] == pytest.approx(1000 / SAMPLES[task])
    assert "published" not in by_name.get("hierarchical", ours).scores
    assert {"peak_mb", "psnr", "x", "y", "z", "csf", "grey", "white"} <= set(slices.scores)


def test_samples_are_averaged_and_those_of_the_paper_stay_one(data: Path) -> None:
    wanted = ("volume", "slicewise", "slicewise/1")
    rows = compare("inpaint", Settings(data, wanted, subjects=("1015",), samples=3))
    ours, slices, once = rows
    assert ours.scores["gflop"] == pytest.approx(SAMPLES["inpaint"] * 2e-6)
    assert slices.scores["gflop"] == pytest.approx(3 * 8 * 2e-6)
    assert once.scores["gflop"] == pytest.approx(3 * 2e-6)
    assert slices.scores["published"] == pytest.approx(1000 / SAMPLES["inpaint"])


def test_only_of_super_resolution_there_are_results_that_need_not_agree(data: Path) -> None:
    free = {
        task: [one.name for one in entrants(task, Settings(data)) if one.name.endswith("/free")]
        for task in methods.PLAIN
    }
    assert not free["inpaint"] and not free["translate"]
    assert {"volume/free", "slicewise/free", "cubic/free"} <= set(free["superres"])


def test_the_variants_of_the_hierarchical_method_are_told_what_they_are(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Options] = []

    def listen(problem: Any, options: Options) -> Generator[Progress, None, Estimate]:
        told.append(options)
        yield Progress(0.0, 0, 1, "")
        return Estimate(np.zeros(_shape(problem), np.float32))

    monkeypatch.setattr(Method, "load", lambda self: listen)
    rows = compare("inpaint", Settings(data, subjects=("1015",), ablations=True))
    assert [row.method for row in rows] == list(ABLATIONS)
    assert [options.published for options in told] == list(ABLATIONS.values())
    assert {options.steps for options in told} == {8}


def test_the_repeats_of_resampling_count_once() -> None:
    label = Label("inpaint", "block", "1")
    rows = [Row(label, "volume", "", scores={"gflop": 2.0}), Row(label, "repaint", "", scores={"gflop": 24.0})]
    found = methods._published(rows, "inpaint", 1)[1].scores["published"]
    assert found == pytest.approx(24 / 8 / 3 * 4570 / 2)


@given(
    st.tuples(*[st.integers(8, 140)] * 3),
    st.tuples(*[st.floats(0, 0.9)] * 3),
    st.sampled_from([1, 4]),
)
def test_the_middle_lies_in_the_volume_in_whole_multiples(
    shape: tuple[int, int, int], start: tuple[float, float, float], multiple: int
) -> None:
    brain = np.zeros(shape, bool)
    brain[tuple(slice(int(share * side), None) for share, side in zip(start, shape, strict=True))] = True
    for part, side, most in zip(middle(brain, multiple), shape, SIDES, strict=True):
        assert 0 <= part.start < part.stop <= side
        assert part.start % multiple == 0 and (part.stop - part.start) % multiple == 0
        assert part.stop - part.start == min(most, side // multiple * multiple)
