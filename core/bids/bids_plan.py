"""Which images of a data set a task is run on: scans with their masks, thick slices, sessions that lack a contrast."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from core.batch.scan_list import Scan
from core.bids.bids_dataset import AGENT, OWN_SPACES, SUFFIXES, Image, images_of, is_away, masks_of, strays_of
from core.bids.bids_names import INDEXES, BidsName
from core.bids.bids_sidecars import absolute, intended
from core.contrasts import TITLES
from core.errors import UserError
from core.files.voxel_stream import MAX_BYTES, open_source
from core.imaging.superres.geometry import KEEP_MM
from core.volume import spacing

# as most data sets label their scans after contrast agent
AGENT_LABEL = "gadolinium"
TASKS = ("inpaint", "superres", "translate")
# what a mask states of itself, not of its image
OF_MASK = ("label", "desc", "space", "res")


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
        with_masks = wish.derivatives if wish.task == "inpaint" else ()
        masks = masks_of(folder, label, wish.label, with_masks) if wish.task == "inpaint" else []
        strays = strays_of(folder, label, wish.label, with_masks)
        if not images and not strays:
            of = " of these sessions" if wish.sessions else ""
            left_out.append(f"sub-{label}: no {', '.join(SUFFIXES.values())} in its folders anat{of}")
        left_out += [f"{stray}: no BIDS name, or not the folder of its name" for stray in strays]
        made: dict[str, Planned] = {}
        for one in _PLANS[wish.task](folder, images, masks, wish):
            if isinstance(one, str):
                left_out.append(one)
            elif away := next((image for image in one.images if is_away(image.path)), None):
                left_out.append(
                    f"{away.relative}: its content is not on this disk; datalad get or git lfs pull fetches it"
                )
            elif (first := made.setdefault(str(one.result), one)) is not one:
                # x.nii beside x.nii.gz, or entities in another order
                left_out.append(f"{one.images[0].relative}: {first.images[0].path.name} was taken")
        planned += made.values()
    return Plan(tuple(planned), tuple(left_out))


def _inpaint(folder: Path, images: Sequence[Image], masks: Sequence[Image], wish: Wish) -> Iterator[Planned | str]:
    meant: dict[Path, list[Image]] = {}
    for mask in masks:
        named, unknown = _intended(mask, folder)
        if named is not None:
            meant[mask.path] = named
        elif unknown:
            yield f"{mask.relative}: IntendedFor names {unknown}, which is not there; its own name counts"
    for image in images:
        fitting = [mask for mask in masks if image in meant.get(mask.path, ())]
        fitting = fitting or [mask for mask in masks if mask.path not in meant and _fits(mask, image)]
        if image.contrast == AGENT and fitting:
            yield f"{image.relative}: taken with contrast agent, inpainting is for T1w without"
        if image.contrast != "t1":
            continue
        if not fitting:
            yield f"{image.relative}: no mask with the label {wish.label}{_why(image, masks, meant)}"
            continue
        # the mask that states most of the image
        most = max(_shared(mask, image) for mask in fitting)
        best = [mask for mask in fitting if _shared(mask, image) == most]
        if len(best) > 1:
            yield f"{image.relative}: several masks, {', '.join(mask.path.name for mask in best[:4])}"
            continue
        yield _planned(image.name, {"t1": image, "mask": best[0]}, image.name.derived("T1w", desc="inpainted"))


def _superres(folder: Path, images: Sequence[Image], masks: Sequence[Image], wish: Wish) -> Iterator[Planned | str]:
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


def _translate(folder: Path, images: Sequence[Image], masks: Sequence[Image], wish: Wish) -> Iterator[Planned | str]:
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


def _intended(mask: Image, folder: Path) -> tuple[list[Image] | None, str]:
    """Return the images that a mask is meant for, none where these are others than anatomical ones, None where its
    sidecar does not settle that; and the first word for what is not there."""
    there = {absolute(image.path): image for image in images_of(folder, mask.name.entities["sub"])}
    words = intended(mask.path, mask.base, folder)
    named = [there[place] for _, places in words for place in places if place in there]
    unknown = next((word for word, places in words if not any(map(os.path.lexists, places))), "")
    return (named if named or (words and not unknown) else None), unknown


def _fits(mask: Image, image: Image) -> bool:
    """Return whether a mask can be one of ``image``: its space, and nothing that both state differs."""
    space = mask.name.entities.get("space")
    if space not in OWN_SPACES and space != image.name.entities.get("space"):
        return False
    stated = _stated(image)
    return all(stated.get(name) == value for name, value in _stated(mask).items() if name not in OF_MASK)


def _why(image: Image, masks: Sequence[Image], meant: Mapping[Path, Sequence[Image]]) -> str:
    """Return why the first of the ``masks`` of its session is none of ``image``, "" where the session has none."""
    session = image.name.entities.get("ses")
    near = next((mask for mask in masks if mask.name.entities.get("ses", session) == session), None)
    if near is None:
        return ""
    space, stated = near.name.entities.get("space"), _stated(image)
    differs = [f"{name}-{value}" for name, value in _stated(near).items() if stated.get(name) != value]
    if near.path in meant:
        reason = "is intended for others"
    elif space not in OWN_SPACES and space != image.name.entities.get("space"):
        reason = f"is in the space {space}"
    else:
        reason = f"states {', '.join(one for one in differs if one.partition('-')[0] not in OF_MASK)}"
    return f" is of this image: {near.path.name} {reason}"


def _shared(mask: Image, image: Image) -> int:
    return len(_stated(mask).items() & _stated(image).items())


def _stated(image: Image) -> dict[str, str]:
    """Return the entities of a name; run-01 and run-1 are one."""
    entities = image.name.entities
    return {name: value.lstrip("0") if name in INDEXES else value for name, value in entities.items()}
