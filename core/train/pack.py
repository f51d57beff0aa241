"""One compressed .npz with every training volume, readable with numpy alone."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.head import find_head
from core.files.nifti import read_volume
from core.files.whole_numbers import whole_numbers
from core.synth.labelmaps import tissues_of
from core.train import cubes
from core.train.datasets import Listed, Packed, listed
from core.volume import Volume

# a scan within 5 % of 1 mm is taken as it is, as in use
TOLERANCE_MM = 0.05


def pack(data: Path, out: Path, folders: tuple[str, ...], log: Callable[[str], None], permissive: bool = False) -> None:
    """Write ``out`` (.npz) from the chosen ``folders`` (labels, train, demo) of ``data``.

    permissive: learn from nothing but data whose licence allows any use; see ``core.train.datasets``.
    Keys: ``index`` (JSON of ``Packed`` as uint8), ``<name>/<contrast>`` float16 (X, Y, Z; 99.5th percentile of the
    head is 1), ``<name>/usable`` bool (healthy voxels that may be voided) and ``<name>/head`` bool for scans,
    ``<name>/tissues`` uint8 for label maps, ``<name>/values``, ``corners`` for cubes (``core.train.cubes``),
    ``<name>/bits``, ``offset``, ``shape``, ``spacing`` for shapes.
    All RAS+, 1 mm but for cubes and shapes.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    index: list[Packed] = []
    for each in listed(data, folders, permissive):
        log(f"packing {each.item.name}")
        index.append(each.item)
        arrays |= _PACKERS[each.item.kind](each)
    arrays["index"] = np.frombuffer(json.dumps([asdict(item) for item in index]).encode(), np.uint8)
    temporary = out.with_name(out.name + ".part.npz")
    np.savez_compressed(temporary, allow_pickle=False, **arrays)
    temporary.replace(out)


class PackedSet:
    """A packed set opened for reading; arrays are read at their first use."""

    def __init__(self, path: Path) -> None:
        self._file = np.load(path, allow_pickle=False)
        # with the last that draws from it
        weakref.finalize(self, self._file.close)
        self.items = tuple(_item(entry) for entry in json.loads(self._file["index"].tobytes()))

    def learnt_from(self, task: str, split: str = "train") -> list[Packed]:
        """Return the items that ``task`` (inpaint, superres, translate, tissues) may learn from; with ``split``
        "validation", those that it may be measured on."""
        return [item for item in self.items if item.split == split and task in item.tasks]

    def image(self, name: str, contrast: str) -> NDArray[np.float16]:
        """Return one contrast of a scan, (X, Y, Z) float16."""
        image: NDArray[np.float16] = self._file[f"{name}/{contrast}"]
        return image

    def head(self, name: str) -> NDArray[np.bool_]:
        """Return where the head (of a stripped scan, the brain) is, (X, Y, Z) bool."""
        head: NDArray[np.bool_] = self._file[f"{name}/head"]
        return head

    def usable(self, name: str) -> NDArray[np.bool_]:
        """Return the healthy voxels that may be voided, (X, Y, Z) bool."""
        usable: NDArray[np.bool_] = self._file[f"{name}/usable"]
        return usable

    def tissues(self, name: str) -> NDArray[np.uint8]:
        """Return a tissue map (X, Y, Z) uint8."""
        tissues: NDArray[np.uint8] = self._file[f"{name}/tissues"]
        return tissues

    def cubes(self, name: str) -> cubes.Cubes:
        """Return the cubes of a person."""
        return cubes.Cubes(self._file[f"{name}/values"], self._file[f"{name}/corners"])

    def shapes(self, name: str) -> tuple[NDArray[np.bool_], ...]:
        """Return masks (X, Y, Z) bool on their own grid, whose voxels measure ``shape_spacing``."""
        bits, offset, sides = (self._file[f"{name}/{key}"] for key in ("bits", "offset", "shape"))
        return tuple(
            np.unpackbits(bits[start:stop], count=int(np.prod(side))).reshape(side).astype(bool)
            for start, stop, side in zip(offset, offset[1:], sides.astype(int), strict=False)
        )

    def shape_spacing(self, name: str) -> tuple[float, float, float]:
        """Return the voxel size of the masks of ``shapes`` in mm."""
        x, y, z = (float(size) for size in self._file[f"{name}/spacing"])
        return x, y, z


def _item(entry: dict[str, Any]) -> Packed:
    fields: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in entry.items()}
    return Packed(**fields)


def _scan(each: Listed) -> dict[str, NDArray[np.generic]]:
    item = each.item
    volumes = {contrast: to_millimetres(read_volume(each.paths[contrast])) for contrast in item.contrasts}
    head = find_head(volumes[item.contrasts[0]]).mask
    usable = head.copy() if item.stripped else _deep(head)
    if each.lesion is not None:
        usable &= np.abs(read_volume(each.lesion).data) < 0.5
    arrays: dict[str, NDArray[np.generic]] = {f"{item.name}/head": head, f"{item.name}/usable": usable}
    for contrast, volume in volumes.items():
        values = np.where(head, volume.data, 0) if item.stripped else volume.data
        level = float(np.percentile(volume.data[head], 99.5))
        arrays[f"{item.name}/{contrast}"] = (np.maximum(values, 0) / level).astype(np.float16)
    return arrays


def _labels(each: Listed) -> dict[str, NDArray[np.generic]]:
    labels = _one_cortex(whole_numbers(read_volume(each.paths["labels"]).data).astype(np.int32))
    return {f"{each.item.name}/tissues": _trim(tissues_of(labels))}


def _cubes(each: Listed) -> dict[str, NDArray[np.generic]]:
    name = each.item.name
    own = cubes.read(each.paths["cubes"], name.removeprefix("cube-"))
    return {f"{name}/values": own.values, f"{name}/corners": own.corners}


def _shapes(each: Listed) -> dict[str, NDArray[np.generic]]:
    with np.load(each.paths["shapes"], allow_pickle=False) as stored:
        return {f"{each.item.name}/{key}": stored[key] for key in ("bits", "offset", "shape", "spacing")}


_PACKERS: dict[str, Callable[[Listed], dict[str, NDArray[np.generic]]]] = {
    "scan": _scan,
    "cubes": _cubes,
    "labels": _labels,
    "shapes": _shapes,
}


def to_millimetres(volume: Volume) -> Volume:
    """Return ``volume`` on a grid of 1 mm (cubic spline), itself where it is within ``TOLERANCE_MM`` of that."""
    if all(abs(size - 1) <= TOLERANCE_MM for size in volume.spacing):
        return volume
    data = ndimage.zoom(volume.data, volume.spacing, order=3, grid_mode=True, mode="nearest")
    growth = [new / old for new, old in zip(data.shape, volume.data.shape, strict=True)]
    affine = volume.affine @ np.diag([*(1 / factor for factor in growth), 1.0])
    # the first voxel's centre moves with the size of the voxels
    affine[:3, 3] += (affine[:3, :3] - volume.affine[:3, :3]).sum(axis=1) / 2
    return Volume(np.asarray(data, np.float32), affine)


def _one_cortex(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return aparc+aseg labels as plain aseg: parcels (1000, 2000 and up) become cortex, the callosum white matter."""
    out = np.where((labels >= 1000) & (labels < 2000), 3, labels)
    out = np.where((labels >= 2000) & (labels < 3000), 42, out)
    return np.where((labels >= 251) & (labels <= 255), 2, out).astype(np.int32)


def _deep(head: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return roughly the brain of a whole head: 16 mm under the surface, in the top 120 mm."""
    top = int(np.flatnonzero(head.any(axis=(0, 1)))[-1])
    deep = ndimage.distance_transform_edt(head) > 16
    deep[:, :, : max(0, top - 120)] = False
    return np.asarray(deep)


def _trim(tissues: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut away everything more than 30 voxels below the brain: neck and shoulders teach nothing here."""
    brain = (tissues >= 2) & (tissues <= 13)
    lowest = int(np.flatnonzero(brain.any(axis=(0, 1)))[0])
    return np.ascontiguousarray(tissues[:, :, max(0, lowest - 30) :])
