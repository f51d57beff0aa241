"""Whose scan was read, and of which DICOM images, as it leaves the reading process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# UIDs of class and instance, and the place of the first voxel in mm, LPS, where it is stated
Instance = tuple[str, str, tuple[float, ...] | None]


@dataclass(frozen=True)
class Origin:
    """header: of patient, study and frame of reference, in the JSON model of DICOM (PS3.18 F); series: UID and number;
    all empty for a scan of another format, which is nobody's."""

    header: Mapping[str, Any] = field(default_factory=dict)
    series: tuple[str, int] = ("", 0)
    instances: tuple[Instance, ...] = ()


def read_origin(content: Mapping[str, Any]) -> Origin:
    """Return the origin that ``core.files.dicom_origin.origin_of`` gave, as JSON has it."""
    uid, number = content["series"]
    instances = tuple((kind, one, None if place is None else tuple(place)) for kind, one, place in content["instances"])
    return Origin(content["header"], (uid, number), instances)
