import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import UserError
from core.spectra.cube import Reading, make_cube

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
    found = make_cube(scale * 10 ** -values(), WAVENUMBERS, Reading(scale=unit))  # type: ignore[arg-type]
    np.testing.assert_allclose(found.data, values(), rtol=1e-4)
    assert len(found.notices) == 1


def test_no_light_at_all_is_finite() -> None:
    assert make_cube(np.zeros((2, 2, 3)), WAVENUMBERS, Reading(scale="percent")).data.max() == pytest.approx(4)


def test_missing_numbers_are_interpolated_or_the_spectrum_is_left_out() -> None:
    ramp = np.broadcast_to(np.linspace(0.1, 1, 10), (4, 5, 10)).copy()
    ramp[0, 0, 4] = np.nan
    ramp[1, 1, :3] = np.nan, np.inf, -np.inf
    found = make_cube(ramp, np.linspace(1000, 1900, 10))
    assert found.data[0, 0, 4] == pytest.approx(0.5)
    assert np.argwhere(~found.valid).tolist() == [[1, 1]]
    assert found.notices == (
        "Missing numbers in 1 spectra were interpolated.",
        "1 spectra lack more than 20% of their bands and are left out.",
    )
    with pytest.raises(UserError, match="cube_unreadable"):
        make_cube(np.full((2, 2, 3), np.nan), WAVENUMBERS)


def peaks(wavenumbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Absorbance of tissue, roughly: amide I and II over a weak slope."""
    amide = sum(height * np.exp(-(((wavenumbers - at) / 25) ** 2)) for at, height in ((1655, 0.8), (1545, 0.5)))
    return np.asarray(0.02 + amide) * np.linspace(0.8, 1.2, 20).reshape(4, 5, 1)


@pytest.mark.parametrize("scale", [1, 100])
def test_transmittance_is_known_by_its_dips(scale: float) -> None:
    at = np.linspace(950, 1850, 91)
    found = make_cube(scale * 10 ** -peaks(at), at)
    np.testing.assert_allclose(found.data, peaks(at), rtol=1e-3)
    assert "taken for transmittance" in found.notices[0]
    normalised = peaks(at) / peaks(at).max()
    np.testing.assert_allclose(make_cube(normalised, at).data, normalised, rtol=1e-6)


def test_counts_are_not_transmittance() -> None:
    at = np.linspace(400, 3200, 281)
    counts = 3000 + 2e4 * peaks(at)
    found = make_cube(counts, at)
    np.testing.assert_allclose(found.data, counts, rtol=1e-6)
    assert found.raman and "counts" in found.notices[0]
    assert make_cube(counts, at, Reading(raman=True)).notices == ()
    with pytest.raises(UserError, match="unit_unknown"):
        make_cube(counts, at, Reading(raman=False))
    with pytest.raises(UserError, match="unit_unknown"):
        make_cube(20 + 50 * peaks(at), at)


@pytest.mark.parametrize("written", ["transmittance", "reflectance"])
def test_the_unit_of_the_file_counts(written: str) -> None:
    rising = 0.2 + 0.7 * peaks(WAVENUMBERS)
    found = make_cube(rising, WAVENUMBERS, Reading(written_scale=written))
    np.testing.assert_allclose(found.data, -np.log10(rising), rtol=1e-4)
    assert written in found.notices[0]
    dips = 10 ** -peaks(WAVENUMBERS)
    np.testing.assert_allclose(make_cube(dips, WAVENUMBERS, Reading(written_scale="absorbance")).data, dips, rtol=1e-6)


def test_negative_shifts_stay() -> None:
    found = make_cube(np.ones((1, 1, 3)), np.array([-200.0, 300.0, 900.0]), Reading(written_axis="Raman shift"))
    assert found.raman
    assert found.wavenumbers.tolist() == [-200, 300, 900]


def test_many_bands_are_averaged_and_a_range_is_kept() -> None:
    at = np.linspace(600, 4000, 5000)
    cube = np.broadcast_to(at / 4000, (1, 2, 5000))
    found = make_cube(cube, at)
    assert found.data.shape == (1, 2, 2048) and found.notices == ("5000 bands were averaged to 2048.",)
    np.testing.assert_allclose(found.data[0, 0], found.wavenumbers / 4000, rtol=1e-5)
    few = make_cube(cube, at, Reading(keep=(900, 1800), bands=100))
    assert few.data.shape == (1, 2, 100) and few.wavenumbers[0] >= 900 and few.wavenumbers[-1] <= 1800
    with pytest.raises(UserError, match="no_wavenumbers"):
        make_cube(cube, at, Reading(keep=(100, 200)))


@pytest.mark.parametrize(
    "wavenumbers", [[1000.0, 1200.0], [1000.0, 1200.0, np.nan], [0.0, 1.0, 2.0], [["a", "b", "c"]]]
)
def test_a_wavenumber_for_each_band(wavenumbers: list[float]) -> None:
    with pytest.raises(UserError, match="no_wavenumbers"):
        make_cube(values(), np.array(wavenumbers))


def test_limits() -> None:
    with pytest.raises(UserError, match="cube_unreadable"):
        make_cube(np.zeros((0, 5, 3)), WAVENUMBERS)
    with pytest.raises(UserError, match="cube_unreadable"):
        make_cube(np.full((1, 1, 3), "a"), WAVENUMBERS)
