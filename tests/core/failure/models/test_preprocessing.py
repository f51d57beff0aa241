from __future__ import annotations

import numpy as np
import pytest
import torch

from core.failure.models.preprocessing import STEPS, derivative_matrix, fit_pipeline
from core.spectra.score import fit_score
from tests.core.failure.made_up_patches import patches

SET = patches(level=0.3, form=1.0)
RAW = torch.as_tensor(SET.ir)
PLACES = tuple(map(float, SET.wavenumbers))


@pytest.mark.parametrize("name", [name for name in STEPS if name != "blur"])
def test_every_step_gives_patches_of_the_same_shape_at_mean_0_and_deviation_1(name: str) -> None:
    done = fit_pipeline([name], RAW, SET.labels, PLACES)(RAW)
    assert done.shape == RAW.shape
    np.testing.assert_allclose(done.mean(dim=(0, 2, 3)), 0, atol=1e-3)
    spread = done.std(dim=(0, 2, 3)).numpy()
    assert ((abs(spread - 1) < 1e-2) | (spread < 1e-3)).all()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("snv", lambda raw: 1.7 * raw + 0.2),
        ("derivative", lambda raw: raw + torch.linspace(0, 1, 14)[None, :, None, None]),
        ("amide", lambda raw: 1.7 * raw),
        ("centre", lambda raw: raw + torch.linspace(0, 1, 14)[None, :, None, None]),
        ("instance", lambda raw: raw + torch.linspace(0, 1, 14)[None, :, None, None]),
    ],
)
def test_a_step_takes_away_what_it_is_for(name: str, change: object) -> None:
    pipeline = fit_pipeline([name], RAW, SET.labels, PLACES)
    np.testing.assert_allclose(pipeline(change(RAW)), pipeline(RAW), atol=2e-2)  # type: ignore[operator]


def test_instance_norm_keeps_less_of_the_scale_the_more_signal_there_is() -> None:
    pipeline = fit_pipeline(["instance"], RAW * 100, SET.labels, PLACES)
    np.testing.assert_allclose(pipeline(RAW * 170), pipeline(RAW * 100), atol=2e-2)


def test_projection_takes_the_score_away() -> None:
    pipeline = fit_pipeline(["project"], RAW, SET.labels, PLACES)
    left = pipeline.steps[0](RAW).mean(dim=(2, 3)).numpy()
    assert np.abs(fit_score(SET.spectra(), SET.labels).of(left)).max() < 1e-2


def test_whitened_components_are_uncorrelated() -> None:
    done = fit_pipeline(["whiten"], RAW, SET.labels, PLACES).steps[0](RAW).transpose(0, 1).flatten(1)
    covariance = torch.cov(done.double()).numpy()
    assert abs(covariance - np.diag(np.diag(covariance))).max() < 1e-2
    assert np.diag(covariance)[-1] == pytest.approx(1, abs=0.02)


def test_derivatives_stay_within_a_run_of_bands() -> None:
    matrix = derivative_matrix([900, 930, 960, 990, 2850, 2920])
    np.testing.assert_allclose(matrix[:4] @ [1, 2, 3, 4, 50, 90], 0, atol=1e-12)
    np.testing.assert_allclose(matrix[:4] @ [0, 1, 4, 9, 50, 90], 2)
    # two bands have no second difference: they stay
    np.testing.assert_array_equal(matrix[4:], np.eye(6)[4:])


def test_the_picture_is_blurred_and_keeps_its_mean() -> None:
    picture = torch.zeros(2, 3, 15, 15)
    picture[:, :, 7, 7] = 1
    blurred = fit_pipeline(["blur"], picture, np.array([0, 1]), (0.0, 1.0, 2.0)).steps[0](picture)
    np.testing.assert_allclose(blurred.sum(dim=(2, 3)), 1, rtol=1e-5)
    offset = torch.arange(15) - 7.0
    variance = (blurred[0, 0].sum(dim=0) * offset**2).sum()
    assert float(variance) == pytest.approx(0.78**2, rel=0.05)
