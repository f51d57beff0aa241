"""One compressed .npz with every training volume, readable with numpy alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.head import find_head
from core.contrasts import CONTRASTS
from core.files.nifti import read_volume
from core.synth.labelmaps import tissues_of
from core.train.heldout import HEALTHY, TUMOUR

# the contrasts of pre-operative subjects that are sharp on all three axes; the others were made from thick slices
SHARP_GLIOMA = {"Brats18_CBICA_ABM_1": ("t1", "t1ce", "t2"), "Brats18_CBICA_AQN_1": ("t1", "t1ce")}
OPENMS = {"t1": "t1.nii.gz", "t1ce": "t1post.nii.gz", "t2": "t2.nii.gz", "flair": "flair.nii.gz"}
# folder, files, sharp contrasts, stripped, lesion mask, source
DEMO: tuple[tuple[str, dict[str, str], tuple[str, ...], bool, str, str], ...] = (
    ("openms_patient07", OPENMS, ("t1", "flair"), True, "lesion.nii.gz", "Open MS data, CC BY"),
    ("studyforrest_t1", {"t1": "t1_1mm.nii.gz"}, ("t1",), False, "", "studyforrest, PDDL"),
)


@dataclass(frozen=True)
class Packed:
    """One subject of the set: ``kind`` is scan (one or more contrasts on one grid) or labels (a tissue map).

    contrasts: what there is of t1, t1ce, t2, flair. sharp: those that are sharp on all three axes; the others were
    made from thick slices along S and are sharp on the other two.
    """

    name: str
    kind: str
    folder: str
    split: str
    source: str
    contrasts: tuple[str, ...] = ()
    sharp: tuple[str, ...] = ()
    stripped: bool = True


def pack(data: Path, out: Path, folders: tuple[str, ...], say: Callable[[str], None]) -> None:
    """Write ``out`` (.npz) from the chosen ``folders`` (labels, train, demo) of ``data``.

    Keys: ``index`` (JSON of ``Packed`` as uint8), ``<name>/<contrast>`` float16 (X, Y, Z; 99.5th percentile of the
    head is 1), ``<name>/usable`` bool (healthy voxels that may be voided) and ``<name>/head`` bool for scans,
    ``<name>/tissues`` uint8 for label maps. All RAS+, 1 mm.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    index: list[Packed] = []
    for item, paths, lesion in _items(data):
        if item.folder not in folders:
            continue
        say(f"packing {item.name}")
        index.append(item)
        if item.kind == "labels":
            labels = read_volume(paths["labels"]).data.astype(np.int32)
            arrays[f"{item.name}/tissues"] = _trim(tissues_of(labels))
        else:
            arrays |= _scan(item, paths, lesion)
    arrays["index"] = np.frombuffer(json.dumps([asdict(item) for item in index]).encode(), np.uint8)
    temporary = out.with_name(out.name + ".part.npz")
    np.savez_compressed(temporary, allow_pickle=False, **arrays)
    temporary.replace(out)


class PackedSet:
    """A packed set opened for reading; arrays are read when asked for."""

    def __init__(self, path: Path) -> None:
        self._file = np.load(path, allow_pickle=False)
        self.items = tuple(
            Packed(**{**item, "contrasts": tuple(item["contrasts"]), "sharp": tuple(item["sharp"])})
            for item in json.loads(self._file["index"].tobytes())
        )

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


def _scan(item: Packed, paths: dict[str, Path], lesion: Path | None) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {}
    volumes = {contrast: read_volume(paths[contrast]) for contrast in item.contrasts}
    first = volumes[item.contrasts[0]]
    head = find_head(first).mask
    usable = head.copy() if item.stripped else _deep(head)
    if lesion is not None:
        usable &= read_volume(lesion).data == 0
    for contrast, volume in volumes.items():
        values = np.where(head, volume.data, 0) if item.stripped else volume.data
        level = float(np.percentile(volume.data[head], 99.5))
        arrays[f"{item.name}/{contrast}"] = (np.maximum(values, 0) / level).astype(np.float16)
    return arrays | {f"{item.name}/head": head, f"{item.name}/usable": usable}


def _items(data: Path) -> Iterator[tuple[Packed, dict[str, Path], Path | None]]:
    for path in sorted((data / "labels/synthseg").glob("training_seg_*.nii.gz")):
        name = "synthseg-" + path.name.split(".")[0][-2:]
        yield Packed(name, "labels", "labels", "train", "BBillot/SynthSeg, Apache-2.0"), {"labels": path}, None
    for path in sorted((data / "train/malf_nc").glob("*_t1.nii.gz")):
        number = path.name[:4]
        split = "validation" if number in HEALTHY else "train"
        source = "OASIS-1 through muschellij2/malf.templates, CC BY-NC"
        yield Packed(f"oasis-{number}", "scan", "train", split, source, ("t1",), ("t1",)), {"t1": path}, None
    for folder in sorted((data / "train/brats18").glob("Brats18_*")):
        split = "validation" if folder.name == TUMOUR else "train"
        paths = {contrast: folder / f"{contrast}.nii.gz" for contrast in CONTRASTS}
        sharp = SHARP_GLIOMA.get(folder.name, ())
        source = "BraTS 2018, research use"
        yield Packed(folder.name, "scan", "train", split, source, CONTRASTS, sharp), paths, folder / "seg.nii.gz"
    for folder_name, names, sharp, stripped, lesion, source in DEMO:
        folder = data / "demo" / folder_name
        if folder.is_dir():
            item = Packed(folder_name, "scan", "demo", "train", source, tuple(names), sharp, stripped)
            files = {contrast: folder / file for contrast, file in names.items()}
            yield item, files, folder / lesion if lesion else None


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
