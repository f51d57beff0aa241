from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import UserError
from core.files.mgh import read_mgh
from core.files.nifti import Stored, read_stored
from core.files.nrrd_mha import read_meta, read_nrrd
from tests.core.files.grids import grid_affine, nib, random_values, save
from tests.dicom_files import FLIP

GRIDS = {
    "RAS": grid_affine((0, 1, 2), (False, False, False), (1.0, 1.0, 1.0)),
    "LAS": grid_affine((0, 1, 2), (True, False, False), (0.75, 1.5, 3.0)),
    "PSR": grid_affine((2, 0, 1), (False, True, False), (0.75, 1.5, 3.0)),
    "oblique": grid_affine((0, 1, 2), (False, False, False), (0.9, 1.1, 2.5), tilt=0.4),
}
INTEGERS = ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8")
VALUES = random_values("i2", shape=(10, 9, 8))
RAW = VALUES.tobytes(order="F")
MGH_CODES = {"u1": 0, "i4": 1, "f4": 3, "i2": 4, "u2": 10}


def write_by_itk(path: Path, values: NDArray[Any], affine: NDArray[np.float64], packed: bool) -> None:
    import SimpleITK as sitk

    lps = FLIP @ affine
    sides = np.sqrt((lps[:3, :3] ** 2).sum(axis=0))
    image = sitk.GetImageFromArray(np.ascontiguousarray(values.T))
    image.SetSpacing(sides.tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    image.SetDirection((lps[:3, :3] / sides).ravel().tolist())
    sitk.WriteImage(image, str(path), useCompression=packed)


def read(path: Path) -> Stored:
    return {".nrrd": read_nrrd, ".mha": read_meta}[path.suffix](path, path.parent)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("packed", [False, True], ids=["raw", "packed"])
@pytest.mark.parametrize("grid", GRIDS)
def test_same_voxels_and_place_as_nifti(tmp_path: Path, suffix: str, packed: bool, grid: str) -> None:
    save(tmp_path / "reference.nii", VALUES, GRIDS[grid])
    reference = read_stored(tmp_path / "reference.nii")
    write_by_itk(tmp_path / f"in{suffix}", VALUES, GRIDS[grid], packed)
    found = read(tmp_path / f"in{suffix}")
    assert found.values.dtype == reference.values.dtype
    np.testing.assert_array_equal(found.values, reference.values)
    np.testing.assert_allclose(found.affine, reference.affine, atol=1e-3)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("dtype", [*INTEGERS, "f4", "f8"])
def test_every_type_stays(tmp_path: Path, suffix: str, dtype: str) -> None:
    values = random_values(dtype, shape=(10, 9, 8))
    write_by_itk(tmp_path / f"in{suffix}", values, GRIDS["RAS"], True)
    found = read(tmp_path / f"in{suffix}").values
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, values)
    assert [path.name for path in tmp_path.iterdir()] == [f"in{suffix}"]


@pytest.mark.parametrize("packed", [False, True], ids=["mgh", "mgz"])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4"])
def test_mgh_as_nibabel_writes_it(tmp_path: Path, packed: bool, grid: str, dtype: str) -> None:
    values = random_values(dtype, shape=(10, 9, 8))
    path = tmp_path / f"in.{'mgz' if packed else 'mgh'}"
    nib.save(nib.MGHImage(values, GRIDS[grid]), path)
    found = read_mgh(path)
    assert found.values.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_allclose(found.affine, GRIDS[grid], atol=1e-3)


def nrrd(payload: bytes = RAW, *lines: str, **changes: str | None) -> bytes:
    """Return an NRRD file whose fields (underscores for spaces) are changed, or left out where None."""
    fields: dict[str, str | None] = {
        "type": "short",
        "dimension": "3",
        "space": "right-anterior-superior",
        "sizes": "10 9 8",
        "space_directions": "(1,0,0) (0,1,0) (0,0,1)",
        "endian": "little",
        "encoding": "raw",
        "space_origin": "(1,2,3)",
    }
    fields |= changes
    text = [f"{name.replace('_', ' ')}: {value}" for name, value in fields.items() if value is not None]
    return "\n".join(["NRRD0005", "# made by hand", *text, *lines, "", ""]).encode() + payload


def mha(payload: bytes = RAW, **changes: str | None) -> bytes:
    """Return an MHA file whose fields are changed, or left out where None."""
    fields: dict[str, str | None] = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "1 2 3",
        "ElementSpacing": "1 1 1",
        "DimSize": "10 9 8",
        "ElementType": "MET_SHORT",
    }
    last = changes.pop("ElementDataFile", "LOCAL")
    fields |= changes
    text = [f"{name} = {value}" for name, value in fields.items() if value is not None]
    return "\n".join([*text, f"ElementDataFile = {last}", ""]).encode() + payload


def mgh(payload: bytes | None = None, kind: int = 4, size: tuple[int, ...] = (10, 9, 8, 1), good: int = 1) -> bytes:
    """Return an MGH file."""
    head = struct.pack(">7ih", 1, *size, kind, 0, good) + struct.pack(">15f", 1, 1, 1, *np.eye(3).ravel(), 0, 0, 0)
    return head.ljust(284, b"\0") + (VALUES.astype(">i2").tobytes(order="F") if payload is None else payload)


@pytest.mark.parametrize(
    ("space", "flips"),
    [("RAS", (1, 1)), ("LAS", (-1, 1)), ("left-posterior-superior", (-1, -1)), ("Right-Anterior-Superior", (1, 1))],
)
def test_spaces_of_nrrd(tmp_path: Path, space: str, flips: tuple[int, int]) -> None:
    (tmp_path / "a").write_bytes(nrrd(space=space))
    expected = np.diag([*flips, 1.0, 1.0])
    expected[:3, 3] = (flips[0], 2 * flips[1], 3)
    np.testing.assert_array_equal(read_nrrd(tmp_path / "a", tmp_path).affine, expected)


@pytest.mark.parametrize(
    ("unit", "mm"), [("mm", 1), ("um", 0.001), ("µm", 0.001), ("microns", 0.001), ("cm", 10), ("m", 1000), ("", 1)]
)
def test_places_come_in_mm_whatever_the_unit(tmp_path: Path, unit: str, mm: float) -> None:
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = (90, -120, 70)
    (x, y, z), shift = (affine[:3, :3] / mm).round(9).tolist(), (affine[:3, 3] / mm).round(9).tolist()
    vectors, origin = f"{tuple(x)} {tuple(y)} {tuple(z)}", str(tuple(shift))
    units = f'"{unit}" "{unit}" "{unit}"'
    (tmp_path / "a").write_bytes(nrrd(space_directions=vectors, space_origin=origin, space_units=units))
    np.testing.assert_allclose(read_nrrd(tmp_path / "a", tmp_path).affine, affine)
    spacing = " ".join(str(row[axis]) for axis, row in enumerate((x, y, z)))
    place = " ".join(map(str, shift))
    (tmp_path / "b").write_bytes(mha(ElementSpacing=spacing, Offset=place, DistanceUnits=unit))
    np.testing.assert_allclose(read_meta(tmp_path / "b", tmp_path).affine, FLIP @ affine)


def test_axes_in_different_units_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(nrrd(space_units='"mm" "mm" "um"'))
    with pytest.raises(UserError) as caught:
        read_nrrd(tmp_path / "a", tmp_path)
    assert caught.value.code == "bad_header"


SOUND = {
    "big_endian": nrrd(VALUES.astype(">i2").tobytes(order="F"), endian="big"),
    "keys_and_kinds": nrrd(RAW, "Segment0_ID:=x", "kinds: domain domain domain", "measurement frame: (1,0,0) (0,1,0)"),
    "gzip": nrrd(gzip.compress(RAW), encoding="gzip"),
    "windows_lines": nrrd(b"").replace(b"\n", b"\r\n") + RAW,
    "longer": nrrd(RAW + bytes(100)),
}


@pytest.mark.parametrize("name", SOUND)
def test_other_ways_to_write_the_same_nrrd(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_bytes(SOUND[name])
    np.testing.assert_array_equal(read_nrrd(tmp_path / "a", tmp_path).values, VALUES)


@pytest.mark.parametrize(
    "data",
    [
        mha(VALUES.astype(">i2").tobytes(order="F"), BinaryDataByteOrderMSB="True"),
        mha(TransformMatrix=None, Offset=None, Orientation="1 0 0 0 1 0 0 0 1", Position="1 2 3"),
        mha(Comment="a text", AnatomicalOrientation="RAI", ElementNumberOfChannels="1", CompressedData="False"),
    ],
    ids=["big_endian", "old_names", "more_fields"],
)
def test_other_ways_to_write_the_same_mha(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    found = read_meta(tmp_path / "a", tmp_path)
    np.testing.assert_array_equal(found.values, VALUES)
    np.testing.assert_array_equal(found.affine[:3, 3], (-1, -2, 3))


def test_texts_behind_the_voxels_of_mgh_are_left(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(mgh() + b"CANARY" * 1000))
    np.testing.assert_array_equal(read_mgh(tmp_path / "a").values, VALUES)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (mgh(good=0), "no_orientation"),
        (mgh(kind=7), "unsupported_type"),
        (mgh(size=(10, 9, 8, 5)), "volume_4d"),
        (mgh(size=(2000, 9, 8, 1)), "too_many_voxels"),
        (mgh(size=(10, 9, -8, 1)), "bad_dimensions"),
        (mgh()[:-1], "data_truncated"),
        (mgh()[:200], "data_truncated"),
        (mgh().replace(struct.pack(">3f", 1, 1, 1), struct.pack(">3f", 1, np.nan, 1), 1), "bad_affine"),
    ],
)
def test_mgh_that_cannot_be_read(tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_mgh(tmp_path / "a")
    assert caught.value.code == code


def test_a_number_too_large_for_a_header_is_no_number(tmp_path: Path) -> None:
    for text in ("1e400", "nan", "inf", "0x10", "1_0", "", "1 2 3 4"):
        (tmp_path / "a").write_bytes(nrrd(space_origin=f"({text},0,0)"))
        with pytest.raises(UserError, match="bad_header"):
            read_nrrd(tmp_path / "a", tmp_path)


def test_an_mgh_file_with_places_beyond_32_bits_is_refused(tmp_path: Path) -> None:
    head = bytearray(mgh())
    head[30:90] = struct.pack(">15f", 1, 1, 8.5e37, *np.eye(3).ravel(), 0, 0, -3e38)
    (tmp_path / "a").write_bytes(head)
    with pytest.raises(UserError):
        read_mgh(tmp_path / "a")
