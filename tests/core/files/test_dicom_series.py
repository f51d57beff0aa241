from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import UserError
from core.files.dicom_header import CLASSES, IMAGES, Other, read_slices
from core.files.dicom_series import Loaded, read_series
from core.files.nifti import Stored
from tests.core.files.grids import grid_affine, random_values
from tests.dicom_files import FLIP, PERSONAL, Series, part10, without

RESCALE = {(0x0028, 0x1052): ("DS", "-5.5"), (0x0028, 0x1053): ("DS", "0.123456789")}
SHAPE = (20, 18, 12)
AXIAL = grid_affine((0, 1, 2), (True, True, False), (0.75, 1.25, 3.0))
PLANES = {
    "axial": AXIAL,
    "axial_head_first": grid_affine((0, 1, 2), (True, True, True), (0.75, 1.25, 3.0)),
    "coronal": grid_affine((0, 2, 1), (True, False, True), (0.9, 1.1, 2.0)),
    "sagittal": grid_affine((2, 0, 1), (False, True, True), (1.0, 1.0, 1.2)),
    "oblique": grid_affine((0, 1, 2), (True, True, False), (0.8, 0.8, 4.0), tilt=0.3),
}


def series(affine: NDArray[np.float64] = AXIAL, dtype: str = "i2", **changes: Any) -> Series:
    return Series(random_values(dtype, shape=SHAPE), affine, **changes)


def read(folder: Path, number: int | None = None) -> Loaded:
    with TemporaryDirectory() as work:
        return next(read_series(sorted(folder.iterdir()), Path(work), (number,)))


def texts(found: Loaded) -> tuple[str, ...]:
    return tuple(note.text for note in found.notes)


def refusal(folder: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        read(folder)
    return caught.value


def save(folder: Path, files: Sequence[bytes], name: str = "x") -> Path:
    folder.mkdir(exist_ok=True)
    for number, data in enumerate(files):
        (folder / f"{name}{number:03d}").write_bytes(data)
    return folder


def same_place(found: Stored, values: NDArray[Any], affine: NDArray[np.float64]) -> None:
    """Demand equal voxels at equal places: the slices may run the other way."""
    if found.affine[:3, 2] @ affine[:3, 2] < 0:
        turned = affine.copy()
        turned[:3, 2] = -affine[:3, 2]
        turned[:3, 3] = affine[:3, 3] + (values.shape[2] - 1) * affine[:3, 2]
        values, affine = values[:, :, ::-1], turned
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_allclose(found.affine, affine, atol=1e-3)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("rescale", [{}, RESCALE], ids=["plain", "rescaled"])
def test_voxels_and_place_are_those_of_the_files(tmp_path: Path, plane: str, rescale: Any) -> None:
    made = series(PLANES[plane], extra=rescale)
    found = read(made.write(tmp_path / "in"))
    same_place(found.stored, made.values, made.affine)
    assert found.stored.values.dtype == np.int16
    assert (found.stored.slope, found.stored.intercept) == ((0.123456789, -5.5) if rescale else (1.0, 0.0))
    assert found.notes == ()


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2"])
@pytest.mark.parametrize("scale", ["1", "2", "0.37"])
def test_every_stored_type_stays(tmp_path: Path, dtype: str, scale: str) -> None:
    made = series(dtype=dtype, extra={(0x28, 0x1052): ("DS", "-1024"), (0x28, 0x1053): ("DS", scale)})
    found = read(made.write(tmp_path / "in")).stored
    assert (found.values.dtype, found.slope, found.intercept) == (np.dtype(dtype), float(scale), -1024.0)
    same_place(found, made.values, made.affine)


def test_scaling_that_varies_by_slice_gives_scaled_floats(tmp_path: Path) -> None:
    each = {k: {(0x28, 0x1053): ("DS", str(k + 1))} for k in range(12)}
    made = series(each=each, extra={(0x28, 0x1052): ("DS", "3")})
    found = read(made.write(tmp_path / "in")).stored
    assert (found.values.dtype, found.slope, found.intercept) == (np.dtype("f4"), 1.0, 0.0)
    same_place(found, (made.values * np.arange(1.0, 13.0) + 3).astype(np.float32), made.affine)


@pytest.mark.parametrize("compressor", ["JPEG2000", "JPEG"])
def test_a_series_written_by_itk_and_compressed_without_loss(tmp_path: Path, compressor: str) -> None:
    import SimpleITK as sitk

    values = random_values("u2", shape=SHAPE) % 4096
    for k in range(SHAPE[2]):
        image = sitk.GetImageFromArray(np.ascontiguousarray(values[:, :, k].T)[np.newaxis])
        image.SetOrigin((-10.0, 5.0, 7.0 + 2.5 * k))
        for tag, text in (("0008|0060", "MR"), ("0020|000e", "1.2.5"), ("0008|0018", f"1.2.5.{k}")):
            image.SetMetaData(tag, text)
        image.SetMetaData("0020|0032", f"-10\\5\\{7 + 2.5 * k}")
        image.SetMetaData("0020|0037", "1\\0\\0\\0\\1\\0")
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.UseCompressionOn()
        writer.SetCompressor(compressor)
        writer.SetFileName(str(tmp_path / f"{k}.dcm"))
        writer.Execute(image)
    affine = FLIP @ np.array([[1.0, 0, 0, -10], [0, 1, 0, 5], [0, 0, 2.5, 7], [0, 0, 0, 1]])
    same_place(read(tmp_path).stored, values, affine)


def test_thickness_and_distance_are_facts_and_a_gap_is_told(tmp_path: Path) -> None:
    found = read(series(thickness=2.4).write(tmp_path / "gap"))
    assert dict(found.facts) == {"slice_distance_mm": 3.0, "slice_thickness_mm": 2.4, "series": "T1 MPRAGE"}
    assert texts(found) == ("The slices are 2.4 mm thick and 3 mm apart: they leave a gap that was not measured.",)
    assert "overlap" in read(series(thickness=5.0).write(tmp_path / "overlap")).notes[0].text


def test_scouts_reports_and_second_copies_are_left_out_with_a_notice(tmp_path: Path) -> None:
    made = series()
    made.write(tmp_path)
    scout = Series(made.values[:, :, :3], PLANES["sagittal"], uid="1.2.9", description="localizer")
    scout.write(tmp_path)
    save(tmp_path, [*made.files()[:2], part10({}, sop_class=f"{IMAGES}88.33")])
    found = read(tmp_path)
    same_place(found.stored, made.values, made.affine)
    told = " ".join(texts(found))
    for words in ("Taken: “T1 MPRAGE” (12 slices, 20 x 18, 0.75 x 1.25 x 3 mm)", "“localizer” (3 slices",
                  "structured report (1)", "2 slices came twice"):  # fmt: skip
        assert words in told


def test_a_long_scout_is_no_rival_but_is_taken_alone(tmp_path: Path) -> None:
    scout = series(uid="1.2.9", description="AAHead_Scout")
    scout.write(tmp_path)
    assert read(tmp_path).stored.values.shape == SHAPE
    made = series(PLANES["coronal"])
    made.write(tmp_path)
    assert dict(read(tmp_path).facts)["slice_distance_mm"] == pytest.approx(2.0)


def test_mixed_series_are_refused_with_what_was_found(tmp_path: Path) -> None:
    series().write(tmp_path)
    series(PLANES["coronal"], uid="1.2.8", description="T2 TSE cor").write(tmp_path)
    error = refusal(tmp_path)
    assert error.code == "dicom_series"
    assert "“T1 MPRAGE” (12 slices, 20 x 18, 0.75 x 1.25 x 3 mm)" in error.message
    assert "“T2 TSE cor” (12 slices, 20 x 18, 0.9 x 1.1 x 2 mm)" in error.message


def test_one_series_in_two_planes_is_two_scans(tmp_path: Path) -> None:
    series().write(tmp_path / "a")
    coronal = series(PLANES["coronal"]).files()
    renumbered = [data.replace(b"1.2.3.4.", b"1.2.3.9.") for data in coronal]
    assert refusal(save(tmp_path / "a", renumbered)).code == "dicom_series"


@pytest.mark.parametrize(
    ("gone", "words"), [((5,), "About 1 slice of the series is missing"), ((3, 4, 8), "3 slices of the series are")]
)
def test_missing_slices_are_told(tmp_path: Path, gone: tuple[int, ...], words: str) -> None:
    files = [data for k, data in enumerate(series().files()) if k not in gone]
    error = refusal(save(tmp_path / "in", files))
    assert error.code == "dicom_missing_slices" and words in error.message


def moved(shift: Sequence[float], which: slice = slice(6, 7)) -> Series:
    """Return a series of which some slices lie elsewhere by ``shift`` (LPS, mm)."""
    made = series()
    lps = FLIP @ made.affine
    each = {
        k: {(0x20, 0x32): ("DS", "\\".join(f"{x:.6g}" for x in lps[:3, 3] + k * lps[:3, 2] + shift))}
        for k in range(12)[which]
    }
    return made.like(each=each)


@pytest.mark.parametrize(
    ("shift", "code"),
    [((0, 0, 0.02), None), ((0, 0, 0.2), "dicom_uneven"), ((0, 0.5, 0), "dicom_tilt"), ((0, 0, 3), "dicom_duplicates")],
)
def test_slices_lie_evenly_and_straight(tmp_path: Path, shift: Sequence[float], code: str | None) -> None:
    folder = moved(shift).write(tmp_path / "in")
    if code is None:
        assert read(folder).stored.affine[2, 2] == pytest.approx(3.0)
    else:
        assert refusal(folder).code == code


@pytest.mark.parametrize(
    ("tag", "kind", "values", "words"),
    [
        ((0x18, 0x81), "DS", ("4.9", "9.8"), "echo time 4.9 9.8"),
        ((0x20, 0x100), "IS", ("1", "2"), "temporal position 1 2"),
        ((0x08, 0x08), "CS", ("ORIGINAL\\PRIMARY\\M", "ORIGINAL\\PRIMARY\\P"), "image type ORIGINAL\\PRIMARY\\M"),
        ((0x20, 0x12), "IS", ("1", "2"), "acquisition 1 2"),
    ],
)
def test_several_volumes_in_one_series_are_told_apart(
    tmp_path: Path, tag: tuple[int, int], kind: str, values: tuple[str, str], words: str
) -> None:
    for number, value in enumerate(values):
        made = series(extra={tag: (kind, value)})
        save(tmp_path, [data.replace(b"1.2.3.4.", b"1.2.3.%d." % (number + 5)) for data in made.files()], str(number))
    found = read(tmp_path)
    first, second = words.rsplit(" ", 1) if "image" not in words else (words, "")
    assert "This series holds 2 volumes" in texts(found)[0] and first in texts(found)[0] and second in texts(found)[0]
    assert read(tmp_path, 2).stored.values.shape == SHAPE


def test_one_file_of_a_series_asks_for_the_others(tmp_path: Path) -> None:
    error = refusal(save(tmp_path / "one", series().files()[:1]))
    assert error.code == "single_slice" and "every file" in error.hint
    error = refusal(save(tmp_path / "few", series().files()[:5]))
    assert error.code == "dicom_few_slices" and "5 slices" in error.message


@pytest.mark.parametrize(
    ("extra", "code", "words"),
    [
        ({(0x28, 0x02): ("US", 3), (0x28, 0x04): ("CS", "RGB"), (0x28, 0x06): ("US", 0)}, "colour_image", "colour"),
        ({(0x28, 0x08): ("IS", "12")}, "dicom_multiframe", "many images"),
        ({(0x28, 0x301): ("CS", "YES")}, "dicom_no_image", "burned-in text (12)"),
        ({(0x08, 0x08): ("CS", "ORIGINAL\\PRIMARY\\M\\MOSAIC")}, "dicom_no_image", "mosaic"),
        ({(0x20, 0x32): ("", b"")}, "dicom_no_image", "without its place in space (12)"),
        ({(0x20, 0x37): ("", b"")}, "dicom_no_image", "without its place in space"),
        ({(0x28, 0x30): ("", b"")}, "dicom_no_image", "without its place in space"),
        ({(0x7FE0, 0x10): ("", b"")}, "dicom_no_image", "only headers: header without an image (12)"),
        ({(0x7FE0, 0x10): ("OW", b"\0" * 50)}, "dicom_damaged", "damaged"),
        ({(0x28, 0x30): ("DS", "0.001\\0.001")}, "bad_voxel_size", "0.001"),
    ],
)
def test_what_is_no_slice_is_named(tmp_path: Path, extra: Any, code: str, words: str) -> None:
    made = series(extra=extra)
    if code in ("colour_image", "dicom_multiframe"):
        size = 3 if code == "colour_image" else 24
        pixels = bytes(20 * 18 * size)
        bits = {(0x28, 0x100): ("US", 8), (0x28, 0x101): ("US", 8), (0x28, 0x102): ("US", 7), (0x28, 0x103): ("US", 0)}
        made = made.like(extra={**extra, **(bits if size == 3 else {}), (0x7FE0, 0x10): ("OW", pixels)})
    error = refusal(made.write(tmp_path / "in"))
    assert error.code == code and words in error.message


@pytest.mark.parametrize(
    ("sop_class", "kind"),
    [
        ("88.11", "structured report"),
        ("481.3", "radiotherapy object"),
        ("481.2", "radiotherapy dose"),
        ("7", "screenshot"),
        ("66.4", "segmentation"),
        ("104.1", "document"),
        ("11.1", "presentation state"),
    ],
)
def test_objects_that_are_no_images_are_named(tmp_path: Path, sop_class: str, kind: str) -> None:
    error = refusal(save(tmp_path / "in", [part10({(0x8, 0x60): ("CS", "SR")}, sop_class=f"{IMAGES}{sop_class}")] * 2))
    assert error.code == "dicom_no_image" and f"{kind} (2)" in error.message
    assert kind in CLASSES.values()


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.100", "1.2.3", ""])
def test_a_compression_that_could_be_a_bomb_is_not_tried(tmp_path: Path, syntax: str) -> None:
    (tmp_path / "a").write_bytes(series(syntax=syntax).files()[0])
    assert read_slices(tmp_path / "a") == Other("image in a compression that is not read")


def test_nothing_personal_is_kept(tmp_path: Path) -> None:
    found = read(series(extra=PERSONAL).write(tmp_path / "in"))
    text = repr(found.facts) + repr(found.notes)
    assert not any(word in text for word in ("CANARY", "1977", "1955"))


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = series().files()
    for keep in range(0, len(whole[0]), 97):
        (tmp_path / "cut").write_bytes(whole[0][:keep])
        found = read_slices(tmp_path / "cut")
        assert isinstance(found, Other) or len(without(series())[0]) == len(whole[0])
        if not isinstance(found, Other):
            error = refusal(save(tmp_path / f"in{keep}", [whole[0][:keep], *whole[1:]]))
            assert error.code == "dicom_damaged"
