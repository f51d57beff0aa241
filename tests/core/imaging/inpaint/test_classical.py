import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from core.events import finish
from core.imaging.drive import drive
from core.imaging.inpaint.classical import interpolate, smooth
from core.imaging.inpaint.network import setting
from core.imaging.inpaint.task import TASK
from core.imaging.options import Options
from core.imaging.problem import Problem


def ball(shape: tuple[int, int, int], radius: float) -> NDArray[np.bool_]:
    place = np.indices(shape) - (np.array(shape).reshape(3, 1, 1, 1) - 1) / 2
    return np.asarray((place**2).sum(axis=0) < radius**2)


def problem_of(image: NDArray[np.float32], mask: NDArray[np.bool_]) -> Problem:
    return Problem(np.where(mask, 0, image).astype(np.float32), mask, np.ones(mask.shape, bool), (1.0, 1.0, 1.0))


@given(st.tuples(*[st.floats(-2, 2)] * 4))
def test_a_linear_image_is_restored_by_both_equations(slopes: tuple[float, float, float, float]) -> None:
    x, y, z = np.indices((17, 16, 15)).astype(np.float32)
    image = (slopes[0] * x + slopes[1] * y + slopes[2] * z + slopes[3]).astype(np.float32)
    mask = ball(image.shape, 5)
    for order in (1, 2):
        found = interpolate(np.where(mask, 0, image), mask, order)
        assert np.abs(found - image)[mask].max() <= 0.01 * max(1.0, np.abs(image).max())


def test_the_biharmonic_fill_continues_curvature_that_the_harmonic_fill_flattens() -> None:
    x, y, _ = np.indices((31, 31, 31)) / 15 - 1
    image = (1 + x**2 - y + 0.5 * x * y).astype(np.float32)
    mask = ball(image.shape, 8)
    errors = [np.abs(interpolate(np.where(mask, 0, image), mask, order) - image)[mask].mean() for order in (1, 2)]
    assert errors[1] < 0.1 * errors[0]


@pytest.mark.parametrize(("order", "bound"), [(1, 1e-3), (2, 4e-3)])
def test_the_equation_holds_inside_the_mask(order: int, bound: float) -> None:
    rng = np.random.default_rng(0)
    image = ndimage.gaussian_filter(rng.normal(size=(40, 36, 38)), 3).astype(np.float32)
    image /= image.std()
    mask = ball(image.shape, 12)
    filled = np.where(mask, interpolate(np.where(mask, 0, image), mask, order), image).astype(np.float64)
    for _ in range(order):
        filled = ndimage.laplace(filled)
    assert np.abs(filled[mask]).mean() < bound


def test_the_harmonic_fill_stays_between_its_neighbours() -> None:
    rng = np.random.default_rng(1)
    image = rng.uniform(3, 5, (20, 20, 20)).astype(np.float32)
    mask = ball(image.shape, 6)
    found = interpolate(np.where(mask, 0, image), mask, 1)[mask]
    assert found.min() >= 3
    assert found.max() <= 5


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_intensities_scale_with_the_scan(scale: float) -> None:
    rng = np.random.default_rng(2)
    image = ndimage.gaussian_filter(rng.uniform(1, 2, (20, 20, 20)), 1).astype(np.float32)
    mask = ball(image.shape, 5)
    one = interpolate(np.where(mask, 0, image), mask, 2)
    other = interpolate(np.where(mask, 0, image * np.float32(scale)), mask, 2)
    np.testing.assert_allclose(other, one * scale, rtol=1e-3)


def test_a_mask_on_the_edge_of_the_grid_is_filled() -> None:
    image = np.ones((12, 12, 12), np.float32)
    mask = np.zeros(image.shape, bool)
    mask[:4, :4, :4] = True
    for order in (1, 2):
        np.testing.assert_allclose(interpolate(np.where(mask, 0, image), mask, order)[mask], 1, atol=1e-3)


def test_the_shell_mean_sees_near_tissue_only() -> None:
    image = np.full((40, 40, 40), 100.0, np.float32)
    mask = ball(image.shape, 4)
    image[ndimage.binary_dilation(mask, iterations=3)] = 7.0
    near = ndimage.distance_transform_edt(~mask) <= 8
    expected = image[near & ~mask].mean()
    fill = finish(TASK.method("shell").load()(problem_of(image, mask), Options()))
    np.testing.assert_allclose(fill.values[mask], expected, rtol=1e-5)


@pytest.mark.parametrize("name", [method.name for method in TASK.methods if not method.weights])
def test_every_classical_method_fills_the_mask_and_nothing_else(name: str) -> None:
    rng = np.random.default_rng(4)
    image = (100 + 5 * rng.normal(size=(24, 24, 24))).astype(np.float32)
    mask = ball(image.shape, 4)
    fill = finish(TASK.method(name).load()(problem_of(image, mask), Options()))
    assert fill.values.dtype == np.float32
    assert fill.values[~mask].max() == 0
    assert np.abs(fill.values[mask] - 100).max() < 30
    assert fill.calls == 0


def test_methods_that_need_the_same_fill_solve_for_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    solved = []

    def counted(image: NDArray[np.float32], mask: NDArray[np.bool_], order: int) -> NDArray[np.float32]:
        solved.append(order)
        return interpolate(image, mask, order)

    for module in ("classical", "network"):
        monkeypatch.setattr(f"core.imaging.inpaint.{module}.interpolate", counted)
    image = np.random.default_rng(0).gamma(9, 10, (40, 40, 40)).astype(np.float32)
    problem = problem_of(image, ball((40, 40, 40), 6))
    setting(problem, 8)
    for name in ("biharmonic", "harmonic", "mirror"):
        finish(TASK.method(name).load()(problem, Options()))
    assert sorted(solved) == [1, 2]
    other = problem_of(image, problem.mask)
    assert smooth(other, 1) is not smooth(problem, 1)


@pytest.mark.parametrize("name", ["harmonic", "biharmonic"])
def test_the_time_of_a_fill_is_its_own_whoever_asked_for_it_first(name: str) -> None:
    image = np.random.default_rng(0).gamma(9, 10, (40, 40, 40)).astype(np.float32)
    problem = problem_of(image, ball((40, 40, 40), 6))
    first, again = (finish(drive(TASK.method(name), problem, Options(), 0, 1)) for _ in range(2))
    assert first.estimate.earlier == 0
    assert 0 < again.estimate.earlier <= first.seconds
    assert again.seconds >= again.estimate.earlier
