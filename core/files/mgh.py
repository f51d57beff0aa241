"""FreeSurfer's MGH and MGZ: big-endian fields, the voxels, and texts behind them that are left alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files.nifti import Stored
from core.files.nifti_header import check_affine, check_shape, no_orientation
from core.files.nrrd_mha import bad_type, cut_off
from core.files.voxel_stream import AGAIN, EXTRA_BYTES, Gzip, Plain, reading

MGH_HEADER, MGH_TYPES, MGH_TAIL = 284, {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}, 16 << 20


def read_mgh(path: Path) -> Stored:
    """Return the FreeSurfer scan at ``path``, compressed or not."""
    from nibabel.freesurfer.mghformat import MGHHeader, header_dtype

    with reading(path) as (reader, _):
        raw = reader.read(MGH_HEADER)
        if len(raw) < MGH_HEADER:
            raise cut_off()
        # looked at before nibabel does: it reads whatever follows by these numbers, and invents a missing place
        fields = np.frombuffer(raw, header_dtype, 1)[0]
        shape = check_shape([4, *(int(side) for side in fields["dims"])])
        kind = int(fields["type"])
        if kind not in MGH_TYPES:
            raise bad_type(f"type code {kind}")
        if int(fields["goodRASFlag"]) != 1:
            raise no_orientation()
        header = MGHHeader(raw[: header_dtype.itemsize], check=False)
        # places beyond what 32 bits hold become infinite, and are refused as such
        with np.errstate(over="ignore"):
            placed = np.asarray(header.get_affine(), np.float64)
        affine = check_affine(placed)
        values = _mgh_voxels(reader, shape, np.dtype(MGH_TYPES[kind]))
    return Stored(values, affine)


def _mgh_voxels(reader: Plain | Gzip, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    raw = reader.read(math.prod(shape) * dtype.itemsize)
    if len(raw) < math.prod(shape) * dtype.itemsize:
        raise cut_off()
    behind = 0
    while piece := reader.read(EXTRA_BYTES):
        behind += len(piece)
        if behind > MGH_TAIL:
            raise UserError("data_longer", "The file holds more voxels than its header states.", AGAIN)
    return np.frombuffer(raw, dtype).reshape(shape, order="F").astype(dtype.newbyteorder("="), copy=False)
