from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import UserError
from core.spectra.axis import CONVERSIONS, read_axis, unit_of

EVEN = np.linspace(900.0, 1800.0, 91)


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("Micrometers", "micrometre"),
        ("um", "micrometre"),
        ("µm", "micrometre"),
        ("μm", "micrometre"),
        ("Âµm", "micrometre"),
        ("microns", "micrometre"),
        ("Wavelength (µm)", "micrometre"),
        ("Nanometers", "nanometre"),
        ("Wavelength [nm]", "nanometre"),
        ("Wavenumber (cm-1)", "wavenumber"),
        ("cm^-1", "wavenumber"),
        ("cm⁻¹", "wavenumber"),
        ("1/cm", "wavenumber"),
        ("Raman shift (cm-1)", "raman"),
        ("RamanShift", "raman"),
        ("Angstroms", "angstrom"),
        ("GHz", "gigahertz"),
        ("Unknown", ""),
        ("", ""),
    ],
)
def test_units_as_files_write_them(written: str, unit: str) -> None:
    assert unit_of(written) == unit


@pytest.mark.parametrize("written", ["Micrometers", "Nanometers", "Angstroms", "mm", "m", "GHz", "eV", "cm-1"])
def test_a_declared_unit_is_turned_into_wavenumbers(written: str) -> None:
    factor = {"micrometre": 1e4, "nanometre": 1e7, "angstrom": 1e8, "millimetre": 10, "metre": 0.01}
    unit = unit_of(written)
    assert unit in CONVERSIONS
    positions = factor[unit] / EVEN if unit in factor else EVEN
    if unit == "gigahertz":
        positions = EVEN * 29.9792458
    if unit == "electronvolt":
        positions = EVEN / 8065.54394
    np.testing.assert_allclose(read_axis(positions, written).wavenumbers, EVEN)


@pytest.mark.parametrize("written", ["", "Unknown"])
@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        (EVEN, EVEN),
        (1e4 / EVEN, EVEN),
        (1e7 / EVEN, EVEN),
        (1e7 / np.linspace(950, 3900, 90), np.linspace(950, 3900, 90)),
    ],
)
def test_without_a_unit_the_range_decides(
    positions: NDArray[np.float64], expected: NDArray[np.float64], written: str
) -> None:
    found = read_axis(positions, written)
    np.testing.assert_allclose(found.wavenumbers, expected)
    assert (positions is EVEN and not written) or "were taken for" in found.notices[0]


@pytest.mark.parametrize(
    "positions",
    [
        np.arange(0.0, 300),
        np.arange(1.0, 1700),
        np.linspace(400, 1000, 100),
        np.linspace(4000, 10_000, 200),
        np.linspace(1e5, 2e5, 20),
        np.array([np.nan, 1000]),
        np.zeros((2, 2)),
        np.array([]),
    ],
)
def test_what_no_unit_makes_plausible_or_two_do_is_refused(positions: NDArray[np.float64]) -> None:
    with pytest.raises(UserError, match="no_wavenumbers"):
        read_axis(positions)


def test_the_user_goes_before_the_file() -> None:
    np.testing.assert_allclose(read_axis(EVEN, "Micrometers", "wavenumber").wavenumbers, EVEN)
    np.testing.assert_allclose(read_axis(np.linspace(400, 1000, 9), "", "nanometre").wavenumbers[0], 25_000)
    with pytest.raises(UserError, match="cannot be"):
        read_axis(EVEN, "Micrometers")


def test_shifts_may_be_negative_and_wavenumbers_not() -> None:
    positions = np.linspace(-100, 3000, 32)
    assert read_axis(positions, "Raman shift").wavenumbers.tolist() == positions.tolist()
    assert read_axis(positions).raman and not read_axis(EVEN).raman
    whole = np.linspace(0, 7800, 79)
    found = read_axis(whole)
    assert found.kept.sum() == 78 and not found.kept[0] and "left out" in found.notices[0]
