"""The stored voxels of DICOM images: plain ones read by their place in the file, compressed ones decoded one by one."""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID

from core.files.dicom_header import BIG_ENDIAN, DAMAGE, RUN_LENGTHS, Encoding, Slice

LARGEST = 8192  # columns or rows; a detector of a radiograph has 4000
SINGLE_FRAME = "1.2.840.10008.5.1.4.1.1.4"


def read_plane(one: Slice, work: Path) -> NDArray[Any]:
    """Return the stored voxels of ``one`` (columns, rows), integers of the type that its encoding states.

    work: a folder for what has to be written on the way. ``RuntimeError`` when the file is damaged.
    """
    columns, rows = one.size
    if max(columns, rows) > LARGEST:
        raise RuntimeError("an image of impossible size")
    if one.encoding.compressed:
        return _decoded(one, work)
    itemsize = np.dtype(one.encoding.stored).itemsize
    with one.path.open("rb") as file:
        file.seek(one.encoding.start + one.index * columns * rows * itemsize)
        raw = file.read(columns * rows * itemsize)
    if len(raw) < columns * rows * itemsize:
        raise RuntimeError("fewer voxels than rows times columns")
    big = one.encoding.syntax == BIG_ENDIAN
    if big and itemsize == 1 and one.encoding.word and len(raw) % 2 == 0:
        raw = np.frombuffer(raw, ">u2").astype("<u2").tobytes()  # bytes in 16-bit words (PS3.5, A.3)
    kind = np.dtype(one.encoding.stored)
    plane = np.frombuffer(raw, kind.newbyteorder(">" if big else "<")).astype(kind)
    return _counted(plane, one.encoding).reshape(rows, columns).T


def _counted(plane: NDArray[Any], encoding: Encoding) -> NDArray[Any]:
    """Return ``plane`` without the bits that do not count, such as overlays; the sign is carried on."""
    above = 8 * plane.dtype.itemsize - 1 - encoding.high
    below = encoding.high + 1 - encoding.bits
    return (plane << above) >> (above + below) if above or below else plane


def _decoded(one: Slice, work: Path) -> NDArray[Any]:
    """Return one compressed image: written alone under a header of nothing but its form, then decoded by GDCM."""
    import SimpleITK as sitk

    path = work / "frame.dcm"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _alone(one, _frames(one.path, one.encoding.frames)[one.index]).save_as(path, enforce_file_format=True)
        except DAMAGE as error:
            raise RuntimeError("damaged frame") from error
    try:
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        plane: NDArray[Any] = sitk.GetArrayFromImage(reader.Execute())
    finally:
        path.unlink()
    if plane.size != one.size[0] * one.size[1] or plane.dtype.kind not in "iu":
        raise RuntimeError("fewer voxels than rows times columns")
    plane = plane.reshape(one.size[1], one.size[0]).T.astype(one.encoding.stored, copy=False)
    return _counted(plane, one.encoding) if one.encoding.syntax == RUN_LENGTHS else plane


@lru_cache(maxsize=1)
def _frames(path: Path, count: int) -> list[bytes]:
    """Return the compressed images of a file; those of the last file are kept, for they are read one by one."""
    header = dcmread(path, specific_tags=["PixelData"])
    return list(generate_frames(header.PixelData, number_of_frames=count))


def _alone(one: Slice, frame: bytes) -> Dataset:
    written = Dataset()
    written.file_meta = FileMetaDataset()
    written.file_meta.TransferSyntaxUID = UID(one.encoding.syntax)
    written.SOPClassUID, written.SOPInstanceUID = SINGLE_FRAME, "1.2"
    written.SamplesPerPixel, written.PhotometricInterpretation = 1, "MONOCHROME2"
    written.Columns, written.Rows = one.size
    kind = np.dtype(one.encoding.stored)
    allocated, bits, high = 8 * kind.itemsize, one.encoding.bits, one.encoding.high
    if one.encoding.syntax == RUN_LENGTHS:
        # run lengths hold whole words (PS3.5, annex G), of which GDCM loses bits where the lowest do not count
        bits, high = allocated, allocated - 1
    written.BitsAllocated, written.BitsStored, written.HighBit = allocated, bits, high
    written.PixelRepresentation = int(kind.kind == "i")
    written.PixelData = encapsulate([frame])
    written["PixelData"].is_undefined_length = True
    written["PixelData"].VR = "OB"
    return written
