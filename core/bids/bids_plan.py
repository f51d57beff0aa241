"""Which images of a data set a task is run on: scans with their masks, thick slices, sessions that lack a contrast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from core.batch.scan_list import Scan
from core.bids.bids_dataset import AGENT, SUFFIXES, Image, images_of, masks_of
from core.bids.bids_names import BidsName
from core.contrasts import TITLES
from core.errors import UserError
from core.files.voxel_stream import MAX_BYTES, open_source
from core.imaging.superres.geometry import KEEP_MM
from core.volume import spacing

# as most data sets label their scans after contrast agent
AGENT_LABEL = "gadolinium"
TASKS = ("inpaint", "superres", "translate")


@dataclass(frozen=True)
class Planned:
    """One scan of the batch: its inputs as images, and the name of its result."""

    scan: Scan
    images: tuple[Image, ...]
    result: BidsName


@dataclass(frozen=True)
class Plan:
    """What is run, and sentences about images that are left out."""

    planned: tuple[Planned, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Wish:
    """What a user wants of a data set. label: of the masks; derivatives: data sets with masks beside; target: contrast
    to make; resampled: whether a voxel size is wished, so that fine images are worth it."""

    task: str
    label: str = "lesion"
    derivatives: tuple[Path, ...] = ()
    sessions: tuple[str, ...] = ()
    target: str = "flair"
    resampled: bool = False


def plan(folder: Path, labels: Sequence[str], wish: Wish) -> Plan:
    """Return what the task is run on in the data set ``folder``, for the participants ``labels``."""
    planned: list[Planned] = []
    left_out: list[str] = []
    for label in labels:
        images = [image for image in images_of(folder, label) if not wish.sessions or image.session[1] in wish.sessions]
        masks = masks_of(folder, label, wish.label, wish.derivatives) if wish.task == "inpaint" else []
        for one in _PLANS[wish.task](images, masks, wish):
            planned += [one] if isinstance(one, Planned) else []
            left_out += [one] if isinstance(one, str) else []
    return Plan(tuple(planned), tuple(left_out))


def _inpaint(images: Sequence[Image], masks: Sequence[Image], wish: Wish) -> Iterator[Planned | str]:
    for image in images:
        if image.contrast != "t1":
            continue
        fitting = [mask for mask in masks if _fits(mask, image)]
        if not fitting:
            yield f"{image.relative}: no mask with the label {wish.label}"
            continue
        # the mask that states most of the image
        most = max(_shared(mask, image) for mask in fitting)
        best = [mask for mask in fitting if _shared(mask, image) == most]
        if len(best) > 1:
            yield f"{image.relative}: several masks, {', '.join(mask.path.name for mask in best[:4])}"
            continue
        yield _planned(image.name, {"t1": image, "mask": best[0]}, image.name.derived("T1w", desc="inpainted"))


def _superres(images: Sequence[Image], masks: Sequence[Image], wish: Wish) -> Iterator[Planned | str]:
    for image in images:
        try:
            header = open_source(image.path, max_bytes=MAX_BYTES, free_bytes=MAX_BYTES).header
        except UserError:
            # the run refuses it, with a reason
            fine = False
        else:
            fine = max(spacing(header.affine)) <= KEEP_MM
        if fine and not wish.resampled:
            yield f"{image.relative}: no voxel side above {KEEP_MM} mm"
            continue
        yield _planned(image.name, {"image": image}, image.name.derived(image.name.suffix, desc="superres"))


def _translate(images: Sequence[Image], masks: Sequence[Image], wish: Wish) -> Iterator[Planned | str]:
    for _, group in groupby(images, key=lambda image: image.session):
        session = list(group)
        sources: dict[str, Image] = {}
        for image in session:
            if image.contrast in sources:
                yield f"{image.relative}: {sources[image.contrast].path.name} was taken"
            sources.setdefault(image.contrast, image)
        if wish.target in sources:
            yield f"{sources[wish.target].relative}: {TITLES[wish.target]} is there already"
            continue
        first = next(iter(sources.values())).name
        base = BidsName({name: first.entities[name] for name in ("sub", "ses") if name in first.entities}, "")
        agent = {"ce": AGENT_LABEL} if wish.target == AGENT else {}
        suffix = SUFFIXES.get(wish.target, SUFFIXES["t1"])
        yield _planned(base.derived(suffix), sources, base.derived(suffix, desc="synthetic", **agent))


_PLANS = {"inpaint": _inpaint, "superres": _superres, "translate": _translate}


def _planned(named: BidsName, inputs: Mapping[str, Image], result: BidsName) -> Planned:
    scan = Scan(
        str(named).removesuffix(named.extension), {name: str(image.path.absolute()) for name, image in inputs.items()}
    )
    return Planned(scan, tuple(inputs.values()), result)


def _fits(mask: Image, image: Image) -> bool:
    """Return whether a mask can be one of ``image``: nothing that both state differs."""
    ignored = ("label", "desc", "space", "res")
    own = {name: value for name, value in mask.name.entities.items() if name not in ignored}
    return all(image.name.entities.get(name) == value for name, value in own.items())


def _shared(mask: Image, image: Image) -> int:
    return len(set(mask.name.entities.items()) & set(image.name.entities.items()))
