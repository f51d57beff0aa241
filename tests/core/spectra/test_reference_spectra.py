from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import loadmat

from core.files.arrays import read_arrays
from core.spectra.reference_spectra import ENDMEMBERS, endmembers, mie

NAMES = tuple(ENDMEMBERS)


def spectrum(name: str, wavenumbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(endmembers(wavenumbers)[NAMES.index(name)])


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.corrcoef(one, other)[0, 1])


@pytest.mark.parametrize(
    ("name", "at"), [("protein", 1655), ("collagen", 1655), ("nucleic acid", 1085), ("lipid", 2924), ("glycogen", 1028)]
)
def test_a_component_absorbs_most_where_it_is_known_for(name: str, at: float) -> None:
    wavenumbers = np.arange(900.0, 3100)
    found = spectrum(name, wavenumbers)
    assert wavenumbers[found.argmax()] == pytest.approx(at, abs=12)
    assert found.min() >= 0


def test_scattering_tends_to_twice_the_cross_section() -> None:
    assert mie(np.array([1e7]), radius=50.0)[0] == pytest.approx(2, abs=1e-3)
    # rho^2 / 2 for a small sphere
    rho = 4 * np.pi * 0.1e-4 * 0.3 * 1000
    assert mie(np.array([1000.0]), radius=0.1)[0] == pytest.approx(rho**2 / 2, rel=1e-3)
    # the first maximum of the curve lies at rho = 4.09 and is 3.17 (van de Hulst, section 11.22)
    rho_axis = np.linspace(0.1, 12, 2000)
    curve = mie(rho_axis / (4 * np.pi * 5e-4 * 0.3))
    assert rho_axis[curve.argmax()] == pytest.approx(4.09, abs=0.02)
    assert curve.max() == pytest.approx(3.17, abs=0.01)


def test_tissue_measured_by_others_looks_like_the_components(shared_data: Path) -> None:
    table = read_arrays(shared_data / "infrared" / "collagen.csv")
    wavenumbers, spectra, kinds = table["wavenumbers"], table["spectra"], table["type"]
    mean = spectra.mean(axis=0)
    contrast = {kind: spectra[kinds == kind].mean(axis=0) - mean for kind in ("glycogen", "lipids", "collagen")}
    mixture = spectrum("protein", wavenumbers) + spectrum("collagen", wavenumbers)
    assert correlation(mean, mixture) > 0.9
    assert correlation(contrast["glycogen"], spectrum("glycogen", wavenumbers)) > 0.75
    assert correlation(contrast["lipids"], spectrum("lipid", wavenumbers)) > 0.7
    assert correlation(contrast["collagen"], spectrum("collagen", wavenumbers)) > 0.4


@pytest.mark.parametrize("name", ["casein", "matrigel"])
def test_protein_measured_by_others_looks_like_protein(shared_data: Path, name: str) -> None:
    wavenumbers, absorbance = loadmat(shared_data / "infrared" / f"{name}.mat")["AB"].T
    amide = (wavenumbers > 1480) & (wavenumbers < 1720)
    assert correlation(absorbance[amide], spectrum("protein", wavenumbers[amide])) > 0.8
