"""DICOM files written element by element, so that a test can say what each of them claims."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.files.nifti import read_stored

EXPLICIT = "1.2.840.10008.1.2.1"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
LONG = frozenset({"OB", "OW", "SQ", "UN", "UT"})
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
Elements = Mapping[tuple[int, int], tuple[str, str | bytes | int]]

# every text that names a person, a place or a day, each with a word to look for afterwards
PERSONAL: Elements = {
    (0x0008, 0x0012): ("DA", "19770101"),
    (0x0008, 0x0020): ("DA", "19770102"),
    (0x0008, 0x0050): ("SH", "CANARY-ACC"),
    (0x0008, 0x0080): ("LO", "CANARY Hospital"),
    (0x0008, 0x0081): ("ST", "CANARY Street 1"),
    (0x0008, 0x0090): ("PN", "CANARY^Referrer"),
    (0x0008, 0x1010): ("SH", "CANARY-STATION"),
    (0x0008, 0x1030): ("LO", "CANARY study"),
    (0x0008, 0x1070): ("PN", "CANARY^Operator"),
    (0x0009, 0x0010): ("LO", "CANARY PRIVATE"),
    (0x0010, 0x0010): ("PN", "CANARY^Jane"),
    (0x0010, 0x0020): ("LO", "CANARY-ID"),
    (0x0010, 0x0030): ("DA", "19550505"),
    (0x0010, 0x4000): ("LT", "CANARY comment"),
    (0x0018, 0x1030): ("LO", "CANARY protocol"),
    (0x0020, 0x4000): ("LT", "CANARY image comment"),
}


@dataclass(frozen=True)
class Series:
    """A series to be written: stored voxels (I, J, K) of an integer type, and the affine to RAS+ mm of that grid.

    ``extra`` overrides or adds elements of every file, ``each`` those of slice k; thickness: in mm, as stated.
    """

    values: NDArray[Any]
    affine: NDArray[np.float64]
    uid: str = "1.2.3.4"
    description: str = "T1 MPRAGE"
    thickness: float | None = None
    extra: Elements = field(default_factory=dict)
    each: Mapping[int, Elements] = field(default_factory=dict)
    syntax: str = EXPLICIT
    sop_class: str = MR_IMAGE

    def files(self) -> list[bytes]:
        """Return the bytes of every slice in the order of K."""
        return [self._slice(k) for k in range(self.values.shape[2])]

    def write(self, folder: Path, seed: int = 0) -> Path:
        """Write the slices into ``folder`` under names that tell nothing of their order."""
        folder.mkdir(parents=True, exist_ok=True)
        names = np.random.default_rng(seed).permutation(self.values.shape[2])
        for name, data in zip(names, self.files(), strict=True):
            (folder / f"{self.uid.rsplit('.', 1)[-1]}-{name:04d}.dcm").write_bytes(data)
        return folder

    def like(self, **changes: Any) -> Series:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def _slice(self, k: int) -> bytes:
        lps = FLIP @ self.affine
        sides = np.sqrt((lps[:3, :3] ** 2).sum(axis=0))
        place = lps[:3, 3] + k * lps[:3, 2]
        cosines = np.concatenate([lps[:3, 0] / sides[0], lps[:3, 1] / sides[1]])
        plane = self.values[:, :, k].T
        kind = plane.dtype
        elements: dict[tuple[int, int], tuple[str, str | bytes | int]] = {
            (0x0008, 0x0008): ("CS", "ORIGINAL\\PRIMARY\\M\\ND"),
            (0x0008, 0x0016): ("UI", self.sop_class),
            (0x0008, 0x0018): ("UI", f"{self.uid}.{k + 1}"),
            (0x0008, 0x0060): ("CS", "MR"),
            (0x0008, 0x103E): ("LO", self.description),
            (0x0018, 0x0050): ("DS", _ds(self.thickness or sides[2])),
            (0x0020, 0x000D): ("UI", "1.2.3"),
            (0x0020, 0x000E): ("UI", self.uid),
            (0x0020, 0x0011): ("IS", "3"),
            (0x0020, 0x0013): ("IS", str(k + 1)),
            (0x0020, 0x0032): ("DS", _ds(*place)),
            (0x0020, 0x0037): ("DS", _ds(*cosines)),
            (0x0028, 0x0002): ("US", 1),
            (0x0028, 0x0004): ("CS", "MONOCHROME2"),
            (0x0028, 0x0010): ("US", plane.shape[0]),
            (0x0028, 0x0011): ("US", plane.shape[1]),
            (0x0028, 0x0030): ("DS", _ds(sides[1], sides[0])),
            (0x0028, 0x0100): ("US", kind.itemsize * 8),
            (0x0028, 0x0101): ("US", kind.itemsize * 8),
            (0x0028, 0x0102): ("US", kind.itemsize * 8 - 1),
            (0x0028, 0x0103): ("US", int(kind.kind == "i")),
            (0x7FE0, 0x0010): ("OW", plane.astype(kind.newbyteorder("<")).tobytes()),
        }
        elements |= {**self.extra, **self.each.get(k, {})}
        return part10(elements, self.syntax, self.sop_class)


def part10(elements: Elements, syntax: str = EXPLICIT, sop_class: str = MR_IMAGE) -> bytes:
    """Return a file of ``elements`` (sorted here) in explicit little endian, whatever ``syntax`` it claims."""
    meta = _join({
        (0x0002, 0x0001): ("OB", b"\0\1"),
        (0x0002, 0x0002): ("UI", sop_class),
        (0x0002, 0x0003): ("UI", "1.2.3.4.5"),
        (0x0002, 0x0010): ("UI", syntax),
        (0x0002, 0x0012): ("UI", "1.2.3.9"),
    })  # fmt: skip
    length = _join({(0x0002, 0x0000): ("UL", struct.pack("<I", len(meta)))})
    return bytes(128) + b"DICM" + length + meta + _join(elements)


def without(data: Series, *tags: tuple[int, int]) -> list[bytes]:
    """Return the files of ``data`` with the elements ``tags`` left out."""
    return Series(data.values, data.affine, extra={**data.extra, **{tag: ("", b"") for tag in tags}}).files()


def _join(elements: Elements) -> bytes:
    return b"".join(_element(tag, *elements[tag]) for tag in sorted(elements) if elements[tag][0])


def _element(tag: tuple[int, int], kind: str, value: str | bytes | int) -> bytes:
    if isinstance(value, int):
        raw = struct.pack("<H", value)
    else:
        raw = value.encode("latin-1") if isinstance(value, str) else value
    raw += (b"\0" if kind in ("UI", "OB", "OW", "UN") else b" ") * (len(raw) % 2)
    head = struct.pack("<HH", *tag) + kind.encode()
    return head + (struct.pack("<HI", 0, len(raw)) if kind in LONG else struct.pack("<H", len(raw))) + raw


def _ds(*numbers: float) -> str:
    return "\\".join(f"{number:.10g}"[:16] for number in numbers)


def as_series(path: Path, folder: Path) -> Path:
    """Write the NIfTI scan at ``path`` as a DICOM series with gaps into ``folder``."""
    stored = read_stored(path)
    sides = float(np.linalg.norm(stored.affine[:3, 2]))
    return Series(stored.values, stored.affine, thickness=0.5 * sides).write(folder)
