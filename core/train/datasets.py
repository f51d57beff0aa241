"""What the folders of training data hold: who, under which licence, and which tasks may learn from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.contrasts import CONTRASTS
from core.train import cubes
from core.train.heldout import HEALTHY, TUMOUR

# weights learnt from these alone may be used by anybody for anything, with credit: CC0, PDDL, MIT, CC BY, Apache-2.0
PERMISSIVE = "permissive"
# non-commercial licences, research agreements, and data whose terms nobody states
RESEARCH = "research"
ALL_TASKS = ("inpaint", "superres", "translate", "tissues")

LEVELLING = 0.25

# the contrasts of pre-operative subjects that are sharp on all three axes; the others were made from thick slices
SHARP_GLIOMA = {"Brats18_CBICA_ABM_1": ("t1", "t1ce", "t2"), "Brats18_CBICA_AQN_1": ("t1", "t1ce")}
OPENMS = {"t1": "t1.nii.gz", "t1ce": "t1post.nii.gz", "t2": "t2.nii.gz", "flair": "flair.nii.gz"}
STROKE = {"t1": "T1.nii.gz", "t2": "T2.nii.gz", "flair": "FLAIR.nii.gz"}
FREESURFER_LABELS = "labels of FreeSurfer"


@dataclass(frozen=True)
class Packed:
    """One subject of a packed set: ``kind`` is scan (contrasts on one grid), cubes (parts of scans), labels (a tissue
    map) or shapes (masks).

    contrasts: what there is of t1, t1ce, t2, flair. sharp: those that are sharp on all three axes; of tasks that learn
    super-resolution, the others were made from thick slices along S and are sharp on the other two.
    licence: ``PERMISSIVE`` or ``RESEARCH``. tasks: those that may learn from it.
    """

    name: str
    kind: str
    folder: str
    split: str
    source: str
    contrasts: tuple[str, ...] = ()
    sharp: tuple[str, ...] = ()
    stripped: bool = True
    licence: str = RESEARCH
    tasks: tuple[str, ...] = ALL_TASKS


@dataclass(frozen=True)
class Listed:
    """An item with its files: contrast (or ``cubes``, ``labels``, ``shapes``) -> file; lesion: a mask of what is not
    healthy."""

    item: Packed
    paths: dict[str, Path]
    lesion: Path | None = None


def listed(data: Path, folders: tuple[str, ...], permissive: bool = False) -> Iterator[Listed]:
    """Yield what the chosen ``folders`` (labels, train, demo) of ``data`` hold, in a fixed order.

    permissive: of what is learnt from, only what has that licence. Who is held out stays, for nothing is learnt there.
    """
    for each in _everything(data):
        wanted = not permissive or each.item.licence == PERMISSIVE or each.item.split != "train"
        if wanted and each.item.folder in folders:
            yield each


def chances(items: Sequence[Packed]) -> NDArray[np.float64]:
    """Return how often each of ``items`` is drawn, (N,), sum 1: the more people a source has, the less often each of
    them (by that number to the power of ``LEVELLING``), so that one large source is not all that is learnt."""
    counts = Counter(item.source for item in items)
    weights = np.array([counts[item.source] ** -LEVELLING for item in items])
    return np.asarray(weights / weights.sum())


def _everything(data: Path) -> Iterator[Listed]:
    yield from _labels(data / "labels")
    yield from _healthy(data / "train")
    yield from _gliomas(data / "train")
    yield from _demo(data / "demo")


def _labels(folder: Path) -> Iterator[Listed]:
    for path in sorted((folder / "synthseg").glob("training_seg_*.nii.gz")):
        name = "synthseg-" + path.name.split(".")[0][-2:]
        item = Packed(name, "labels", "labels", "train", "BBillot/SynthSeg, Apache-2.0", licence=PERMISSIVE)
        yield Listed(item, {"labels": path})
    for path in sorted((folder / "extra").glob("*/labels.nii.gz")):
        # brains without a head; nobody states their terms
        source = f"{FREESURFER_LABELS}, {path.parent.name}, terms not stated"
        yield Listed(Packed(f"extra-{path.parent.name}", "labels", "labels", "train", source), {"labels": path})


def _healthy(folder: Path) -> Iterator[Listed]:
    for path in sorted((folder / "malf_nc").glob("*_t1.nii.gz")):
        number = path.name[:4]
        split = "validation" if number in HEALTHY else "train"
        source = "OASIS-1 through muschellij2/malf.templates, CC BY-NC"
        item = Packed(f"oasis-{number}", "scan", "train", split, source, ("t1",), ("t1",))
        yield Listed(item, {"t1": path})
    for split in ("train", "validation"):
        for path in sorted((folder / "ds002748" / split).glob("*_t1.nii.gz")):
            source = "OpenNeuro ds002748 v1.0.5 (Bezmaternykh 2021), CC0"
            item = Packed(f"ds002748-{path.name[:2]}", "scan", "train", split, source, ("t1",), ("t1",))
            yield Listed(replace(item, licence=PERMISSIVE), {"t1": path})
    for path in sorted((folder / "lhdata").glob("*/t1.nii.gz")):
        # voxels of 1.33 mm on two axes: nothing there is sharp enough to be the truth of super-resolution
        source = "OpenfMRI ds011 (Foerde 2006) through sbassetto/LHData, PDDL"
        item = Packed(f"lhdata-{path.parent.name}", "scan", "train", "train", source, ("t1",), (), stripped=False)
        yield Listed(replace(item, licence=PERMISSIVE, tasks=("inpaint",)), {"t1": path})


def _gliomas(folder: Path) -> Iterator[Listed]:
    for subject in sorted((folder / "brats18").glob("Brats18_*")):
        split = "validation" if subject.name == TUMOUR else "train"
        sharp = SHARP_GLIOMA.get(subject.name, ())
        item = Packed(subject.name, "scan", "train", split, "BraTS 2018, research use", CONTRASTS, sharp)
        yield Listed(item, _contrasts(subject, CONTRASTS), subject / "seg.nii.gz")
    for letter in ("a", "b"):
        subject = folder / "gliomas" / letter
        if subject.is_dir():
            # what to translate with is chosen on them and calibrated on them; b has no mask of its tumour
            source = "BraTS 2021 and BraTS-METS 2023, research use"
            item = Packed(f"glioma-{letter}", "scan", "train", "validation", source, CONTRASTS, tasks=("translate",))
            lesion = subject / "seg.nii.gz"
            yield Listed(item, _contrasts(subject, CONTRASTS), lesion if lesion.is_file() else None)
    shapes = folder / "gliomas" / "shapes.npz"
    if shapes.is_file():
        # drawn by the annotators of BraTS: under its terms, though no voxel of a scan is in them
        source = "tumour shapes of BraTS 2020, research use"
        item = Packed("glioma-shapes", "shapes", "train", "train", source, tasks=("inpaint",))
        yield Listed(item, {"shapes": shapes})
    stored = folder / "gliomas" / "cubes.npz"
    for person, split in (cubes.people(stored) if stored.is_file() else {}).items():
        source = "BraTS 2020, research use"
        item = Packed(f"cube-{person}", "cubes", "train", split, source, CONTRASTS, tasks=("translate",))
        yield Listed(item, {"cubes": stored})


@dataclass(frozen=True)
class _Demo:
    """A folder of demo: contrast -> file, and the rest as in ``Packed``."""

    name: str
    files: dict[str, str]
    sharp: tuple[str, ...]
    source: str
    stripped: bool = True
    lesion: str = ""
    tasks: tuple[str, ...] = field(default=ALL_TASKS)


DEMO = (
    _Demo("openms_patient07", OPENMS, ("t1", "flair"), "Open MS data, CC BY", lesion="lesion.nii.gz"),
    _Demo("studyforrest_t1", {"t1": "t1_1mm.nii.gz"}, ("t1",), "studyforrest, PDDL", stripped=False),
    # its lesion has no mask, and translation is measured on it
    _Demo("stroke", STROKE, tuple(STROKE), "neurolabusc/VolumeRenderingData, MIT", tasks=("superres",)),
)


def _demo(folder: Path) -> Iterator[Listed]:
    for each in DEMO:
        own = folder / each.name
        if own.is_dir():
            item = Packed(
                each.name,
                "scan",
                "demo",
                "train",
                each.source,
                tuple(each.files),
                each.sharp,
                each.stripped,
                PERMISSIVE,
                each.tasks,
            )
            paths = {contrast: own / file for contrast, file in each.files.items()}
            yield Listed(item, paths, own / each.lesion if each.lesion else None)


def _contrasts(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    return {contrast: folder / f"{contrast}.nii.gz" for contrast in names}
