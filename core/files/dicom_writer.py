"""A volume as a DICOM series of its own, derived from the series it was made of (PS3.3 A.4, MR Image)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from pydicom.valuerep import format_number_as_ds

from core import __version__
from core.errors import UserError
from core.files.nifti import Stored
from core.files.scan_origin import Instance, Origin

PREFIX = "counterscan-"
MANUFACTURER = "Counterscan"
LPS = np.diag([-1.0, -1.0, 1.0])
# cosine between rows and columns from which they count as aslant
SLANT = 1e-3
LARGEST = 32767
NO_PATIENT = "SYNTHETIC"
# PS3.16 CID 7202
PURPOSE = ("121322", "DCM", "Source image for image processing operation")


def closest(origins: Sequence[Origin], stored: Stored) -> Origin:
    """Return the one of ``origins`` whose slices lie nearest to those of ``stored``: of several contrasts the one on
    whose grid, and so in whose frame of reference, the result is. An empty one without any."""
    affine = LPS @ stored.affine[:3]
    places = affine[:, 3] + np.arange(stored.values.shape[2])[:, None] * affine[:, 2]

    def apart(origin: Origin) -> float:
        stated = [np.array(place) for _, _, place in origin.instances if place is not None]
        return float(np.mean([np.linalg.norm(places - one, axis=1).min() for one in stated])) if stated else np.inf

    return min(origins, key=apart, default=Origin())


def derivation(task: str, method: str) -> str:
    """Return in a sentence how a result was made; method: its title, "" for a task without methods."""
    done = f", {method}" if method else ""
    return f"Synthetic: computed by Counterscan {__version__}, task {task}{done}. Not for diagnosis."


def write_series(folder: Path, stored: Stored, origin: Origin, title: str, what: str) -> list[Path]:
    """Write ``stored`` into the new ``folder``, one file for each slice, and return them in the order of instances.

    title: of the series, to which "synthetic" is added; what: how it was derived, a sentence. Identifiers follow from
    the voxels and the origin, so the same result is the same series. 8 and 16-bit voxels stay as they are stored,
    others are rounded to 16 bits, 0 exactly; slope and intercept to the 16 characters of a DS.
    UserError dicom_grid where rows and columns are not at right angles, write_failed.
    """
    affine = LPS @ stored.affine[:3]
    sides = np.sqrt((affine[:, :3] ** 2).sum(axis=0))
    rows, columns = affine[:, 0] / sides[0], affine[:, 1] / sides[1]
    if abs(rows @ columns) > SLANT:
        raise UserError(
            "dicom_grid",
            "The grid of the result is sheared in the plane of its slices, which DICOM cannot hold.",
            "Resample the scan to an upright grid, or run without DICOM.",
        )
    values, slope, intercept = _integers(stored)
    seed = hashlib.sha256(values.tobytes(order="F") + stored.affine.tobytes() + origin.series[0].encode()).hexdigest()
    distance = abs(float(np.cross(rows, columns) @ affine[:, 2]))
    shared = _filled(
        _shared(origin, f"synthetic: {title}", what, seed),
        ImageOrientationPatient=[_ds(value) for value in (*rows, *columns)],
        PixelSpacing=[_ds(sides[1]), _ds(sides[0])],
        SliceThickness=_ds(stored.thickness or distance),
        SpacingBetweenSlices=_ds(distance),
        **_pixels(values, slope, intercept),
    )
    count = values.shape[2]
    # instances are numbered along the normal of rows and columns
    upwards = float(np.cross(rows, columns) @ affine[:, 2]) > 0
    order = range(count) if upwards else range(count - 1, -1, -1)
    made = []
    try:
        folder.mkdir()
        for number, k in enumerate(order, 1):
            path = folder / f"{PREFIX}{number:05d}.dcm"
            place = affine[:, 3] + k * affine[:, 2]
            _slice(shared, values[:, :, k], place, number, origin, seed).save_as(path, enforce_file_format=True)
            made.append(path)
    except OSError as error:
        raise UserError(
            "write_failed", f"The result could not be written ({error.strerror}).", "Free some space or check rights."
        ) from error
    return made


def _integers(stored: Stored) -> tuple[NDArray[Any], float, float]:
    """Return the voxels as 16-bit integers with their slope and intercept."""
    values, slope, intercept = stored.values, stored.slope, stored.intercept
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 2 and slope > 0:
        narrow = np.int16 if values.dtype.kind == "i" else np.uint16
        return values.astype(narrow, copy=False), float(_ds(slope)), float(_ds(intercept))
    real = values * np.float64(slope) + np.float64(intercept)
    step = float(_ds(max(float(np.abs(real).max()), 1e-30) / LARGEST))
    return np.clip(np.rint(real / step), -LARGEST, LARGEST).astype(np.int16), step, 0.0


def _shared(origin: Origin, title: str, what: str, seed: str) -> Dataset:
    """Return what all slices have alike, without geometry and voxels."""
    dataset = Dataset.from_json(dict(origin.header)) if origin.header else Dataset()
    for keyword in ("PatientName", "PatientID"):
        if not origin.header:
            setattr(dataset, keyword, NO_PATIENT)
    for keyword in (
        *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"),
        *("AccessionNumber", "ReferringPhysicianName", "PatientPosition", "PositionReferenceIndicator"),
        *("ScanOptions", "MRAcquisitionType", "EchoTime", "RepetitionTime", "EchoTrainLength"),
    ):
        # type 2: there, if only empty
        if keyword not in dataset:
            setattr(dataset, keyword, None)
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID"):
        if not dataset.get(keyword):
            setattr(dataset, keyword, _uid(seed, keyword))
    if origin.series[0]:
        images = [_reference(kind, uid) for kind, uid, _ in origin.instances]
        series = _filled(Dataset(), SeriesInstanceUID=origin.series[0], ReferencedInstanceSequence=images)
        _filled(dataset, ReferencedSeriesSequence=[series])
    return _filled(
        dataset,
        SOPClassUID=MRImageStorage,
        Modality="MR",
        SeriesInstanceUID=_uid(seed, "series"),
        # after those of the scanner, beside the one it is derived from
        SeriesNumber=min(9000 + origin.series[1], 99999),
        SeriesDescription=title[:64],
        ImageType=["DERIVED", "SECONDARY", "OTHER"],
        DerivationDescription=what[:1024],
        ImageComments="SYNTHETIC: computed, not measured. Research use only, not for diagnosis.",
        ContentQualification="RESEARCH",
        Manufacturer=MANUFACTURER,
        SoftwareVersions=__version__,
        ScanningSequence="RM",
        SequenceVariant="NONE",
        BurnedInAnnotation="NO",
    )


def _pixels(values: NDArray[Any], slope: float, intercept: float) -> dict[str, Any]:
    """Return keyword -> value of how the voxels are written and shown."""
    low, high = (float(end) * slope + intercept for end in np.percentile(values, (1, 99.5)))
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Columns": values.shape[0],
        "Rows": values.shape[1],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": int(values.dtype.kind == "i"),
        "RescaleSlope": _ds(slope),
        "RescaleIntercept": _ds(intercept),
        "RescaleType": "US",
        "WindowCenter": _ds((low + high) / 2),
        "WindowWidth": _ds(max(high - low, slope)),
    }


def _slice(
    shared: Dataset, plane: NDArray[Any], place: NDArray[np.float64], number: int, origin: Origin, seed: str
) -> FileDataset:
    uid = _uid(seed, str(number))
    meta = FileMetaDataset()
    _filled(
        meta,
        TransferSyntaxUID=ExplicitVRLittleEndian,
        MediaStorageSOPClassUID=MRImageStorage,
        MediaStorageSOPInstanceUID=uid,
    )
    dataset = FileDataset("", Dataset(shared), file_meta=meta, preamble=bytes(128))
    _filled(
        dataset,
        SOPInstanceUID=uid,
        InstanceNumber=number,
        ImagePositionPatient=[_ds(value) for value in place],
        PixelData=plane.T.astype(plane.dtype.newbyteorder("<"), copy=False).tobytes(),
    )
    nearest = _nearest(origin.instances, place)
    if nearest is not None:
        value, scheme, meaning = PURPOSE
        purpose = _filled(Dataset(), CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)
        source = _filled(_reference(nearest[0], nearest[1]), PurposeOfReferenceCodeSequence=[purpose])
        _filled(dataset, SourceImageSequence=[source])
    return dataset


def _nearest(instances: Sequence[Instance], place: NDArray[np.float64]) -> Instance | None:
    """Return the image of the source that lies nearest; the first where they state no place, None without any."""
    if not instances:
        return None
    far = (np.inf,) * 3
    return min(instances, key=lambda one: float(np.linalg.norm(np.subtract(far if one[2] is None else one[2], place))))


def _reference(kind: str, uid: str) -> Dataset:
    return _filled(Dataset(), ReferencedSOPClassUID=kind, ReferencedSOPInstanceUID=uid)


def _filled(dataset: Dataset, **elements: object) -> Dataset:
    """Give ``dataset`` elements by their keywords (PS3.6) and return it."""
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def _uid(seed: str, part: str) -> str:
    return str(generate_uid(entropy_srcs=[seed, part]))


def _ds(value: float) -> str:
    return format_number_as_ds(float(value))
