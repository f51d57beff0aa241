import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.spectra.cube import make_cube

WAVENUMBERS = np.array([1000.0, 1200.0, 1655.0])


def values(seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.random.default_rng(seed).uniform(0.05, 1.5, (4, 5, 3))


@given(st.permutations(range(3)))
def test_bands_are_put_in_ascending_order(order: list[int]) -> None:
    found = make_cube(values()[:, :, order], WAVENUMBERS[order])
    np.testing.assert_array_equal(found.wavenumbers, WAVENUMBERS)
    np.testing.assert_allclose(found.data, values(), rtol=1e-6)
    assert found.notices == ()


@pytest.mark.parametrize(("scale", "unit"), [(100, "auto"), (100, "percent"), (1, "transmittance")])
def test_transmittance_becomes_absorbance(scale: float, unit: str) -> None:
    found = make_cube(scale * 10 ** -values(), WAVENUMBERS, unit)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.data, values(), rtol=1e-4)
    assert len(found.notices) == 1


def test_no_light_at_all_is_finite() -> None:
    assert make_cube(np.zeros((2, 2, 3)), WAVENUMBERS, "percent").data.max() == pytest.approx(4)


def test_missing_numbers_are_told() -> None:
    spoilt = values()
    spoilt[0, 0] = np.nan, np.inf, -np.inf
    found = make_cube(spoilt, WAVENUMBERS)
    assert (found.data[0, 0] == 0).all()
    assert found.notices == ("5.00% of the numbers were missing and are 0.",)
    with pytest.raises(UserError, match="cube_unreadable"):
        make_cube(np.full((2, 2, 3), np.nan), WAVENUMBERS)


@pytest.mark.parametrize(
    "wavenumbers", [[1000.0, 1200.0], [1000.0, 1200.0, np.nan], [0.0, 1.0, 2.0], [["a", "b", "c"]]]
)
def test_a_wavenumber_for_each_band(wavenumbers: list[float]) -> None:
    with pytest.raises(UserError, match="no_wavenumbers"):
        make_cube(values(), np.array(wavenumbers))


def test_limits() -> None:
    with pytest.raises(UserError, match="cube_too_large"):
        make_cube(np.zeros((1, 1, 2049)), np.arange(1.0, 2050))
    with pytest.raises(UserError, match="cube_unreadable"):
        make_cube(np.zeros((0, 5, 3)), WAVENUMBERS)
    with pytest.raises(UserError, match="cube_unreadable"):
        make_cube(np.full((1, 1, 3), "a"), WAVENUMBERS)
