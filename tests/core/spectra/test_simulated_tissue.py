from dataclasses import replace

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from core.spectra.microscope import absorbance, blur
from core.spectra.noise import noise_of, noise_of_each
from core.spectra.patches import PatchSet
from core.spectra.reference_spectra import ENDMEMBERS
from core.spectra.simulated_tissue import (
    CLASSES,
    CUE_RANGE,
    LADDER,
    PRESETS,
    SHIFTS,
    WAVENUMBERS,
    Shift,
    Slides,
    simulate,
)
from core.spectra.tissue_structure import MEANS, concentrations, fibres, nuclei, stream


def spectral_accuracy(train: PatchSet, test: PatchSet) -> float:
    shallow = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(train.spectra(), train.labels)
    return float(shallow.score(test.spectra(), test.labels))


@pytest.mark.parametrize("preset", PRESETS)
def test_both_pictures_of_each_patch(preset: str) -> None:
    found = simulate(preset, 12, 3)
    assert found.ir.shape == (12, 32, 24, 24)
    assert found.rgb is not None and found.rgb.shape == (12, 3, 24, 24)
    assert found.ir.dtype == found.rgb.dtype == np.float32
    assert 0 <= found.rgb.min() < found.rgb.max() <= 1
    # absorbance as a section of a few micrometres has it
    assert 0.3 < np.quantile(found.ir, 0.99) < 1.5
    np.testing.assert_array_equal(np.bincount(found.labels), 3)
    assert found.classes == CLASSES


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_seed_fixes_everything(shift: Shift) -> None:
    one, same, other = (simulate("density", 8, seed, shift) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.ir, same.ir)
    np.testing.assert_array_equal(one.rgb, same.rgb)
    assert one.groups is not None and other.groups is not None
    assert not set(one.groups) & set(other.groups)
    assert abs(one.ir - other.ir).max() > 0.05


def test_no_two_shifts_share_a_slide() -> None:
    found = [set(np.asarray(simulate("none", 40, 5, shift).groups)) for shift in SHIFTS]
    assert [len(slides) for slides in found] == [10, 20, 10]
    assert len(set.union(*found)) == 40


def test_absorbance_is_linear_in_thickness_and_concentration() -> None:
    rng = stream(0, "test")
    shapes = {name: rng.random((3, 6, 6), np.float32) for name in ENDMEMBERS}
    once = absorbance(shapes, WAVENUMBERS, np.ones(3))
    for factor in (0.5, 2.0, 7.0):
        np.testing.assert_allclose(absorbance(shapes, WAVENUMBERS, np.full(3, factor)), factor * once, rtol=1e-5)
        more = {name: np.float32(factor) * values for name, values in shapes.items()}
        np.testing.assert_allclose(absorbance(more, WAVENUMBERS, np.ones(3)), factor * once, rtol=1e-5)


def test_a_clean_simulation_obeys_beer_and_lambert() -> None:
    still = Slides(1, thickness_spread=0)
    clean = replace(PRESETS["none"], noise=0, baseline=0, mie=0, home=still)
    thick = replace(clean, home=replace(still, thickness=1.7))
    one, other = simulate(clean, 4, 0), simulate(thick, 4, 0)
    np.testing.assert_allclose(other.ir, 1.7 * one.ir, rtol=1e-5)


def test_density_is_in_the_cube_and_says_nothing_in_a_conflict() -> None:
    found = simulate("density", 160, 0)
    cue = np.asarray(found.cue)
    assert np.corrcoef(np.log(found.spectra().mean(axis=1)), cue)[0, 1] > 0.85
    means = [cue[found.labels == label].mean() for label in range(4)]
    np.testing.assert_allclose(means, CUE_RANGE * LADDER, atol=0.03)
    random = simulate("density", 160, 0, "conflict")
    assert abs(np.corrcoef(np.asarray(random.cue), LADDER[random.labels])[0, 1]) < 0.2


def test_a_mean_spectrum_is_enough_with_a_cue_and_useless_without() -> None:
    for preset, low, high in (("density", 0.6, 0.9), ("band", 0.5, 0.9), ("none", 0.1, 0.4)):
        train = simulate(preset, 240, 1)
        assert low < spectral_accuracy(train, simulate(preset, 120, 101)) < high, preset
        assert spectral_accuracy(train, simulate(preset, 120, 101, "conflict")) < 0.4, preset


def test_the_noise_of_a_noise_floor_goes_with_the_class() -> None:
    found = simulate("noise-floor", 80, 0)
    noise = noise_of_each(found.ir, noise_of(found.ir))
    assert np.corrcoef(np.log(noise), np.asarray(found.cue))[0, 1] > 0.9
    assert spectral_accuracy(found, simulate("noise-floor", 80, 100)) < 0.45


def test_another_laboratory_cuts_thicker() -> None:
    away, home = (simulate("none", 60, 0, shift).spectra().mean() for shift in ("external", "id"))
    assert away / home == pytest.approx(1.10, abs=0.05)


def test_long_waves_are_less_sharp() -> None:
    point = np.zeros((1, 2, 15, 15), np.float32)
    point[:, :, 7, 7] = 1
    found = blur(point, np.array([1.0, 0.0]))
    np.testing.assert_allclose(found.sum(axis=(2, 3)), 1, rtol=1e-5)
    assert found[0, 0].max() == pytest.approx(1 / (2 * np.pi), rel=0.02)
    np.testing.assert_array_equal(found[0, 1], point[0, 1])


def test_no_component_differs_in_amount_between_classes() -> None:
    count = 400
    large, isotropic = np.arange(count) % 2, np.arange(count) % 4 >= 2
    rng = stream(1, "maps")
    disks = nuclei(np.where(large, 2.3, 1.5), np.where(large, 8, 18), 24, rng)
    found = concentrations(disks, fibres(isotropic, 24, rng), 0.8, rng)
    assert tuple(found) == tuple(ENDMEMBERS)
    for name, values in found.items():
        level = values.mean(axis=(1, 2))
        assert level.mean() == pytest.approx(MEANS[name], rel=0.02)
        assert level[large == 1].mean() == pytest.approx(level[large == 0].mean(), rel=0.03), name
        assert level[isotropic].mean() == pytest.approx(level[~isotropic].mean(), rel=0.03), name


def test_bundles_have_a_direction() -> None:
    fields = fibres(np.arange(60) % 2 == 1, 24, stream(0, "fibres")).astype(np.float64)
    down, across = np.gradient(fields, axis=(1, 2))
    tensor = np.array([[(down * down).mean((1, 2)), (down * across).mean((1, 2))]])
    tensor = np.vstack((tensor, [[(down * across).mean((1, 2)), (across * across).mean((1, 2))]])).transpose(2, 0, 1)
    low, high = np.linalg.eigvalsh(tensor).T
    coherence = (high - low) / (high + low)
    assert coherence[::2].mean() > 0.7 > 0.5 > coherence[1::2].mean()


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(ValueError, match="density, strong"):
        simulate("fat", 4, 0)
    with pytest.raises(ValueError, match="id, external"):
        simulate("none", 4, 0, "other")  # type: ignore[arg-type]
