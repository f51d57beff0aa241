"""Files that must be refused, each with the one code it must be refused by; built in memory, never stored."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import nibabel
import numpy as np

nib: Any = nibabel  # half of nibabel is untyped
SHAPE = (10, 9, 8)
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Case:
    """``code`` is the expected refusal of a file of these bytes, None for a sound file."""

    name: str
    code: str | None
    data: bytes


def header(version: int = 1, order: str = "<", **fields: Any) -> bytes:
    """Return a sound header and its extension flag, with ``fields`` (nibabel's names) changed afterwards."""
    made = (nib.Nifti1Header if version == 1 else nib.Nifti2Header)(endianness=order)
    made.set_data_shape(SHAPE)
    made.set_data_dtype(np.dtype("<i2"))
    made.set_sform(np.diag([1.0, 1.0, 1.0, 1.0]), 1)
    made["vox_offset"] = 352 if version == 1 else 544
    made["magic"] = b"n+1" if version == 1 else b"n+2\0\r\n\032\n"
    for name, value in fields.items():
        made[name] = value
    return bytes(made.structarr.tobytes()) + bytes(4)


def voxels(count: int = 720, dtype: str = "<i2") -> bytes:
    """Return noise that fits the header."""
    return np.random.default_rng(0).integers(0, 1000, count).astype(dtype).tobytes()


def scan(version: int = 1, order: str = "<", **fields: Any) -> bytes:
    """Return a sound uncompressed scan, with header ``fields`` changed."""
    return header(version, order, **fields) + voxels(dtype=order + "i2")


def zipped(raw: bytes) -> bytes:
    """Return ``raw`` in one gzip member."""
    return gzip.compress(raw, mtime=0)


def blown_up(head: bytes, mebibytes: int) -> bytes:
    """Return ``head`` and ``mebibytes`` of zeros as gzip (wrong checksum) without ever packing the zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = packer.compress(bytes(MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    size = (len(head) + mebibytes * MEBIBYTE) & 0xFFFFFFFF
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + start + zeros * mebibytes + b"\x03\0" + struct.pack("<II", 0, size)


def huge_header(side: int, dtype: str) -> bytes:
    """Return the sound header of a cube of ``side`` voxels."""
    code = nib.nifti1.data_type_codes.code[np.dtype(dtype)]
    dim = [3, side, side, side, 1, 1, 1, 1]
    return header(dim=dim, datatype=code, bitpix=np.dtype(dtype).itemsize * 8)


def _archive(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as packed:
            packed.writestr("scan.nii", scan())
    else:
        with tarfile.open(fileobj=buffer, mode="w") as packed_tar:
            packed_tar.addfile(tarfile.TarInfo("scan.nii"))
    return buffer.getvalue()


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    at = at % len(data)
    return data[:at] + new + data[at + len(new) :]


def _flags(flags: int, extra: bytes = b"") -> bytes:
    whole = zipped(scan())
    return whole[:3] + bytes([flags]) + whole[4:10] + extra + whole[10:]


def _not_nifti() -> Iterator[Case]:
    kinds = {
        "png": b"\x89PNG\r\n\x1a\n" + bytes(2000),
        "jpeg": b"\xff\xd8\xff\xe0" + bytes(2000),
        "gif": b"GIF89a" + bytes(2000),
        "bmp": b"BM" + bytes(2000),
        "tiff": b"II*\0" + bytes(2000),
        "pdf": b"%PDF-1.7\n" + bytes(2000),
        "dicom": bytes(128) + b"DICM" + bytes(2000),
        "nrrd": b"NRRD0005\ntype: short\n" + bytes(2000),
        "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(2000),
        "mgh": struct.pack(">7i", 1, 10, 9, 8, 1, 4, 0) + bytes(2000),
        "numpy": b"\x93NUMPY\x01\0" + bytes(2000),
        "matlab": b"MATLAB 5.0 MAT-file" + bytes(2000),
        "html": b"<!DOCTYPE html><html>" + b" " * 2000,
        "text": b"subject,age\n1,33\n" * 50,
        "one_byte": b"\x00",
        "spaces": b" " * 5000,
        "zeros": bytes(5000),
        "noise": np.random.default_rng(1).bytes(5000),
        "zip": _archive("zip"),
        "tar": _archive("tar"),
        "analyze": scan(magic=b""),
        "magic_cut": scan(magic=b"n+"),
        "magic_3": scan(magic=b"n+3"),
    }
    for name, data in kinds.items():
        yield Case(name, "not_nifti", data)
        yield Case(f"{name}_gz", "not_nifti", zipped(data))
    yield Case("gzip_twice", "not_nifti", zipped(zipped(scan())))
    yield Case("gzip_of_nothing", "not_nifti", zipped(b""))
    yield Case("empty", "file_empty", b"")


def _gzip_damage() -> Iterator[Case]:
    whole = zipped(scan())
    for keep in (2, 5, 10, 11, 60, len(whole) // 2, len(whole) - 9, len(whole) - 8, len(whole) - 4, len(whole) - 1):
        yield Case(f"gzip_cut_at_{keep}", "gzip_truncated", whole[:keep])
    damage = {
        "checksum": _patched(whole, -8, b"\0\0\0\0"),
        "length": _patched(whole, -4, b"\1\0\0\0"),
        "block_type": _patched(whole, 10, b"\x07"),
        "method": _patched(whole, 2, b"\x07"),
        "reserved_flags": _flags(0xE0),
        "header_checksum": _flags(2, b"\0\0"),
    }
    for name, data in damage.items():
        yield Case(f"gzip_bad_{name}", "gzip_damaged", data)
    tails = {"byte": b"\1", "half_magic": b"\x1f", "text": b"extra", "zeros_and_text": bytes(100_000) + b"extra"}
    for name, tail in tails.items():
        yield Case(f"gzip_then_{name}", "gzip_trailing", whole + tail)
        yield Case(f"gzip_and_end_then_{name}", "gzip_trailing", whole + zipped(b"") + tail)
    for count in (1, 512, 100_000):
        yield Case(f"gzip_then_{count}_zeros", None, whole + bytes(count))
        yield Case(f"gzip_then_{count}_zeros_and_a_member", None, whole + bytes(count) + zipped(b""))
    yield Case("gzip_then_long_member", "data_longer", whole + zipped(bytes(66_000)))
    yield Case("gzip_then_cut_member", "gzip_truncated", whole + whole[:50])
    yield Case("gzip_then_damaged_member", "gzip_damaged", whole + _patched(whole, -8, b"\0\0\0\0"))
    yield Case("gzip_in_too_many_members", "gzip_trailing", whole + zipped(b"") * 70_000)
    yield Case("gzip_with_empty_member", None, whole + zipped(b""))
    raw = scan()
    for size in (1, 100, 352, 900):
        members = b"".join(zipped(raw[start : start + size]) for start in range(0, len(raw), size))
        yield Case(f"gzip_in_members_of_{size}", None, members)
    yield Case("gzip_members_cut_between", "data_truncated", zipped(raw[:900]))
    yield Case("gzip_fields_are_fine", None, _flags(4 | 8 | 16, b"\2\0ab" + b"name.nii\0" + b"comment\0"))


def _lengths() -> Iterator[Case]:
    for pack in (bytes, zipped):
        name = "gz" if pack is zipped else "raw"
        yield Case(f"header_cut_{name}", "header_truncated", pack(scan(2)[:400]))
        yield Case(f"header_only_{name}", "data_truncated", pack(header()))
        yield Case(f"one_byte_short_{name}", "data_truncated", pack(scan()[:-1]))
        yield Case(
            f"dims_too_small_{name}",
            "data_longer",
            pack(scan() + bytes(66_000)),
        )
        yield Case(f"small_tail_{name}", None, pack(scan() + bytes(60_000)))
        for offset in (0, 348, 351, 352.5, -352, 1e9, np.inf, np.nan):
            yield Case(
                f"offset_{offset}_{name}",
                "bad_offset",
                pack(scan(vox_offset=offset)),
            )
        yield Case(f"offset_behind_end_{name}", "data_truncated", pack(scan(vox_offset=9999)))
    yield Case("offset_in_nifti2_header", "bad_offset", scan(2, vox_offset=352))
    yield Case("sizeof_hdr", "bad_header", scan(sizeof_hdr=349))
    yield Case("sizeof_hdr_of_the_other", "bad_header", scan(2, sizeof_hdr=348))
    yield Case("pair_1", "nifti_pair", scan(magic=b"ni1"))
    yield Case("pair_2", "nifti_pair", scan(2, magic=b"ni2\0\r\n\032\n"))


def _dimensions() -> Iterator[Case]:
    dims: list[tuple[str, list[int]]] = [
        ("volume_4d", [4, 10, 9, 4, 2, 1, 1, 1]),
        ("volume_4d", [5, 10, 9, 8, 1, 3, 1, 1]),
        ("volume_4d", [4, 10, 9, 1, 8, 1, 1, 1]),
        ("single_slice", [2, 30, 24, 1, 1, 1, 1, 1]),
        ("single_slice", [1, 720, 1, 1, 1, 1, 1, 1]),
        ("single_slice", [3, 30, 24, 1, 1, 1, 1, 1]),
        ("single_slice", [3, 1, 24, 30, 1, 1, 1, 1]),
        ("too_small", [3, 7, 10, 10, 1, 1, 1, 1]),
        ("too_small", [3, 20, 20, 2, 1, 1, 1, 1]),
        ("too_many_voxels", [3, 1025, 8, 8, 1, 1, 1, 1]),
        ("too_many_voxels", [3, 1024, 1024, 1024, 1, 1, 1, 1]),
        ("too_many_voxels", [3, 32767, 32767, 32767, 1, 1, 1, 1]),
        ("bad_dimensions", [0, 10, 9, 8, 1, 1, 1, 1]),
        ("bad_dimensions", [3, 0, 9, 8, 1, 1, 1, 1]),
        ("bad_dimensions", [3, 10, -9, 8, 1, 1, 1, 1]),
        ("bad_dimensions", [4, 10, 9, 8, 0, 1, 1, 1]),
        ("bad_dimensions", [6, 10, 9, 8, 1, 1, 1, 1]),
        ("bad_dimensions", [8, 10, 9, 8, 1, 1, 1, 1]),
        ("bad_dimensions", [-1, 10, 9, 8, 1, 1, 1, 1]),
        ("bad_dimensions", [0x0300, 10, 9, 8, 1, 1, 1, 1]),
    ]
    for code, dim in dims:
        name = "_".join(map(str, dim[:6]))
        yield Case(f"dim_{name}", code, scan(dim=dim))
        yield Case(f"dim2_{name}", code, zipped(scan(2, ">", dim=dim)))
    yield Case("dim_int64", "too_many_voxels", scan(2, dim=[3, 2**62, 2**62, 2**62, 1, 1, 1, 1]))
    yield Case("dim_int64_wraps", "too_many_voxels", scan(2, dim=[3, 2**32, 2**32, 8, 1, 1, 1, 1]))
    yield Case("dim_with_ones", None, scan(dim=[5, 10, 9, 8, 1, 1, 0, 0]))


def _types() -> Iterator[Case]:
    types = {
        "rgb24": (128, 24, "colour_image"),
        "rgba32": (2304, 32, "colour_image"),
        "complex64": (32, 64, "complex_image"),
        "complex128": (1792, 128, "complex_image"),
        "complex256": (2048, 256, "complex_image"),
        "float128": (1536, 128, "unsupported_type"),
        "binary": (1, 1, "unsupported_type"),
        "unknown": (0, 16, "unsupported_type"),
        "all": (255, 16, "unsupported_type"),
        "negative": (-4, 16, "unsupported_type"),
        "bits_8": (4, 8, "bad_bitpix"),
        "bits_32": (4, 32, "bad_bitpix"),
        "bits_0": (4, 0, "bad_bitpix"),
        "bits_negative": (4, -16, "bad_bitpix"),
    }
    for name, (datatype, bits, code) in types.items():
        yield Case(
            f"type_{name}",
            code,
            scan(datatype=datatype, bitpix=bits),
        )


def _geometry() -> Iterator[Case]:
    for size in (0, -1, np.nan, np.inf, 0.049, 20.1, 1e-38, 3e38):
        pixdim = [1, 1, size, 1, 0, 0, 0, 0]
        yield Case(f"pixdim_{size}", "bad_voxel_size", scan(pixdim=pixdim, sform_code=0, qform_code=1))
        yield Case(f"pixdim_{size}_beside_a_sform", None, scan(pixdim=pixdim, qform_code=1))
    for qfac in (7, 0.5, np.nan, np.inf):
        pixdim = [qfac, 1, 1, 1, 0, 0, 0, 0]
        yield Case(f"qfac_{qfac}", "bad_qfac", scan(pixdim=pixdim, sform_code=0, qform_code=1))
    rows = {
        "zero": [0, 0, 0, 0],
        "nan": [np.nan, 0, 0, 0],
        "nan_shift": [1, 0, 0, np.nan],
        "infinite": [np.inf, 0, 0, 0],
        "huge": [3e38, 0, 0, 0],
        "far": [1, 0, 0, 1e6],
        "singular": [0, 1, 0, 0],
    }
    for name, row in rows.items():
        yield Case(f"sform_{name}", "bad_affine", scan(srow_x=row))
    for name, row in {"tiny": [0.01, 0, 0, 0], "large": [30, 0, 0, 0]}.items():
        yield Case(f"sform_{name}", "bad_voxel_size", scan(srow_x=row))
    flat = scan(srow_x=[1, 1, 0, 0], srow_y=[1, 1.001, 0, 0])
    yield Case("sform_nearly_singular", "bad_affine", flat)
    yield Case("no_codes", "no_orientation", scan(sform_code=0))
    yield Case("negative_codes", "no_orientation", scan(sform_code=-1, qform_code=-1))
    for name, b in {"long": 1.1, "nan": np.nan, "infinite": np.inf, "huge": 3e38}.items():
        yield Case(
            f"quaternion_{name}",
            "bad_affine",
            scan(sform_code=0, qform_code=1, quatern_b=b),
        )
    yield Case("qoffset_nan", "bad_affine", scan(sform_code=0, qform_code=1, qoffset_x=np.nan))
    yield Case("sform_bad_qform_good", None, scan(srow_x=[np.nan] * 4, qform_code=1))
    yield Case("qform_only", None, scan(sform_code=0, qform_code=1, pixdim=[-1, 1, 2, 3, 0, 0, 0, 0]))


def _values() -> Iterator[Case]:
    for slope in (np.inf, -np.inf, 3e38, 1e-30):
        yield Case(f"slope_{slope}", "bad_scaling", scan(scl_slope=slope, scl_inter=0))
    for intercept in (np.inf, np.nan, -3e38):
        yield Case(
            f"intercept_{intercept}",
            "bad_scaling",
            scan(scl_slope=1, scl_inter=intercept),
        )
    for slope in (0, np.nan):
        yield Case(f"slope_{slope}", None, scan(scl_slope=slope, scl_inter=np.nan))
    floats = header(datatype=16, bitpix=32)
    doubles = header(datatype=64, bitpix=64, scl_slope=1e12, scl_inter=0)
    for name, bad in {"nan": np.nan, "inf": np.inf}.items():
        data = np.arange(720, dtype="<f4")
        data[300] = bad
        yield Case(f"one_{name}", "nan_voxels", zipped(floats + data.tobytes()))
    yield Case("all_nan", "nan_voxels", floats + np.full(720, np.nan, "<f4").tobytes())
    yield Case("signalling_nan", "nan_voxels", floats + b"\x01\0\xa0\x7f" * 720)
    yield Case("overflow", "values_too_large", doubles + np.linspace(1e300, 1e308, 720).tobytes())
    yield Case("too_large", "values_too_large", floats + np.linspace(0, 1e30, 720).astype("<f4").tobytes())
    yield Case("constant", "constant_image", header() + bytes(1440))
    yield Case("constant_gz", "constant_image", zipped(header() + b"\7\0" * 720))


def _bombs() -> Iterator[Case]:
    yield Case("bomb_behind_small_header", "data_longer", blown_up(header(), 2048))
    yield Case("bomb_of_1024", "too_many_voxels", blown_up(huge_header(1024, "i2"), 2048))
    yield Case("bomb_of_legal_zeros", "compressed_too_much", blown_up(huge_header(512, "i2"), 256))
    yield Case("bomb_of_legal_doubles", "compressed_too_much", blown_up(huge_header(512, "f8"), 1024))
    yield Case("zeros_of_64_mb", "gzip_damaged", blown_up(huge_header(256, "f4"), 64))
    yield Case("zeros_cut", "gzip_truncated", blown_up(huge_header(256, "f4"), 64)[:-20])
    yield Case("lie_of_64_mb", "data_truncated", zipped(huge_header(256, "f4") + bytes(4000)))
    yield Case("lie_of_1_gb", "compressed_too_much", zipped(huge_header(512, "f8") + bytes(4000)))
    yield Case("lie_uncompressed", "data_truncated", huge_header(512, "f8") + bytes(4000))


def cases() -> list[Case]:
    """Return the whole corpus."""
    sound = [Case(f"sound_{version}_{order}", None, scan(version, order)) for version in (1, 2) for order in "<>"]
    parts = (_not_nifti, _gzip_damage, _lengths, _dimensions, _types, _geometry, _values, _bombs)
    return sound + [case for part in parts for case in part()]
