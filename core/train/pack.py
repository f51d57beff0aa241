"""One compressed .npz with every training volume, readable with numpy alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.files.nifti import read_volume
from core.head import find_head
from core.synth.anatomy import tissues_of

VALIDATION = ("1015", "1017", "1018", "1019", "1036")
# the two pre-operative subjects whose T1 is sharp on all three axes; the others were made from thick slices
SHARP_GLIOMA = ("Brats18_CBICA_ABM_1", "Brats18_CBICA_AQN_1")


@dataclass(frozen=True)
class Packed:
    """One volume of the set: ``kind`` is scan (T1, with the voxels to keep away from) or labels (a tissue map)."""

    name: str
    kind: str
    folder: str
    split: str
    source: str


def pack(data: Path, out: Path, folders: tuple[str, ...], say: Callable[[str], None]) -> None:
    """Write ``out`` (.npz) from the chosen ``folders`` (labels, train, demo) of ``data``.

    Keys: ``index`` (JSON of ``Packed`` as uint8), ``<name>/image`` float16 (X, Y, Z; 99.5th percentile of the head
    is 1) and ``<name>/usable`` bool for scans, ``<name>/tissues`` uint8 for label maps. All RAS+, 1 mm.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    index: list[Packed] = []
    for item, path, lesion in _items(data):
        if item.folder not in folders:
            continue
        say(f"packing {item.name}")
        index.append(item)
        if item.kind == "labels":
            labels = read_volume(path).data.astype(np.int32)
            arrays[f"{item.name}/tissues"] = _trim(tissues_of(labels))
            continue
        volume = read_volume(path)
        head = find_head(volume)
        usable = head.mask if head.kind == "brain" else _deep(head.mask)
        if lesion is not None:
            usable &= read_volume(lesion).data == 0
        level = float(np.percentile(volume.data[head.mask], 99.5))
        arrays[f"{item.name}/image"] = (np.maximum(volume.data, 0) / level).astype(np.float16)
        arrays[f"{item.name}/usable"] = usable
    arrays["index"] = np.frombuffer(json.dumps([asdict(item) for item in index]).encode(), np.uint8)
    temporary = out.with_name(out.name + ".part.npz")
    np.savez_compressed(temporary, allow_pickle=False, **arrays)
    temporary.replace(out)


class PackedSet:
    """A packed set opened for reading; arrays are read when asked for."""

    def __init__(self, path: Path) -> None:
        self._file = np.load(path, allow_pickle=False)
        self.items = tuple(Packed(**item) for item in json.loads(self._file["index"].tobytes()))

    def scan(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return image (X, Y, Z) float32 and the voxels that may be voided, bool."""
        return self._file[f"{name}/image"].astype(np.float32), self._file[f"{name}/usable"]

    def tissues(self, name: str) -> NDArray[np.uint8]:
        """Return a tissue map (X, Y, Z) uint8."""
        tissues: NDArray[np.uint8] = self._file[f"{name}/tissues"]
        return tissues


def _items(data: Path) -> Iterator[tuple[Packed, Path, Path | None]]:
    for path in sorted((data / "labels/synthseg").glob("training_seg_*.nii.gz")):
        name = "synthseg-" + path.name.split(".")[0][-2:]
        yield Packed(name, "labels", "labels", "train", "BBillot/SynthSeg, Apache-2.0"), path, None
    for path in sorted((data / "train/malf_nc").glob("*_t1.nii.gz")):
        number = path.name[:4]
        split = "validation" if number in VALIDATION else "train"
        source = "OASIS-1 through muschellij2/malf.templates, CC BY-NC"
        yield Packed(f"oasis-{number}", "scan", "train", split, source), path, None
    for subject in SHARP_GLIOMA:
        folder = data / "train/brats18" / subject
        if folder.is_dir():
            yield (
                Packed(subject, "scan", "train", "train", "BraTS 2018, research use"),
                folder / "t1.nii.gz",
                folder / "seg.nii.gz",
            )
    for folder_name, image, lesion, source in (
        ("openms_patient07", "t1.nii.gz", "lesion.nii.gz", "Open MS data, CC BY"),
        ("studyforrest_t1", "t1_1mm.nii.gz", None, "studyforrest, PDDL"),
    ):
        folder = data / "demo" / folder_name
        if (folder / image).is_file():
            item = Packed(folder_name, "scan", "demo", "train", source)
            yield item, folder / image, folder / lesion if lesion else None


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
