"""Whose scan a DICOM series is: what a series derived from it repeats of its header, and refers to."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset

# PS3.3 C.7.1.1, C.7.2.1, C.7.2.2, C.7.4.1: patient, study, frame of reference
REPEATED = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientIdentityRemoved"),
    *("DeidentificationMethod", "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription"),
    *("AccessionNumber", "ReferringPhysicianName", "PatientAge", "PatientSize", "PatientWeight"),
    *("FrameOfReferenceUID", "PositionReferenceIndicator", "PatientPosition", "BodyPartExamined"),
    *("SpecificCharacterSet", "MagneticFieldStrength"),
)
MOST_INSTANCES = 5000


def origin_of(files: Sequence[Path]) -> dict[str, Any]:
    """Return what the headers of ``files``, one series, state, as ``core.files.scan_origin`` reads it.

    header: in the JSON model of DICOM (PS3.18 F); series: UID and number; instances: UIDs of class and instance, and
    the place in mm, LPS, None where there is none.
    """
    with warnings.catch_warnings():
        # of values that are against the standard
        warnings.simplefilter("ignore")
        headers = [dcmread(path, stop_before_pixels=True, force=True) for path in dict.fromkeys(files[:MOST_INSTANCES])]
        first = headers[0]
        repeated = Dataset()
        for keyword in REPEATED:
            if keyword in first:
                repeated[keyword] = first[keyword]
        return {
            "header": repeated.to_json_dict(suppress_invalid_tags=True),
            "series": [str(first.get("SeriesInstanceUID") or ""), _number(first)],
            "instances": [_instance(header) for header in headers],
        }


def _instance(header: FileDataset) -> list[Any]:
    place = header.get("ImagePositionPatient")
    try:
        found = [float(value) for value in place] if place is not None and len(place) == 3 else None
    except (TypeError, ValueError):
        # against the standard
        found = None
    return [str(header.get("SOPClassUID") or ""), str(header.get("SOPInstanceUID") or ""), found]


def _number(header: FileDataset) -> int:
    """Return the number of a series, 0 where there is none or it is against the standard."""
    try:
        return int(header.get("SeriesNumber") or 0)
    except (TypeError, ValueError):
        return 0
