import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from core.synth.labelmaps import CORTEX, CSF, LAST_BRAIN, WHITE
from core.synth.phantom import phantom
from core.synth.subject import Subject, subject

CONTRASTS = ("t1", "t1ce", "t2", "flair", "pd")
LESIONS = ("tumour", "plaques", "cavity")


@pytest.fixture(scope="module")
def tissues() -> NDArray[np.uint8]:
    return phantom(1, (64, 76, 64))


@pytest.fixture(scope="module")
def sick(tissues: NDArray[np.uint8]) -> dict[str, Subject]:
    return {lesion: subject(tissues, 4, ("t1", "flair"), lesion=lesion) for lesion in LESIONS}


@pytest.fixture(scope="module")
def well(tissues: NDArray[np.uint8]) -> Subject:
    return subject(tissues, 4, ("t1", "flair"))


def test_every_contrast_has_the_grid_and_its_brightness(tissues: NDArray[np.uint8]) -> None:
    made = subject(tissues, 4, CONTRASTS, whole_head=True)
    assert tuple(made.images) == CONTRASTS
    assert made.lesion is None
    assert made.healthy == {}
    assert made.tissues.dtype == np.uint8
    assert made.tissues.shape == tissues.shape
    deep = {tissue: ndimage.binary_erosion(made.tissues == tissue) for tissue in (CSF, WHITE)}
    for contrast, image in made.images.items():
        assert image.dtype == np.float32
        assert image.shape == tissues.shape
        assert np.isfinite(image).all()
        assert image.min() >= 0
        assert np.median(image[made.tissues == WHITE]) == pytest.approx(1, abs=0.01)
        if contrast != "pd":
            assert (np.median(image[deep[CSF]]) > 1.5) == (contrast == "t2")


def test_a_stripped_scan_is_zero_outside_the_brain(tissues: NDArray[np.uint8]) -> None:
    made = subject(tissues, 4, ("t2",))
    assert (made.images["t2"][made.tissues == 0] == 0).all()
    inside = ndimage.binary_fill_holes(made.tissues > 0)
    assert inside.sum() == pytest.approx((made.tissues > 0).sum(), rel=0.002)


def test_contrasts_share_their_anatomy(tissues: NDArray[np.uint8]) -> None:
    made = subject(tissues, 5, ("t1", "t2"))
    brain = (made.tissues > 0) & (made.tissues <= LAST_BRAIN)
    assert np.corrcoef(made.images["t1"][brain], made.images["t2"][brain])[0, 1] < -0.5


def test_the_seed_is_the_subject_and_contrasts_do_not_disturb_each_other(
    tissues: NDArray[np.uint8], well: Subject
) -> None:
    one = subject(tissues, 4, ("flair",))
    assert np.array_equal(well.images["flair"], one.images["flair"])
    assert np.array_equal(well.tissues, one.tissues)
    assert not np.array_equal(subject(tissues, 6, ("flair",)).images["flair"], one.images["flair"])


@pytest.mark.parametrize("lesion", LESIONS)
def test_the_healthy_pair_is_the_subject_without_the_lesion(
    lesion: str, sick: dict[str, Subject], well: Subject
) -> None:
    made = sick[lesion]
    assert made.lesion is not None
    assert made.lesion.dtype == bool
    assert (well.tissues == made.tissues).all()
    for contrast in ("t1", "flair"):
        assert np.array_equal(made.healthy[contrast], well.images[contrast])


@pytest.mark.parametrize("lesion", LESIONS)
def test_a_lesion_looks_like_one(lesion: str, sick: dict[str, Subject]) -> None:
    made = sick[lesion]
    assert made.lesion is not None
    white = made.lesion & (made.tissues == WHITE)
    assert white.sum() > 20
    assert np.median(made.images["t1"][white]) < 0.9 * np.median(made.healthy["t1"][white])
    bright = np.percentile(made.images["flair"][made.lesion], 80)
    assert bright > 1.25 * np.median(made.healthy["flair"][white])


@pytest.mark.parametrize("lesion", LESIONS)
def test_beyond_its_reach_a_lesion_changes_nothing(
    lesion: str, tissues: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    # as small beside the small phantom as a lesion is beside a brain
    monkeypatch.setattr("core.synth.disease.MILLILITRES", (0.4, 0.8))
    monkeypatch.setattr("core.synth.disease.PLAQUES", (1, 2))
    made = subject(tissues, 2, ("t1",), lesion=lesion)
    assert made.lesion is not None
    different = made.images["t1"] != made.healthy["t1"]
    assert different[made.lesion].mean() > 0.95
    far = ndimage.distance_transform_edt(~made.lesion) > 24
    brain = (made.tissues > 0) & (made.tissues <= LAST_BRAIN)
    assert (far & brain).sum() > 2000
    assert not different[far].any()


def test_only_a_mass_moves_tissue(sick: dict[str, Subject]) -> None:
    far = {}
    for lesion in ("tumour", "plaques"):
        made = sick[lesion]
        assert made.lesion is not None
        near = ndimage.binary_dilation(made.lesion, iterations=3)
        edge = (made.tissues == CORTEX) & ~near
        far[lesion] = float((np.abs(made.images["t1"] - made.healthy["t1"])[edge] > 0.1).mean())
    assert far["plaques"] < 0.001 < far["tumour"]


def test_unknown_names_are_refused(tissues: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="contrast"):
        subject(tissues, 0, ("ct",))
    with pytest.raises(ValueError, match="lesion"):
        subject(tissues, 0, ("t1",), lesion="stroke")
    with pytest.raises(ValueError, match="white matter"):
        subject(np.zeros((20, 20, 20), np.uint8), 0, ("t1",), lesion="tumour")
