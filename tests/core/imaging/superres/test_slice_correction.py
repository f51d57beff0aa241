from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.imaging.superres.slice_correction import NOISIEST, NOISY, Slices, corrected, relax_for
from core.tasks import find
from core.volume import Volume
from tests.core.imaging.superres.alternating import SAMPLED, SPACING, Float, anatomy, gain

HEAD = SAMPLED.measure((anatomy(0) > 0).astype(np.float32)) > 0.5
BRIGHT = 500.0
EVEN = SAMPLED.measure(anatomy(0))
STRIPED = EVEN * gain(0.02, tilt=2)


def volume(image: Float) -> Volume:
    return Volume(image, np.diag([*SPACING, 1.0]))


def noisy(image: Float, share: float) -> Float:
    noise = share * BRIGHT * np.random.default_rng(0).normal(size=image.shape)
    return np.abs(image + noise).astype(np.float32)


def made(image: Float, **params: Any) -> Slices:
    return corrected(volume(image), HEAD, BRIGHT, 2, find("superres").parse(params))


def test_a_scan_that_needs_nothing_is_the_very_same() -> None:
    scan = volume(EVEN)
    found = corrected(scan, HEAD, BRIGHT, 2, find("superres").parse({}))
    assert found.image is scan.data and found.gain is None and not found.changed
    assert [note.level for note in found.notes] == ["info"] and "kept as measured" in found.notes[0].text


def test_alternating_slices_are_evened_out_reversibly() -> None:
    found = made(STRIPED)
    assert found.gain is not None and found.changed
    np.testing.assert_allclose(found.image * found.gain.gain, STRIPED, rtol=1e-6)
    tissue = EVEN > 200
    before, after = (np.abs(image - EVEN)[tissue].mean() for image in (STRIPED, found.image))
    assert after < 0.5 * before
    assert found.notes[0].level == "info" and "evened out first" in found.notes[0].text
    assert f"{200 * found.gain.typical:.1f}%" in found.notes[0].text


def test_evening_out_can_be_switched_off_and_is_then_missed() -> None:
    found = made(STRIPED, even=False)
    assert found.image is not None and not found.changed and found.gain is None
    np.testing.assert_array_equal(found.image, STRIPED)
    assert found.notes[0].level == "warning" and "Even out slices" in found.notes[0].text


def test_voxels_as_long_as_wide_are_not_slices() -> None:
    cubes = Volume(STRIPED, np.diag([2.0, 2.0, 2.5, 1.0]))
    assert corrected(cubes, HEAD, BRIGHT, 2, find("superres").parse({})).gain is None


@pytest.mark.parametrize(("share", "relaxed"), [(0.01, False), (0.04, True), (0.08, True)])
def test_relax_is_chosen_from_high_noise(share: float, relaxed: bool) -> None:
    image = noisy(EVEN, share)
    found = made(image)
    assert found.changed is relaxed
    if relaxed:
        before, after = (np.square(one - EVEN)[HEAD].mean() for one in (image, found.image))
        assert after < 0.7 * before
        assert "chosen from it" in found.notes[-1].text
    kept = made(image, denoise=False)
    assert not kept.changed
    assert ("Relax takes it out" in kept.notes[-1].text) is relaxed


def test_a_given_relax_is_taken_as_it_is() -> None:
    image = noisy(EVEN, 0.08)
    given, chosen = (made(image, relax=relax).image for relax in (0.25, 0))
    assert 0 < np.abs(given - image).mean() < 0.5 * np.abs(chosen - image).mean()
    np.testing.assert_array_equal(given, made(image, relax=0.25, denoise=False).image)
    assert "chosen" not in made(image, relax=0.25).notes[-1].text


def test_relax_rises_with_the_noise() -> None:
    shares = [relax_for(noise) for noise in np.linspace(0, 0.1, 101)]
    assert shares == sorted(shares) and set(shares) > {0.0, 1.0}
    assert relax_for(NOISY) == 0 and relax_for(NOISIEST) == 1
