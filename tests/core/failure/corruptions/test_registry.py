from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.failure.corruptions.registry import CORRUPTIONS, SEVERITIES, corruptions_of
from core.spectra.noise import noise_of, noise_of_each
from core.spectra.patches import PatchSet
from core.spectra.reference_spectra import STAINS
from core.spectra.simulated_tissue import simulate

IR, RGB = corruptions_of("ir"), corruptions_of("rgb")


@pytest.fixture(scope="module")
def tissue() -> PatchSet:
    return simulate("none", 24, 0)


def images_of(tissue: PatchSet, name: str) -> NDArray[np.float32]:
    found = tissue.rgb if name in RGB else tissue.ir
    return np.asarray(found)


def corrupt(tissue: PatchSet, name: str, severity: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return CORRUPTIONS[name].apply(images_of(tissue, name), tissue.wavenumbers, severity, rng)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_grows_with_severity_and_keeps_what_it_was_given(tissue: PatchSet, name: str) -> None:
    images = images_of(tissue, name)
    before = images.copy()
    changes = []
    for severity in SEVERITIES:
        found = corrupt(tissue, name, severity)
        assert found.shape == images.shape
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found, corrupt(tissue, name, severity))
        changes.append(float(np.sqrt(np.mean((found - images) ** 2))))
    np.testing.assert_array_equal(images, before)
    assert changes[0] > 1e-4
    # specks and dead bands fall where they fall: what is drawn at random need not grow at every step
    assert changes[-1] > 1.5 * changes[0]
    assert all(later > 0.8 * earlier for earlier, later in pairwise(changes))


@pytest.mark.parametrize("name", RGB)
def test_pictures_stay_pictures(tissue: PatchSet, name: str) -> None:
    found = corrupt(tissue, name, 5)
    assert 0 <= found.min() <= found.max() <= 1


def test_a_severity_is_one_to_five(tissue: PatchSet) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        corrupt(tissue, "noise", 6)


def test_a_thinner_section_is_as_noisy_as_before() -> None:
    flat = (0.5 + 0.01 * np.random.default_rng(0).standard_normal((20, 16, 24, 24))).astype(np.float32)
    for severity, factor in enumerate(CORRUPTIONS["thickness_down"].severities, 1):
        thin = CORRUPTIONS["thickness_down"].apply(flat, np.arange(16.0), severity, np.random.default_rng(1))
        assert thin.mean() == pytest.approx(0.5 * factor, rel=1e-3)
        assert thin.std() == pytest.approx(0.01, rel=0.03)


def test_the_noise_floor_hides_who_is_noisy() -> None:
    tissue = simulate("noise-floor", 48, 0)
    level = noise_of(tissue.ir)

    def per_signal(images: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(noise_of_each(images, level) / images.mean(axis=(1, 2, 3)), np.float64)

    before = per_signal(tissue.ir)
    after = per_signal(corrupt(tissue, "noise_floor", 2))
    assert np.corrcoef(before, np.asarray(tissue.cue))[0, 1] > 0.8
    assert after.std() / after.mean() < 0.25 * before.std() / before.mean()


@given(st.floats(1000, 1600))
def test_shifted_wavenumbers_read_the_spectrum_further_up(centre: float) -> None:
    wavenumbers = np.arange(900.0, 1802, 4)
    band = np.exp(-0.5 * ((wavenumbers - centre) / 15) ** 2)
    further = np.exp(-0.5 * ((wavenumbers + 8 - centre) / 15) ** 2)
    found = CORRUPTIONS["wn_shift"].apply(
        band[None, :, None, None].astype(np.float32), wavenumbers, 5, np.random.default_rng(0)
    )
    np.testing.assert_allclose(found[0, :, 0, 0], further, atol=1e-3)


def test_a_spectrum_alone_suffers_what_needs_no_pixels() -> None:
    spectra = np.random.default_rng(0).random((10, 40, 1, 1), np.float32)
    wavenumbers = np.linspace(900, 1800, 40)
    for name, each in corruptions_of("ir", spatial=False).items():
        found = each.apply(spectra, wavenumbers, 3, np.random.default_rng(0))
        assert found.shape == spectra.shape, name
        assert np.isfinite(found).all(), name
        assert (found != spectra).any(), name


@pytest.mark.parametrize(("name", "channel"), [("haematoxylin_up", 0), ("eosin_up", 1)])
def test_a_stain_is_scaled_without_the_other(name: str, channel: int) -> None:
    amounts = np.random.default_rng(0).uniform(0.1, 0.9, (2, 8, 8))
    picture = np.exp(-np.einsum("shw,sc->chw", amounts, STAINS))[None].astype(np.float32)
    found = CORRUPTIONS[name].apply(picture, np.ones(1), 5, np.random.default_rng(0))
    density = -np.log(found[0].astype(np.float64))
    taken = np.einsum("chw,cs->shw", density, np.linalg.pinv(STAINS))
    expected = amounts.copy()
    expected[channel] *= 1.25
    np.testing.assert_allclose(taken, expected, atol=5e-3)


def test_raman_spectra_have_changes_of_their_own() -> None:
    of_raman = corruptions_of("ir", of_raman=True)
    assert {"power_up", "power_down", "fluorescence"} <= set(of_raman) and not {"mie", "fringe", "thickness_up"} & set(
        of_raman
    )
    assert not {"power_up", "power_down", "fluorescence"} & set(IR) and {"wn_shift", "baseline_slope"} <= set(of_raman)


def test_less_power_has_the_noise_of_fewer_counts() -> None:
    rng = np.random.default_rng(0)
    flat = np.asarray(5 + 0.1 * rng.standard_normal((40, 16, 20, 20)), np.float32)
    for severity, factor in enumerate(CORRUPTIONS["power_down"].severities, 1):
        found = CORRUPTIONS["power_down"].apply(flat, np.arange(16.0), severity, np.random.default_rng(1))
        assert found.mean() == pytest.approx(5 * factor, rel=1e-3)
        assert found.std() == pytest.approx(0.1 * np.sqrt(factor), rel=0.03)


def test_fluorescence_is_broad_and_has_its_height() -> None:
    shifts = np.linspace(400, 1800, 60)
    flat = np.ones((30, 60, 2, 2), np.float32)
    added = CORRUPTIONS["fluorescence"].apply(flat, shifts, 3, np.random.default_rng(0)) - flat
    np.testing.assert_allclose(added.max(axis=(1, 2, 3)), 0.2, rtol=1e-3)
    assert np.abs(np.diff(added, axis=1)).max() < 0.02
    assert added[:, :, 0, 0].std(axis=0).min() > 0.005
