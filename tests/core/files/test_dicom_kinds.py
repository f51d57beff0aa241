"""Kinds of DICOM beside plain single slices, each with the voxels and the place that dcm2niix finds."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, RLELossless

from core.errors import UserError
from core.files.convert import read_volume
from core.files.dicom_header import BIG_ENDIAN, read_slices
from core.files.dicom_pixels import read_plane
from core.files.dicom_series import Loaded
from core.files.scan_finder import load
from tests.core.files.grids import grid_affine, random_values
from tests.dicom_files import EXPLICIT, FLIP, Elements, Series
from tests.enhanced_files import Enhanced, dcm2niix_volumes
from tests.spent import little_work

SHAPE = (20, 18, 12)
AXIAL = grid_affine((0, 1, 2), (True, True, False), (0.75, 1.25, 3.0))
SAGITTAL = grid_affine((2, 0, 1), (False, True, True), (1.0, 1.0, 1.2))
OBLIQUE = grid_affine((0, 1, 2), (True, True, False), (0.8, 0.8, 4.0), tilt=0.3)
DATA = Path(__file__).resolve().parents[3] / "../shared/data/dicom"
PREAMBLE = 132
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT = "1.2.840.10008.1.2"
CT = "1.2.840.10008.5.1.4.1.1.2"


def positive(seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> NDArray[Any]:
    values: NDArray[Any] = np.abs(random_values("i2", seed, shape) // 8)
    return values


def several(number: int) -> NDArray[Any]:
    return np.stack([positive(seed) for seed in range(number)], axis=-1)


def read(path: Path, number: int | None = None) -> Loaded:
    with TemporaryDirectory() as work:
        return next(load([path], Path(work), max_bytes=64 << 20, numbers=(number,)))


def refusal(path: Path, number: int | None = None) -> UserError:
    with pytest.raises(UserError) as caught:
        read(path, number)
    return caught.value


def texts(found: Loaded, level: str = "warning") -> str:
    return " ".join(note.text for note in found.notes if note.level == level)


def same_as_dcm2niix(found: Loaded, path: Path, folder: Path, which: int = 0) -> None:
    """Demand voxels and affine of dcm2niix within a thousandth, both in RAS+ order."""
    values, affine = dcm2niix_volumes(path, folder)[which]
    volume = found.stored.to_volume()
    np.testing.assert_allclose(volume.data, values, atol=1e-3, rtol=1e-6)
    np.testing.assert_allclose(volume.affine, affine, atol=1e-3)


@pytest.mark.parametrize("affine", [AXIAL, SAGITTAL, OBLIQUE], ids=["axial", "sagittal", "oblique"])
@pytest.mark.parametrize("seed", [None, 3])
def test_enhanced_frames_in_any_order(tmp_path: Path, affine: NDArray[np.float64], seed: int | None) -> None:
    values = several(1)
    (tmp_path / "in").mkdir()
    path = Enhanced(values, affine, thickness=2.5, seed=seed).write(tmp_path / "in" / "a")
    found = read(path)
    turned = found.stored.affine[:3, 2] @ affine[:3, 2] < 0
    np.testing.assert_array_equal(found.stored.values, values[:, :, ::-1, 0] if turned else values[..., 0])
    if seed is None:
        # of frames out of order it takes the distance of the first two in the file
        same_as_dcm2niix(found, tmp_path / "in", tmp_path / "out")
    assert found.stored.thickness == 2.5 and dict(found.facts)["slice_thickness_mm"] == 2.5


def test_slices_several_to_a_file(tmp_path: Path) -> None:
    values = several(1)
    for part in range(3):
        affine = AXIAL.copy()
        affine[:3, 3] += 4 * part * AXIAL[:3, 2]
        Enhanced(values[:, :, 4 * part : 4 * part + 4], affine).write(tmp_path / f"{part}")
    found = read(tmp_path)
    np.testing.assert_array_equal(found.stored.values, values[..., 0])
    np.testing.assert_allclose(found.stored.affine, AXIAL, atol=1e-4)


def test_of_several_echoes_the_first_is_taken_and_another_by_its_number(tmp_path: Path) -> None:
    values = several(3)
    path = Enhanced(values, AXIAL, echoes=(9.8, 4.9, 14.7), seed=1).write(tmp_path / "a")
    found = read(path)
    assert "3 volumes" in texts(found) and "effective echo time 4.9" in texts(found)
    volumes = {float(read(path, number).stored.values.sum()) for number in (1, 2, 3)}
    assert volumes == {float(values[..., n].sum()) for n in range(3)}
    assert {float(read_volume(f"{path}#{number}").data.sum(dtype=float)) for number in (1, 2, 3)} == volumes
    assert refusal(path, 4).code == "dicom_series"


def test_magnitude_is_taken_before_phase(tmp_path: Path) -> None:
    values = several(2)
    path = Enhanced(values, AXIAL, components=("PHASE", "MAGNITUDE")).write(tmp_path / "a")
    found = read(path)
    np.testing.assert_array_equal(found.stored.values, values[..., 1])
    assert "\\M\\NONE" in texts(found).partition("Left")[0] and "\\P\\NONE" in texts(found).partition("Left")[2]


def test_scaling_by_frame_is_that_of_dcm2niix(tmp_path: Path) -> None:
    def scaled(whole: Dataset, frames: Sequence[Dataset]) -> None:
        for number, frame in enumerate(frames):
            frame.PixelValueTransformationSequence = Items([Dataset()])
            frame.PixelValueTransformationSequence[0].RescaleSlope = 1 + number % 3
            frame.PixelValueTransformationSequence[0].RescaleIntercept = 5

    values = several(1)
    found = read(Enhanced(values, AXIAL, change=scaled).write(tmp_path / "a"))
    order = np.random.default_rng(0).permutation(12)
    slopes = np.empty(12)
    slopes[order] = 1 + np.arange(12) % 3
    np.testing.assert_allclose(found.stored.values, values[..., 0] * slopes + 5)
    assert found.stored.values.dtype == np.float32


@pytest.mark.parametrize("enhanced", [False, True])
def test_the_precise_scale_of_philips(tmp_path: Path, enhanced: bool) -> None:
    def scaled(whole: Dataset, frames: Sequence[Dataset]) -> None:
        whole.Manufacturer = "Philips Medical Systems"
        for frame in frames:
            frame.PixelValueTransformationSequence = Items([Dataset()])
            frame.PixelValueTransformationSequence[0].RescaleSlope = 2.5
            frame.PixelValueTransformationSequence[0].RescaleIntercept = 10
            held = Dataset()
            held.add_new(0x20050010, "LO", "Philips Imaging DD 001")
            held.add_new(0x2005100E, "FL", 0.0125)
            frame.add_new(0x20050014, "LO", "Philips MR Imaging DD 005")
            frame.add_new(0x2005140F, "SQ", Items([held]))

    (tmp_path / "in").mkdir()
    if enhanced:
        Enhanced(several(1), AXIAL, change=scaled).write(tmp_path / "in" / "a")
    else:
        extra: Elements = {
            (0x0008, 0x0070): ("LO", "Philips Medical Systems"),
            (0x0028, 0x1052): ("DS", "10"),
            (0x0028, 0x1053): ("DS", "2.5"),
            (0x2005, 0x0010): ("LO", "Philips Imaging DD 001"),
            (0x2005, 0x100E): ("FL", np.float32(0.0125).tobytes()),
        }
        Series(positive(), AXIAL, extra=extra).write(tmp_path / "in")
    found = read(tmp_path / "in")
    same_as_dcm2niix(found, tmp_path / "in", tmp_path / "out")
    assert found.stored.slope == pytest.approx(80)


def deflated(data: bytes) -> bytes:
    """Return a file whose data set is deflated (PS3.5, A.5)."""
    at = data.index(EXPLICIT.encode() + b"\0") - 8
    end = 144 + int.from_bytes(data[140:144], "little")
    assert PREAMBLE < at < end
    syntax = b"\x02\0\x10\0UI" + len(DEFLATED).to_bytes(2, "little") + DEFLATED.encode()
    meta = data[144:at] + syntax + data[at + 8 + len(EXPLICIT) + 1 : end]
    packer = zlib.compressobj(wbits=-15)
    length = b"\x02\0\0\0UL\x04\0" + len(meta).to_bytes(4, "little")
    return bytes(128) + b"DICM" + length + meta + packer.compress(data[end:]) + packer.flush()


def without_preamble(data: bytes) -> bytes:
    return data[PREAMBLE:]


def without_group_2(data: bytes) -> bytes:
    return data[144 + int.from_bytes(data[140:144], "little") :]


def rewritten(syntax: str) -> Callable[[bytes], bytes]:
    def convert(data: bytes) -> bytes:
        from io import BytesIO

        read = dcmread(BytesIO(data))
        plane = read.pixel_array
        whole = Dataset()
        whole.file_meta = read.file_meta
        for element in read:
            whole.add(element)
        whole.file_meta.TransferSyntaxUID = UID(syntax)
        whole.PixelData = plane.astype(plane.dtype.newbyteorder(">" if syntax == BIG_ENDIAN else "<")).tobytes()
        made = BytesIO()
        big, implicit = syntax == BIG_ENDIAN, syntax == IMPLICIT
        whole.save_as(made, implicit_vr=implicit, little_endian=not big, enforce_file_format=True)
        return made.getvalue()

    return convert


WRAPPINGS = {
    "gzip": gzip.compress,
    "deflated": deflated,
    "gzip of deflated": lambda data: gzip.compress(deflated(data)),
    "no preamble": without_preamble,
    "no group 2": without_group_2,
    "implicit": rewritten(IMPLICIT),
    "implicit, no group 2": lambda data: without_group_2(rewritten(IMPLICIT)(data)),
    "big endian": rewritten(BIG_ENDIAN),
}


@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_wrappings(tmp_path: Path, wrap: str) -> None:
    made = Series(positive(), OBLIQUE, thickness=4.0)
    for folder, change in (("plain", bytes), ("wrapped", WRAPPINGS[wrap])):
        (tmp_path / folder).mkdir()
        for number, data in enumerate(made.files()):
            (tmp_path / folder / f"{number}.dcm").write_bytes(change(data))
    found = read(tmp_path / "wrapped")
    np.testing.assert_array_equal(found.stored.values, made.values)
    same_as_dcm2niix(found, tmp_path / "plain", tmp_path / "out")


@pytest.mark.parametrize("wrap", [deflated, gzip.compress])
def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrap: Callable[[bytes], bytes]) -> None:
    monkeypatch.setattr("core.files.dicom_series.UNPACKED_BYTES", 16 << 20)
    (tmp_path / "a").write_bytes(wrap(Series(positive(), AXIAL).files()[0] + bytes(20 << 20)))
    with little_work():
        assert refusal(tmp_path / "a").code == "too_many_bytes"


@pytest.mark.parametrize("enhanced", [False, True])
def test_run_length_encoding(tmp_path: Path, enhanced: bool) -> None:
    (tmp_path / "in").mkdir()
    if enhanced:
        Enhanced(several(1), SAGITTAL).write(tmp_path / "in" / "a")
    else:
        Series(positive(), SAGITTAL).write(tmp_path / "in")
    plain = read(tmp_path / "in").stored
    for path in (tmp_path / "in").iterdir():
        whole = dcmread(path)
        whole.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
        whole.save_as(path)
    found = read(tmp_path / "in").stored
    np.testing.assert_array_equal(found.values, plain.values)
    np.testing.assert_array_equal(found.affine, plain.affine)


def test_bits_that_do_not_count_are_left_out(tmp_path: Path) -> None:
    values = positive() % 4096
    overlay = values | np.int16(0x4000)
    bits = {(0x28, 0x101): ("US", 12), (0x28, 0x102): ("US", 11), (0x28, 0x103): ("US", 0)}
    found = read(Series(overlay, AXIAL, extra=bits).write(tmp_path / "in"))
    np.testing.assert_array_equal(found.stored.values, values)
    negative = Series(-values // 2 & np.int16(0x0FFF), AXIAL, extra={**bits, (0x28, 0x103): ("US", 1)})
    np.testing.assert_array_equal(read(negative.write(tmp_path / "signed")).stored.values, -values // 2)


def tilted(by: float) -> NDArray[np.float64]:
    affine = AXIAL.copy()
    affine[1, 2] = by
    return affine


def test_a_tilted_gantry_is_straightened_as_dcm2niix_does(tmp_path: Path) -> None:
    angle = float(np.degrees(np.arctan(0.5 / 3)))
    extra = {(0x08, 0x60): ("CS", "CT"), (0x18, 0x1120): ("DS", f"{angle:.6f}")}
    made = Series(positive(), tilted(0.5), extra=extra, sop_class=CT, thickness=3.0)
    found = read(made.write(tmp_path / "in"))
    # dcm2niix writes the slanted volume without its slant, too
    plain, upright = dcm2niix_volumes(tmp_path / "in", tmp_path / "out")
    np.testing.assert_allclose(found.stored.to_volume().data, upright[0], atol=1e-3)
    np.testing.assert_allclose(found.stored.to_volume().affine, upright[1], atol=1e-3)
    assert plain[0].shape != upright[0].shape
    assert "9.46 degrees" in texts(found) and found.stored.thickness == 3.0


def test_slices_shifted_without_a_stated_tilt_keep_their_place(tmp_path: Path) -> None:
    made = Series(positive(), tilted(0.5))
    found = read(made.write(tmp_path / "in"))
    np.testing.assert_array_equal(found.stored.values, made.values)
    np.testing.assert_allclose(found.stored.affine, made.affine, atol=1e-4)
    assert "0.5 mm against the one before" in texts(found)
    assert dict(found.facts)["slice_distance_mm"] == 3.0


def test_slices_with_one_identifier_are_not_taken_for_copies(tmp_path: Path) -> None:
    made = Series(positive(), AXIAL, extra={(0x0008, 0x0018): ("UI", "1.2.3.4")})
    np.testing.assert_array_equal(read(made.write(tmp_path / "in")).stored.values, made.values)


def test_copies_with_new_identifiers_are_taken_once(tmp_path: Path) -> None:
    made = Series(positive(), AXIAL)
    made.write(tmp_path / "in")
    for number, data in enumerate(made.files()):
        again = data.replace(b"1.2.3.4.", b"1.2.3.8.")
        (tmp_path / "in" / f"again{number}").write_bytes(again)
    found = read(tmp_path / "in")
    np.testing.assert_array_equal(found.stored.values, made.values)
    assert "12 slices came twice" in texts(found, "info")


def test_volumes_that_nothing_tells_apart_are_numbered(tmp_path: Path) -> None:
    for number in range(2):
        made = Series(positive(number), AXIAL, extra={(0x20, 0x13): ("IS", "")})
        made.write(tmp_path / "in", seed=number)
        for path in sorted((tmp_path / "in").glob("4-*")):
            path.rename(path.with_name(f"{number}-{path.name.removeprefix('4-')}"))
    assert "2 volumes" in texts(read(tmp_path / "in"))


def spaced(steps: Sequence[float]) -> Series:
    made = Series(positive(), AXIAL)
    lps = FLIP @ AXIAL
    along = np.cumsum([0.0, *steps])
    each = {
        k: {(0x20, 0x32): ("DS", "\\".join(f"{part:.6g}" for part in lps[:3, 3] + (0, 0, along[k])))} for k in range(12)
    }
    return made.like(each=each)


@pytest.mark.parametrize("steps", [[4.0] * 6 + [7.0] * 5, [4.0] * 5 + [8.0] * 6, [4.0, 7.0] * 5 + [4.0]])
def test_uneven_slices_are_not_called_missing(tmp_path: Path, steps: list[float]) -> None:
    error = refusal(spaced(steps).write(tmp_path / "in"))
    assert error.code == "dicom_uneven" and "4 mm" in error.message and "missing" not in error.message


def test_links_are_followed_to_their_files_alone(tmp_path: Path) -> None:
    made = Series(positive(), AXIAL)
    objects = made.write(tmp_path / "annex" / "objects")
    other = Series(positive(1), SAGITTAL, uid="1.2.9").write(tmp_path / "other")
    folder = tmp_path / "in"
    folder.mkdir()
    for path in objects.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "folder").symlink_to(other, target_is_directory=True)
    np.testing.assert_array_equal(read(folder).stored.values, made.values)
    next(objects.iterdir()).unlink()
    error = refusal(folder)
    assert error.code == "link_broken" and "1 of the links" in error.message


def test_frames_without_a_place_are_named(tmp_path: Path) -> None:
    def displaced(whole: Dataset, frames: Sequence[Dataset]) -> None:
        del whole.PerFrameFunctionalGroupsSequence

    error = refusal(Enhanced(several(1), AXIAL, change=displaced).write(tmp_path / "a"))
    assert error.code == "dicom_multiframe"


def test_an_enhanced_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    data = Enhanced(several(1), AXIAL).write(tmp_path / "a").read_bytes()
    for keep in range(200, len(data) - 1, 997):
        (tmp_path / "cut").write_bytes(data[:keep])
        slices = read_slices(tmp_path / "cut")
        if isinstance(slices, list):
            with pytest.raises(RuntimeError):
                [read_plane(one, tmp_path) for one in slices]


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")
@pytest.mark.parametrize("name", ["enhanced_t1", "gzipped"])
def test_real_series(tmp_path: Path, name: str) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    for path in (DATA / name).iterdir():
        data = path.read_bytes()
        (plain / path.name.removesuffix(".gz")).write_bytes(gzip.decompress(data) if path.suffix == ".gz" else data)
    same_as_dcm2niix(read(DATA / name), plain, tmp_path / "out")


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")
def test_a_real_series_of_six_slices_is_refused_by_their_number() -> None:
    error = refusal(DATA / "enhanced_other")
    assert error.code == "dicom_few_slices" and "6 slices" in error.message
