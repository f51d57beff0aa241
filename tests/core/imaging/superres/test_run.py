from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.acquisition import Acquisition, Axis, whole
from core.errors import UserError
from core.events import Finished
from core.files.nifti import Stored, read_stored, write_stored
from core.imaging.drive import options_of
from core.imaging.problem import ThickScan
from core.imaging.superres.network import blocks, setting
from core.imaging.superres.run import read_case
from core.job import run
from core.measure.stripes import stripes
from core.tasks import find
from core.volume import slanted_axis
from tests.contract.phantom import write_thick, write_tiny_networks
from tests.core.imaging.superres.alternating import SAMPLED, SPACING, anatomy, gain

TASK = find("superres")


@pytest.fixture(autouse=True)
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    write_tiny_networks(folder, ["superres-volume", "superres-plane", "superres-fusion"])
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", str(folder))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_thick(tmp_path)["image"]


def done(image: Path, out: Path, reference: Path | None = None, **params: Any) -> Finished:
    inputs = {"image": image} | ({"reference": reference} if reference else {})
    return run("superres", inputs, out, device="cpu", **params)


def made(finished: Finished, name: str = "result") -> Stored:
    return read_stored(Path(finished.files[name]))


def row(finished: Finished, method: str = "volume") -> dict[str, Any]:
    found = finished.result.row(method)
    assert found is not None
    return dict(found.values)


def test_the_written_result_gives_the_scan_back(image: Path, tmp_path: Path) -> None:
    finished = done(image, tmp_path / "out", samples=1)
    result, scan = made(finished), read_stored(image)
    # slices run along the second axis of the file, three voxels to each
    assert result.values.dtype == np.float32
    slices = result.values.reshape(28, 9, 3, 28).mean(axis=2)
    np.testing.assert_allclose(slices, scan.values * scan.slope + scan.intercept, atol=2e-3)
    assert row(finished)["residual_max"] < 1e-5
    assert any(text.startswith("Sampled") and "to rounding" in text for text in finished.result.texts("info"))
    assert finished.result.finding("voxels") == result.ras_shape
    assert finished.result.finding("measured_voxels") == scan.ras_shape


def test_every_method_is_measured_and_the_difference_is_from_linear(image: Path, tmp_path: Path) -> None:
    finished = done(image, tmp_path / "out", samples=1)
    assert [line.method for line in finished.result.table] == ["volume", "cubic", "spline5", "linear"]
    assert all(row(finished, line.method)["residual"] < 0.01 for line in finished.result.table)
    case = read_case({"image": image}, TASK.parse({}))
    linear = case.scan.acquisition.enlarge(case.measured.data, 1)
    change = made(finished).to_volume().data - linear
    np.testing.assert_allclose(made(finished, "difference").to_volume().data, change, atol=1e-2)


def test_the_truth_is_measured_against_where_it_is_given(image: Path, tmp_path: Path) -> None:
    first = done(image, tmp_path / "a", method="cubic", compare=False)
    assert "psnr" not in row(first, "cubic") and "error" not in first.files
    truth = Path(first.files["result"])
    again = done(image, tmp_path / "b", truth, method="linear")
    assert row(again, "cubic")["mae"] == 0
    assert row(again, "linear")["psnr"] > 20
    error = made(again, "error").to_volume().data
    apart = made(again).to_volume().data - read_stored(truth).to_volume().data
    inside = error != 0
    assert inside.any()
    np.testing.assert_allclose(error[inside], apart[inside], atol=1e-3)


def test_negative_voxels_keep_their_sign(image: Path, tmp_path: Path) -> None:
    scan = read_stored(image)
    write_stored(image, Stored(scan.values - np.int16(900), scan.affine))
    case = read_case({"image": image}, TASK.parse({}))
    assert case.measured.data.min() < 0
    finished = done(image, tmp_path / "out", samples=1, compare=False)
    assert made(finished).values.min() < -500
    assert row(finished)["residual_max"] < 1e-4


def test_relax_lets_the_result_leave_noisy_slices(image: Path, tmp_path: Path) -> None:
    scan = read_stored(image)
    noise = np.random.default_rng(0).normal(scale=60, size=scan.values.shape)
    noisy = np.where(scan.values > 0, scan.values + noise, 0).astype(np.int16)
    write_stored(image, Stored(noisy, scan.affine))
    shares = {
        relax: row(
            done(image, tmp_path / str(relax), method="cubic", compare=False, relax=relax, denoise=False), "cubic"
        )
        for relax in (0, 0.5, 1)
    }
    # what is promised is agreement with the slices as relaxed, what is named is how far these are from the measured
    assert "departure" not in shares[0] and shares[0]["residual"] < 1e-2
    assert all(shares[relax]["residual"] < 1e-2 for relax in (0.5, 1))
    assert 1e-2 < shares[0.5]["departure"] < shares[1]["departure"] < 0.2


def test_a_second_pass_has_nothing_to_do(image: Path, tmp_path: Path) -> None:
    first = done(image, tmp_path / "a", method="cubic", compare=False)
    with pytest.raises(UserError) as caught:
        done(Path(first.files["result"]), tmp_path / "b", method="cubic")
    assert caught.value.code == "no_thick_axis"


def test_a_finer_target_is_made_for_any_factor(image: Path, tmp_path: Path) -> None:
    finished = done(image, tmp_path / "out", spacing=[0.8, 0.7, 0.9], samples=1, compare=False)
    assert made(finished).to_volume().spacing == pytest.approx((0.8, 0.7, 0.9), abs=1e-4)
    # a fine voxel lies in two slices here, one of them empty: both are met but for a few voxels at the border
    assert row(finished)["residual"] < 2e-3
    signed = read_stored(image)
    signed.values[0, 0, 0] = -20
    write_stored(image, signed)
    free = done(image, tmp_path / "free", spacing=[0.8, 0.7, 0.9], samples=1, compare=False)
    assert row(free)["residual_max"] < 1e-4


def test_no_method_leaves_the_range_of_a_magnitude_image(image: Path, tmp_path: Path) -> None:
    everything = [method.name for method in TASK.methods]
    finished = done(image, tmp_path / "out", samples=1, steps=1, beside=everything[1:])
    least = read_stored(image).to_volume().data.min()
    assert least >= 0
    names = [name for name in finished.files if name == "result" or name.startswith("baseline-")]
    assert len(names) == len(everything)
    for name in names:
        assert made(finished, name).values.min() >= least
    assert all(row(finished, line.method)["residual"] < 0.01 for line in finished.result.table)


def test_the_space_around_a_stripped_brain_stays_empty(image: Path, tmp_path: Path) -> None:
    scan = read_stored(image)
    write_stored(image, Stored(scan.values, scan.affine))
    result = made(done(image, tmp_path / "out", samples=1, compare=False)).values
    empty = np.repeat(scan.values == 0, 3, axis=1)
    assert empty.mean() > 0.3
    assert np.abs(result[empty]).max() < 1e-3


def test_a_stated_thickness_reaches_the_task(image: Path, tmp_path: Path) -> None:
    scan = read_stored(image)
    # slices run along the second axis of the phantom's file: one whose slices run along the third
    turned = Stored(np.asfortranarray(scan.values.transpose(0, 2, 1)), scan.affine[:, [0, 2, 1, 3]], scan.slope)
    write_stored(tmp_path / "turned.nii.gz", replace(turned, thickness=2.4))
    case = read_case({"image": tmp_path / "turned.nii.gz"}, TASK.parse({}))
    assert max(case.found.thickness) == pytest.approx(2.4)
    assert any("each 2.4 mm thick" in note.text and "header states" in note.text for note in case.notes)


def test_a_method_that_does_not_use_the_guide_is_noted(image: Path, tmp_path: Path) -> None:
    scan = made(done(image, tmp_path / "first", method="cubic", compare=False))
    write_stored(tmp_path / "guide.nii.gz", replace(scan, values=np.abs(scan.values) ** np.float32(0.5)))
    inputs = {"image": image, "guide": tmp_path / "guide.nii.gz"}
    noted = {
        method: [
            note.text
            for note in read_case(inputs, TASK.parse({"method": method})).notes
            if "use the guide" in note.text
        ]
        for method in ("cubic", "volume")
    }
    unused = "Cubic spline does not use the guide: choose a method with a network for that."
    assert unused in noted["cubic"] and not any("not use the guide" in text for text in noted["volume"])


def test_a_guide_is_used_where_the_network_sees_several_voxels_as_one() -> None:
    shape, axis = (48, 48, 24), Axis(24, 6, 4.0, 4.0, 1.5, "box")
    truth = np.random.default_rng(0).random(shape).astype(np.float32) + 1
    acquisition = Acquisition((whole(48), whole(48), axis))
    scan = ThickScan(acquisition.measure(truth), acquisition, guide=truth, spacing=(0.5, 0.5, 1.0))
    assert blocks(scan) == (2, 2, 1)
    options = options_of(TASK.parse({}), "cpu")
    flat = np.zeros((24, 24, 24), np.float32)
    with_guide = setting(scan, options, 8).finished(flat, flat).values
    without = setting(replace(scan, guide=None), options, 8).finished(flat, flat).values
    assert np.abs(with_guide - truth).mean() < 0.7 * np.abs(without - truth).mean()


def test_a_slanted_scan_is_straightened(image: Path, tmp_path: Path) -> None:
    scan = read_stored(image)
    slanted = scan.affine.copy()
    thick = int(np.argmax(np.linalg.norm(slanted[:3, :3], axis=0)))
    across = slanted[:3, (thick + 1) % 3]
    slanted[:3, thick] += across / 3
    write_stored(tmp_path / "slanted.nii.gz", replace(scan, affine=slanted))
    finished = done(tmp_path / "slanted.nii.gz", tmp_path / "out", method="cubic", compare=False)
    assert slanted_axis(made(finished).affine) is None
    warned = " ".join(finished.result.texts("warning"))
    assert "sheared" in warned and "upright grid" in warned

    # a structure lies where the slanted grid placed it, to half a voxel
    def middle(stored: Stored) -> Any:
        volume = stored.to_volume()
        where = np.argwhere(volume.data > 0.5 * volume.data.max())
        return volume.affine[:3, :3] @ where.mean(axis=0) + volume.affine[:3, 3]

    np.testing.assert_allclose(middle(made(finished)), middle(read_stored(tmp_path / "slanted.nii.gz")), atol=0.6)


def test_a_header_of_two_places_is_noted(image: Path, tmp_path: Path) -> None:
    scan = read_stored(image)
    moved = scan.affine.copy()
    moved[2, 3] += 12
    write_stored(tmp_path / "two.nii.gz", replace(scan, other=moved))
    case = read_case({"image": tmp_path / "two.nii.gz"}, TASK.parse({}))
    assert case.notes[0].level == "warning" and "12 mm apart; the sform was used" in case.notes[0].text


@pytest.fixture(scope="module")
def striped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interleaved slices whose brightness alternates, stored from left and with the slices along the first axis."""
    path = tmp_path_factory.mktemp("striped") / "scan.nii.gz"
    slices = SAMPLED.measure(anatomy(0)) * gain(0.02)
    affine = np.array([[0, -SPACING[0], 0, 70], [0, 0, SPACING[1], -70], [SPACING[2], 0, 0, -70], [0, 0, 0, 1.0]])
    stored = np.asfortranarray(np.flip(slices, 0).transpose(2, 0, 1))
    write_stored(path, Stored(stored, affine))
    return path


def test_what_is_promised_is_agreement_with_the_slices_as_evened_out(striped: Path, tmp_path: Path) -> None:
    finished = done(striped, tmp_path / "out", method="cubic", compare=False, spacing=[2, 2, 2])
    values, scan = made(finished).to_volume().data, read_stored(striped).to_volume()
    sampled = values.reshape(*values.shape[:2], -1, 3).mean(axis=3)
    # the scan is the slices as evened out, which the result gives, times 1 + the gain that was written
    taken = made(finished, "gain").to_volume()
    np.testing.assert_allclose(taken.affine, scan.affine, atol=1e-4)
    np.testing.assert_allclose(sampled * (1 + taken.data), scan.data, atol=2e-3 * 500)
    found = row(finished, "cubic")
    assert found["residual"] < 1e-3 < found["departure"] < 0.02
    texts = finished.result.texts("info")
    assert any("the slices as corrected" in text and "departs" in text for text in texts)
    assert any("evened out first" in text for text in texts)
    # stripes are gone, with the switch off they are there
    kept = done(striped, tmp_path / "kept", method="cubic", compare=False, spacing=[2, 2, 2], even=False)
    assert "gain" not in kept.files and "departure" not in row(kept, "cubic")
    assert any("becomes stripes" in text for text in kept.result.texts("warning"))
    tissue = anatomy(0) > 200
    plain, with_stripes = (stripes(image, tissue, 2, 6) for image in (values, made(kept).to_volume().data))
    assert plain < 0.6 * with_stripes


def test_a_scan_that_needs_no_correction_gives_the_same_bytes(image: Path, tmp_path: Path) -> None:
    first, second = (
        done(image, tmp_path / name, samples=1, compare=False, even=switch, denoise=switch)
        for name, switch in (("on", True), ("off", False))
    )
    np.testing.assert_array_equal(made(first).values, made(second).values)
    assert row(first).keys() == row(second).keys()
