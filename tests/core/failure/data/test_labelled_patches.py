from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from scipy.signal import savgol_filter
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_score

from core.errors import UserError
from core.failure.data.image_patches import Window
from core.failure.data.labelled_patches import Loaded, patches_of, read_patches
from core.failure.data.loader import load
from core.failure.data.reading_options import Options, options_of
from core.failure.data.splits import NO_GROUPS, folds
from core.failure.task import TASK, Settings
from core.spectra.simulated_tissue import simulate

WAVENUMBERS = np.array([1100.0, 1300.0, 1655.0])


def arrays(**changed: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(0)
    found: dict[str, NDArray[Any] | None] = {
        "ir": rng.random((8, 3, 5, 5)).astype(np.float32),
        "y": np.arange(8) % 2,
        "wn": WAVENUMBERS,
        "group": np.array(list("aabbccdd")),
    }
    return {name: array for name, array in (found | changed).items() if array is not None}


def test_patches_in_either_order_of_axes() -> None:
    given = arrays()
    one = patches_of(given).patches
    other = patches_of(given | {"ir": given["ir"].transpose(0, 2, 3, 1)}).patches
    np.testing.assert_array_equal(one.ir, given["ir"])
    np.testing.assert_array_equal(other.ir, one.ir)
    np.testing.assert_array_equal(one.groups, [0, 0, 1, 1, 2, 2, 3, 3])


def test_what_was_simulated_is_read_as_it_was(tmp_path: Path) -> None:
    made = simulate("density", 16, 0)
    assert made.rgb is not None and made.groups is not None
    names = np.array(made.classes)
    np.savez(
        tmp_path / "a", ir=made.ir, rgb=made.rgb, y=made.labels, wn=made.wavenumbers, group=made.groups, classes=names
    )
    loaded = read_patches([tmp_path / "a.npz"])
    assert loaded.notices == ()
    np.testing.assert_array_equal(loaded.patches.ir, made.ir)
    np.testing.assert_allclose(np.asarray(loaded.patches.rgb), made.rgb)
    np.testing.assert_array_equal(loaded.patches.labels, made.labels)
    assert loaded.patches.classes == made.classes


def test_bands_labels_and_groups_of_any_kind() -> None:
    loaded = patches_of(
        arrays(
            wn=WAVENUMBERS[::-1], y=np.array(["b", "a", "", "b"] * 2), classes=np.array(["left", "right"]), group=None
        )
    )
    np.testing.assert_array_equal(loaded.patches.wavenumbers, WAVENUMBERS)
    assert loaded.patches.classes == ("a", "b")
    np.testing.assert_array_equal(loaded.patches.labels, [1, 0, 1] * 2)
    assert loaded.notices == ("2 patches without a label were left out.", NO_GROUPS)
    numbered = patches_of(arrays(y=np.array([2, 1] * 4), classes=np.array(["none", "left", "right"]))).patches
    assert numbered.classes == ("left", "right")


def test_stained_pictures_in_eight_bits() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (8, 10, 10, 3), np.uint8)
    found = patches_of(arrays(rgb=rgb)).patches.rgb
    assert found is not None
    np.testing.assert_allclose(found, rgb.transpose(0, 3, 1, 2) / 255, rtol=1e-6)


@pytest.mark.parametrize("bands_last", [True, False])
def test_an_image_is_cut_into_patches(bands_last: bool) -> None:
    rng = np.random.default_rng(0)
    cube = 0.5 + rng.random((24, 20, 3))
    mask = np.repeat(np.repeat([[1, 2], [2, 1]], 12, axis=0), 10, axis=1)
    given = {"cube": cube if bands_last else cube.transpose(2, 0, 1), "mask": mask, "wn": WAVENUMBERS}
    loaded = patches_of(given, Options(window=Window(6, 6)))
    assert loaded.patches.ir.shape == (8, 3, 6, 6)
    np.testing.assert_allclose(loaded.patches.ir[0], cube[:6, :6].transpose(2, 0, 1), rtol=1e-6)
    assert loaded.notices == (NO_GROUPS,)
    once = patches_of(given | {"patient": np.array("p1")}, Options(window=Window(6, 6)))
    np.testing.assert_array_equal(once.patches.groups, 0)


def test_a_tiff_stack_with_a_label_picture(tmp_path: Path) -> None:
    cube = (0.5 + np.random.default_rng(0).random((3, 16, 16))).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", cube, photometric="minisblack")
    mask = np.zeros((16, 16), np.uint8)
    mask[:, :8], mask[:, 8:] = 1, 2
    Image.fromarray(mask).save(tmp_path / "mask.png")
    paths = [tmp_path / "a.tif"], tmp_path / "mask.png"
    with pytest.raises(UserError, match="no_wavenumbers"):
        read_patches(*paths)
    loaded = read_patches(*paths, Options(positions=(1000, 1800), window=Window(4, 4)))
    np.testing.assert_array_equal(loaded.patches.wavenumbers, [1000, 1400, 1800])
    assert len(loaded.patches) == 16


@pytest.mark.parametrize("told", ["% Transmittance", "Transmittance"])
def test_envi_in_transmittance(tmp_path: Path, told: str) -> None:
    absorbance = np.random.default_rng(0).uniform(0.1, 1, (8, 8, 3))
    light = 10**-absorbance * (100 if told.startswith("%") else 1)
    (tmp_path / "a.dat").write_bytes(light.astype("<f4").tobytes())
    (tmp_path / "a.hdr").write_text(
        "ENVI\nsamples = 8\nlines = 8\nbands = 3\ndata type = 4\ninterleave = bip\n"
        f"data units = {told}\nwavelength = {{1100, 1300, 1655}}\n"
    )
    np.save(tmp_path / "mask.npy", np.repeat([[1] * 4 + [2] * 4], 8, axis=0))
    loaded = read_patches([tmp_path / "a.hdr"], tmp_path / "mask.npy", Options(window=Window(4, 4)))
    np.testing.assert_allclose(loaded.patches.ir[0], absorbance[:4, :4].transpose(2, 0, 1), rtol=1e-4)
    assert "absorbance" in loaded.notices[0]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"ir": None}, "cube_unreadable"),
        ({"ir": np.array(["a"] * 8)}, "cube_unreadable"),
        ({"ir": np.zeros((8, 4, 5, 5))}, "no_wavenumbers"),
        ({"wn": None}, "no_wavenumbers"),
        ({"y": None}, "no_labels"),
        ({"y": np.zeros(8, int)}, "no_labels"),
        ({"y": np.full(8, 0.5)}, "no_labels"),
        ({"y": np.arange(7)}, "patches_mismatch"),
        ({"group": np.arange(7)}, "patches_mismatch"),
        ({"rgb": np.zeros((7, 3, 5, 5))}, "patches_mismatch"),
    ],
)
def test_what_does_not_belong_together_is_refused(changed: dict[str, NDArray[Any] | None], code: str) -> None:
    with pytest.raises(UserError) as error:
        patches_of(arrays(**changed))
    assert error.value.code == code


def test_collagen(shared_data: Path) -> None:
    """Real tissue: one number of a spectrum tells four classes nearly as well as all of it does."""
    found = read_patches([shared_data / "infrared" / "collagen.csv"]).patches
    assert found.classes == ("DNA", "collagen", "glycogen", "lipids")
    spectra, labels = found.spectra().astype(np.float64), found.labels
    assert PCA(1).fit(spectra).explained_variance_ratio_[0] == pytest.approx(0.640, abs=0.005)
    shuffled = StratifiedKFold(5, shuffle=True, random_state=0)
    one, full = [], []
    for train, test in shuffled.split(spectra, labels):
        trained = LinearDiscriminantAnalysis(solver="eigen", shrinkage=1e-3).fit(spectra[train], labels[train])
        full.append(trained.score(spectra[test], labels[test]))
        scores = [trained.transform(spectra[part])[:, :1] for part in (train, test)]
        one.append(LinearDiscriminantAnalysis().fit(scores[0], labels[train]).score(scores[1], labels[test]))
    assert np.mean(one) == pytest.approx(0.82, abs=0.03)
    assert np.mean(full) == pytest.approx(0.98, abs=0.02)


def test_brain_spectra_leak_between_folds(shared_data: Path) -> None:
    loaded = read_patches([shared_data / "infrared" / "ketan_brain_atr.npz"])
    found = loaded.patches
    assert loaded.notices == ()
    assert found.ir.shape == (439, 235, 1, 1)
    assert len(set(np.asarray(found.groups))) == 22
    spectra = savgol_filter(found.spectra(), 9, 2, deriv=2, axis=1)

    def accuracy(by: str) -> float:
        right = 0
        for test in folds(found, 5, 0, "group" if by == "group" else "patch"):
            train = np.setdiff1d(np.arange(len(found)), test)
            parts = PCA(12, random_state=0).fit(spectra[train])
            trained = LinearDiscriminantAnalysis().fit(parts.transform(spectra[train]), found.labels[train])
            right += int((trained.predict(parts.transform(spectra[test])) == found.labels[test]).sum())
        return right / len(found)

    # 0.81 where a patient's spectra lie on both sides, about 0.47 where not; the commonest class has 0.45
    by_spectrum, by_patient = accuracy("patch"), accuracy("group")
    assert by_spectrum > 0.75
    assert by_spectrum - by_patient > 0.2


def test_a_raman_map(shared_data: Path) -> None:
    loaded = read_patches([shared_data / "infrared" / "chondro.npz"])
    assert loaded.patches.ir.shape[1:] == (300, 1, 1)
    assert NO_GROUPS in loaded.notices
    scores = cross_val_score(LinearDiscriminantAnalysis(), loaded.patches.spectra(), loaded.patches.labels, cv=3)
    assert scores.mean() > 0.6


def test_a_run_of_a_tiff_stack_by_options_alone(tmp_path: Path) -> None:
    """What the page, the command line and Python give a run is enough to read a file that says nothing of itself."""
    rng = np.random.default_rng(0)
    wavelengths = 1e4 / np.linspace(1000, 1800, 4)
    cube = 10 ** -(0.3 + 0.2 * rng.random((4, 36, 36)))
    tifffile.imwrite(tmp_path / "a.tif", cube.astype(np.float32), photometric="minisblack")
    mask = np.repeat(np.repeat(np.arange(1, 5, dtype=np.uint8).reshape(2, 2), 18, axis=0), 18, axis=1)
    Image.fromarray(mask).save(tmp_path / "mask.png")
    given = {
        "scale": "transmittance", "axis": "micrometre", "wavenumbers": " ".join(map(str, wavelengths)),
        "keep": "1200-1900", "class_names": "fat, muscle, 3=fat, 4=muscle", "patch": 6, "step": 3, "amide": -10,
    }  # fmt: skip
    with pytest.raises(UserError, match="bad_parameter"):
        load(tmp_path / "a.tif", tmp_path / "mask.png", options_of(Settings(**TASK.parse(given))))  # type: ignore[arg-type]
    given["class_names"] = "1=fat, 2=muscle, 3=fat, 4=muscle"
    loaded = load(tmp_path / "a.tif", tmp_path / "mask.png", options_of(Settings(**TASK.parse(given))))  # type: ignore[arg-type]
    assert isinstance(loaded, Loaded)
    assert loaded.patches.classes == ("fat", "muscle")
    np.testing.assert_allclose(loaded.patches.wavenumbers, np.linspace(1000, 1800, 4)[1:])
    assert loaded.patches.ir.shape[1:] == (3, 6, 6) and len(loaded.patches) > 4 * 9
    np.testing.assert_allclose(loaded.patches.ir[0, 0], -np.log10(cube[1, :6, :6]), rtol=1e-4)
