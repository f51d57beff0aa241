from __future__ import annotations

import math
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from core.bench import plain_translation as regress
from core.bench import translate
from core.bench.case import chosen, run
from core.bench.subjects import STROKE, read_tumour
from core.contrasts import CONTRASTS
from core.errors import UserError
from core.imaging.problem import Estimate
from core.train.heldout import TUMOUR
from tests.core.bench.scans import write_contrasts


@pytest.fixture
def data(tmp_path: Path) -> Path:
    everything = {name: name for name in CONTRASTS}
    for seed, subject in enumerate((TUMOUR, "Brats18_A_1", "Brats18_B_1")):
        write_contrasts(tmp_path / "train" / "brats18" / subject, everything, seed)
    write_contrasts(tmp_path / "demo" / "stroke", STROKE, seed=9)
    return tmp_path


def test_every_direction_of_the_tumour_and_those_the_stroke_has(data: Path) -> None:
    labels = [case.label for case in translate.cases(data)]
    assert len(labels) == 9
    own = [label for label in labels if label.subject == TUMOUR]
    assert (
        [label.block for label in own]
        == [label.note for label in own]
        == [
            "T1 to T2",
            "T2 to T1",
            "T1 to FLAIR",
            "T1 + T2 to FLAIR",
            "FLAIR + T1 + T2 to T1ce",
        ]
    )
    assert {label.pooled for label in own} == {"All directions"}
    assert {(label.block, label.pooled) for label in labels if label not in own} == {
        ("All directions, another site (stroke)", "")
    }
    assert len({label.name for label in labels}) == 9


def test_the_target_is_not_among_the_sources_and_is_scaled(data: Path) -> None:
    for case in translate.cases(data):
        assert case.problem.target not in case.problem.images
        assert np.percentile(case.truth[case.problem.brain], 99.5) == pytest.approx(1, abs=1e-6)
        assert len(case.scene().images) == 1 + len(case.problem.images)


def test_the_truth_is_perfect(data: Path) -> None:
    case = next(translate.cases(data))
    scores, _ = case.assess(Estimate(case.truth))
    assert math.isinf(scores["psnr"]) and math.isnan(scores["within"])


def test_the_gain_of_a_scanner_does_not_count_after_the_best_line(data: Path) -> None:
    case = next(translate.cases(data))
    noisy = case.truth + np.random.default_rng(0).normal(0, 0.05, case.truth.shape).astype(np.float32)
    as_it_is, _ = case.assess(Estimate(noisy))
    other_gain, _ = case.assess(Estimate((0.4 * noisy + 0.3).astype(np.float32)))
    assert other_gain["psnr"] < as_it_is["psnr"] - 2
    assert other_gain["psnr_line"] == pytest.approx(as_it_is["psnr_line"], abs=1e-3)
    assert as_it_is["psnr_line"] >= as_it_is["psnr"]
    even, _ = case.assess(Estimate(np.full_like(case.truth, 0.5)))
    assert even["psnr_line"] == pytest.approx(-10 * np.log10(case.truth[case.problem.brain].var()), abs=1e-3)


def test_plain_methods_learn_from_the_training_subjects(data: Path) -> None:
    def pool(matched: bool) -> regress.Pool:
        return translate.training_pool(data, data / "cache", matched, voxels=2000)

    rows = run(islice(translate.cases(data), 1), translate.plain(pool))
    psnr = {row.method: row.scores["psnr"] for row in rows}
    assert psnr["boosting"] > psnr["linear"] + 1
    assert psnr["histogram"] > psnr["linear"]
    assert len(list((data / "cache").glob("*.npz"))) == 2


def test_each_direction_is_fitted_once(data: Path) -> None:
    asked: list[str] = []

    def pool(matched: bool) -> regress.Pool:
        asked.append("pool")
        return translate.training_pool(data, data / "cache", matched, voxels=500)

    rows = run(list(translate.cases(data)) * 2, chosen(translate.plain(pool), ["linear"]))
    assert len(rows) == 18 and not any(row.error for row in rows)
    assert len(asked) == len(translate.DIRECTIONS)


def test_the_drawn_voxels_are_kept_and_never_those_of_the_held_out_subject(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def watched(folder: Path) -> regress.Subject:
        read.append(folder.name)
        return read_tumour(folder)

    monkeypatch.setattr("core.bench.translate.read_tumour", watched)
    first = translate.training_pool(data, data / "cache", voxels=500)
    again = translate.training_pool(data, data / "cache", voxels=500)
    assert read == ["Brats18_A_1", "Brats18_B_1"]
    assert np.array_equal(first.gather(CONTRASTS), again.gather(CONTRASTS))


def test_missing_scans_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=TUMOUR):
        next(translate.cases(tmp_path))
    write_contrasts(tmp_path / "train" / "brats18" / TUMOUR, {name: name for name in CONTRASTS})
    with pytest.raises(UserError, match="no training subjects"):
        translate.training_pool(tmp_path, tmp_path)
    assert len(list(translate.cases(tmp_path))) == 5
