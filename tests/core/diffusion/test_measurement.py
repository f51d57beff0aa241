from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from core.acquisition import Acquisition, Axis, measuring, thick, whole
from core.diffusion.constraints import null_space
from core.diffusion.measurement import Measurement
from core.imaging.superres.prepared import measured_part

# a gap, touching boxes, bells that overlap
AXES = st.sampled_from([whole(9), thick(9, 3), Axis(9, 3, 3.0, 2.0, 1.0), thick(9, 3, 4.0, "gaussian"), thick(9, 2)])
ACQUISITIONS = st.tuples(AXES, AXES, AXES).map(Acquisition)


def measurement(acquisition: Acquisition, seed: int, left_out: float) -> Measurement:
    """Return a measurement of a random residual, of which a share does not count."""
    matrices = [None if axis.untouched else torch.from_numpy(measuring(axis)).float() for axis in acquisition.axes]
    counts = (torch.rand(1, 1, *acquisition.coarse, generator=torch.Generator().manual_seed(seed)) >= left_out).float()
    blank = Measurement((matrices[0], matrices[1], matrices[2]), counts, torch.zeros_like(counts))
    return Measurement(blank.matrices, counts, blank.misfit(residual(seed + 1)))


def residual(seed: int) -> Tensor:
    return torch.randn(1, 1, 9, 9, 9, generator=torch.Generator().manual_seed(seed))


@given(ACQUISITIONS, st.integers(0, 99), st.sampled_from([0.0, 0.3, 0.9]))
def test_what_is_projected_is_measured_as_the_scan_and_stays_so(
    acquisition: Acquisition, seed: int, out: float
) -> None:
    measured, start = measurement(acquisition, seed, out), residual(seed + 2)
    projected = measured.project(start)
    assert measured.misfit(projected).abs().max() < 1e-3
    assert torch.allclose(measured.project(projected), projected, atol=1e-3)


@given(ACQUISITIONS, st.integers(0, 99), st.sampled_from([0.0, 0.3, 0.9]))
def test_the_projection_is_the_nearest_that_was_so_measured(acquisition: Acquisition, seed: int, out: float) -> None:
    measured, start = measurement(acquisition, seed, out), residual(seed + 2)
    change = measured.project(start) - start
    # any other residual that is measured alike differs by what is free
    free = measured.free(residual(seed + 3))
    assert abs(float((change * free).sum())) < 1e-3 * (1 + float(change.norm() * free.norm()))


@given(ACQUISITIONS, st.integers(0, 99), st.sampled_from([0.0, 0.3, 0.9]), st.floats(-2, 2))
def test_the_free_part_is_linear_and_measured_as_nothing(
    acquisition: Acquisition, seed: int, out: float, factor: float
) -> None:
    measured, one, other = measurement(acquisition, seed, out), residual(seed + 2), residual(seed + 3)
    free = measured.free(one)
    assert (measured.misfit(free) + measured.measured).abs().max() < 1e-3
    assert torch.allclose(measured.free(one + factor * other), free + factor * measured.free(other), atol=2e-3)


@given(ACQUISITIONS, st.integers(0, 99), st.sampled_from([0.0, 0.5]))
def test_the_adjoint_turns_the_measurement_round(acquisition: Acquisition, seed: int, out: float) -> None:
    measured, one = measurement(acquisition, seed, out), residual(seed + 2)
    seen = measured.misfit(one) + measured.measured
    other = torch.randn(seen.shape, generator=torch.Generator().manual_seed(seed + 3))
    there, back = float((seen * other).sum()), float((one * measured.adjoint(other)).sum())
    assert there == pytest.approx(back, abs=1e-3)


@given(ACQUISITIONS, st.integers(0, 99))
def test_where_every_voxel_counts_the_free_part_is_the_null_space(acquisition: Acquisition, seed: int) -> None:
    measured, values = measurement(acquisition, seed, 0.0), residual(seed + 2)
    parts = [torch.from_numpy(measured_part(axis))[None].float() for axis in acquisition.axes]
    assert torch.allclose(measured.free(values), null_space(values, parts), atol=1e-3)


def test_where_nothing_counts_everything_is_free() -> None:
    nothing = Measurement((None, None, None), torch.zeros(1, 1, 9, 9, 9), torch.zeros(1, 1, 9, 9, 9))
    values = residual(0)
    assert torch.equal(nothing.project(values), values)
    assert torch.equal(nothing.free(values), values)
