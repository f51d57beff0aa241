"""What the words of DICOM images stand for: the bits that count, and their scaling."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from core.files.dicom_series import Loaded, read_series
from tests.core.files.grids import grid_affine, random_values
from tests.dicom_files import Elements, Series

SHAPE = (20, 18, 12)
AXIAL = grid_affine((0, 1, 2), (True, True, False), (0.75, 1.25, 3.0))


def read(folder: Path) -> Loaded:
    with TemporaryDirectory() as work:
        return next(read_series(sorted(folder.iterdir()), Path(work)))


@pytest.mark.parametrize(("bits", "high"), [(12, 11), (12, 13), (12, 15), (16, 15)])
@pytest.mark.parametrize("signed", [False, True])
def test_the_bits_that_count_are_the_same_in_run_lengths(tmp_path: Path, bits: int, high: int, signed: bool) -> None:
    words = random_values("u2", 0, SHAPE)
    places = {(0x28, 0x101): ("US", bits), (0x28, 0x102): ("US", high), (0x28, 0x103): ("US", int(signed))}
    folder = Series(words, AXIAL, extra=places).write(tmp_path / "in")
    for path in folder.iterdir():
        whole = dcmread(path)
        frame = whole["PixelData"].value
        planes = [frame[1::2], frame[0::2]]  # the high bytes first (PS3.5, annex G)
        whole.PixelData = encapsulate([run_lengths(planes)])
        whole["PixelData"].VR, whole["PixelData"].is_undefined_length = "OB", True
        whole.file_meta.TransferSyntaxUID = RLELossless
        whole.save_as(path)
    counted = (words.astype(np.int64) >> (high + 1 - bits)) & ((1 << bits) - 1)
    expected = np.where(counted >> (bits - 1), counted - (1 << bits), counted) if signed else counted
    np.testing.assert_array_equal(read(folder).stored.values, expected)


def run_lengths(planes: list[bytes]) -> bytes:
    """Return bytes of the words of one image, plane by plane, as literal runs behind the header of their places."""
    coded = [b"".join(bytes([len(p[i : i + 128]) - 1]) + p[i : i + 128] for i in range(0, len(p), 128)) for p in planes]
    coded = [each + b"\x80" * (len(each) % 2) for each in coded]
    places = np.cumsum([64, *map(len, coded[:-1])])
    return np.array([len(coded), *places, *[0] * (15 - len(coded))], "<u4").tobytes() + b"".join(coded)


@pytest.mark.parametrize(("without", "warned"), [((), False), ((4,), True), (tuple(range(12)), False)])
def test_slices_without_the_scaling_of_the_others_are_told(
    tmp_path: Path, without: tuple[int, ...], warned: bool
) -> None:
    scaling: Elements = {(0x28, 0x1052): ("DS", "0"), (0x28, 0x1053): ("DS", "2.5")}
    each = {k: scaling for k in range(SHAPE[2]) if k not in without}
    found = read(Series(random_values("i2", 0, SHAPE), AXIAL, each=each).write(tmp_path / "in"))
    told = [note.text for note in found.notes if note.level == "warning" and "rescale" in note.text]
    assert bool(told) == warned
    assert not told or told[0].startswith("1 of 12 slices states no rescale slope")


def test_the_scale_of_philips_alone_is_a_scaling(tmp_path: Path) -> None:
    scale: Elements = {
        (0x8, 0x70): ("LO", "Philips Medical Systems"),
        (0x2005, 0x10): ("LO", "Philips Imaging DD 001"),
        (0x2005, 0x100E): ("FL", np.float32(0.0125).tobytes()),
    }
    found = read(Series(random_values("i2", 0, SHAPE), AXIAL, extra=scale).write(tmp_path / "in"))
    assert found.stored.slope == pytest.approx(80)
    assert not any("rescale" in note.text for note in found.notes)
