"""Creation of a study from its design: images are read, blinded and stored; items are formed; notes are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.errors import UserError
from core.measure.answers import Use
from core.volume import Volume
from webapp.services import Services
from webapp.store.repository import discard
from webapp.store.study_records import NewImage, NewItem, NewStudy, Runs, StudyRecord
from webapp.study import blinding, run_lengths
from webapp.study.blinding import Frame, Head
from webapp.study.design import Design, refusal
from webapp.study.image_sources import Found, gather

MOST_ITEMS = 5000
MOST_BYTES = 16 << 30
Report = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Group:
    """All images of one case."""

    case: str
    images: tuple[Found, ...]


def create(
    services: Services, design: Design, session: str | None, report: Report = lambda line: None
) -> tuple[StudyRecord, str]:
    """Create a study; returns it and the key with which another browser manages it.

    session: the browser that manages it, None for the command line. report: called with one line of progress per case.
    UserError: bad_study, study_grid, study_head, study_large, not_found, disk_full and every code of the readers.
    """
    found = gather(design, services, session)
    cases = dict.fromkeys(one.case for one in found)
    groups = [Group(case, tuple(one for one in found if one.case == case)) for case in cases]
    places = {one: place for place, one in enumerate(found)}
    items = tuple(NewItem(use, tuple(places[one] for one in images)) for use, images in _items(design, groups))
    _check(design, found, items)
    sizes = {one: one.read().spacing for one in found}
    spacing = blinding.common_spacing(list(sizes.values()))
    heads = [blinding.head_of(g.case, [blinding.on_spacing(one.read(), spacing) for one in g.images]) for g in groups]
    frame = blinding.frame_of(spacing, heads)
    notes = tuple(
        _notes(design, groups, sizes, spacing, len({one for item in items for one in item.images}), len(found))
    )
    if len(found) * math.prod(frame.shape) > MOST_BYTES:
        raise UserError("study_large", "The images take too much room.", "Leave out methods, or resample to 1 mm.")
    with ExitStack() as undo:
        images: dict[Found, NewImage] = {}
        for number, (group, head) in enumerate(zip(groups, heads, strict=True), 1):
            images |= _stored(services, undo, design, group, head, frame)
            report(f"Case {number} of {len(groups)} is ready.")
        twice = len(images) - len({image.sha256 for image in images.values()})
        if twice:
            notes += (f"{twice} images are the same as others to the voxel; raters may recognise them.",)
        stored = {**design.model_dump(mode="json"), "shape": list(frame.shape)}
        if not all(services.blobs.path(image.blob).is_file() for image in images.values()):
            raise refusal("The server was started meanwhile, which removes files that no study has yet.")
        new = NewStudy(design.title, stored, notes, tuple(images[one] for one in found), items)
        made = services.studies.add(new, session)
        undo.pop_all()
    return made


def _stored(
    services: Services, undo: ExitStack, design: Design, group: Group, head: Head, frame: Frame
) -> Iterator[tuple[Found, NewImage]]:
    volumes = [blinding.on_spacing(one.read(), frame.spacing) for one in group.images]
    inside = [volume.data[head.box][head.mask] for volume in volumes]
    together = blinding.window_of(inside) if design.window == "case" else None
    for one, volume, values in zip(group.images, volumes, inside, strict=True):
        image = blinding.encoded(volume.data, head, together or blinding.window_of([values]), frame)
        blob = services.blobs.put(lambda path, image=image: blinding.write(path, image, frame), ".nii")  # type: ignore[misc]
        undo.callback(discard, services.repo, services.blobs, blob.name)
        region = _region(one, volume, head, frame)
        measures = dict(one.measures)
        new = NewImage(one.method, one.case, one.truth, measures, region, blob.name, blob.sha256, blob.bytes)
        yield one, new


def _region(one: Found, like: Volume, head: Head, frame: Frame) -> Runs | None:
    """Return the runs of the made voxels of an image on the frame; None where they are not known."""
    if one.truth == "real":
        return ()
    if one.region is None:
        return None
    mask = blinding.on_spacing(one.region(), frame.spacing)
    if mask.data.shape != like.data.shape:
        raise UserError(
            "study_grid", f"The mask of case {one.case} is not on the grid of its image.", "Resample the mask first."
        )
    return run_lengths.of_mask(blinding.placed(mask.data > 0.5, head, frame))


def _items(design: Design, groups: Sequence[Group]) -> Iterator[tuple[Use, tuple[Found, ...]]]:
    """Yield every item with its use, each image or pair once, practice first."""
    ranked: list[tuple[Use, tuple[Found, ...]]] = []
    for group in groups:
        use: Use = "training" if group.case in design.training else "catch" if group.case in design.catch else "item"
        if design.singles:
            ranked += [(use, (one,)) for one in group.images]
        if design.ask.prefer:
            ranked += [(use, pair) for pair in _pairs(design, group)]
    yield from sorted(ranked, key=lambda entry: entry[0] != "training")


def _pairs(design: Design, group: Group) -> Iterator[tuple[Found, Found]]:
    by_name: Mapping[str, Found] = {one.method: one for one in group.images}
    wanted = design.pairs or tuple(combinations(by_name, 2))
    for first, second in wanted:
        if first in by_name and second in by_name:
            yield by_name[first], by_name[second]


def _check(design: Design, found: Sequence[Found], items: Sequence[NewItem]) -> None:
    cases, methods = {one.case for one in found}, {one.method for one in found}
    for method in (*design.methods, *(one for pair in design.pairs for one in pair)):
        if method not in methods:
            raise refusal(f"There is no image of method {method}.")
    for case in (*design.training, *design.catch):
        if case not in cases:
            raise refusal(f"There is no case {case}, which training or catch names.")
    scored = [item for item in items if item.use != "training"]
    if design.ask.prefer and not any(len(item.images) == 2 for item in scored):
        raise refusal("There is no pair to compare: no case has images of two of the methods.")
    if not scored:
        raise refusal("Every case is for practice; nothing is left to rate.")
    if len(items) > MOST_ITEMS:
        raise UserError(
            "study_large", f"{len(items)} items are too many.", f"Keep to {MOST_ITEMS}: name pairs or methods."
        )
    truths = {found[item.images[0]].truth for item in scored if len(item.images) == 1}
    if design.ask.real and len(truths) == 1:
        missing = "synthetic" if "real" in truths else "real"
        raise refusal(f"The question real or synthetic needs both kinds, but no image is {missing}.")


def _notes(
    design: Design,
    groups: Sequence[Group],
    sizes: Mapping[Found, blinding.Size],
    spacing: blinding.Size,
    shown: int,
    total: int,
) -> Iterator[str]:
    """Yield notes on differences that may still unblind raters, or weaken the study."""
    if shown < total:
        yield f"{total - shown} of {total} images are in no item."
    if design.folder and not any(one.truth == "real" for group in groups for one in group.images):
        yield f"All images count as synthetic: no folder is called {', '.join(design.real)}."
    if design.order == "none" and design.singles:
        yield "Every rater sees the methods of a case in the same order, which raters may learn."
    other = [g.case for g in groups if not np.allclose(sizes[g.images[0]], spacing, rtol=blinding.SAME_SIZE)]
    if other:
        yield f"{len(other)} of {len(groups)} cases had another voxel size and were interpolated."
    methods = dict.fromkeys(one.method for group in groups for one in group.images)
    for method in methods:
        without = sum(all(one.method != method for one in group.images) for group in groups)
        if without:
            yield f"Method {method} is missing in {without} of {len(groups)} cases; differences between cases may show."
    if design.ask.real:
        lone = [group for group in groups if len({one.truth for one in group.images}) == 1]
        if lone:
            yield f"{len(lone)} of {len(groups)} cases are only real or only synthetic: the subject may reveal which."
