"""Are realistic fills like real tissue? Beside the mirrored hemisphere, a smooth fill and another person's tissue."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.anatomy.head import find_head
from core.anatomy.registration import register
from core.bench import case
from core.bench.aggregate import summarise
from core.bench.case import Entrant, Row, entrant
from core.bench.inpaint import HoleCase, cases
from core.bench.random_features import feature_distance
from core.bench.subjects import healthy
from core.events import Progress
from core.imaging.options import Options
from core.imaging.problem import Estimate, Problem
from core.tasks import find
from core.train.heldout import VALIDATION
from core.volume import Volume, bounding_box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

MARK = "realism"
SIZE_ML = 45.0
REALISTIC, MIRROR, PERSON = "volume/realistic", "mirror", "another person"
TITLES = {
    REALISTIC: "Counterscan network, realistic",
    "volume": "Counterscan network, faithful",
    MIRROR: "Mirrored hemisphere",
    "biharmonic": "3D biharmonic",
    PERSON: "Another person's tissue in the same place",
}
# score -> 1 where more is better
SIGNS = {"features": -1, "grey_dice": 1}
# levels of brightness that another scan's tissue is matched at
QUANTILES = np.linspace(0, 1, 101)


def measure(
    data: Path,
    options: Options,
    subjects: Sequence[str] = VALIDATION,
    figures: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
    size: float = SIZE_ML,
) -> Iterator[list[Row]]:
    """Yield after each hole of ``size`` ml all rows so far: ``features``, see ``feature_distance``, and ``grey_dice``.

    data: the folder that holds train; options: of our network; figures: folder for pictures; report: gets a line after
    each row. UserError where a subject is missing.
    """
    rows: list[Row] = []
    for each in cases(data, subjects, [size]):
        rows += case.run([each], _entrants(each, data, options, subjects), figures, report, measuring=_measuring)
        yield rows


def markdown(rows: Sequence[Row]) -> str:
    """Return a table for each block: mean distance and Dice of every method, and how often it is nearer than the mirror
    by either."""
    parts = []
    lines = summarise(rows)
    for block in dict.fromkeys(line.block for line in lines):
        table = [f"**{block}**", "", "| Fill | Distance | Nearer than mirror | GM Dice | Higher than mirror |"]
        table.append("|---|---|---|---|---|")
        for line in lines:
            if line.block == block:
                of = {name: _won(rows, block, line.method, name, sign) for name, sign in SIGNS.items()}
                distance, dice = (line.scores.get(name, float("nan")) for name in SIGNS)
                cells = (TITLES[line.method], f"{distance:.3f}", of["features"], f"{dice:.3f}", of["grey_dice"])
                table.append(f"| {' | '.join(cells)} |")
        parts.append("\n".join(table))
    return "\n\n".join(parts)


def _won(rows: Sequence[Row], block: str, method: str, name: str, sign: int) -> str:
    """Return in how many cases of ``block`` ``method`` is better than the mirror."""
    if method == MIRROR:
        return "-"
    good = [row for row in rows if row.label.block == block and row.scores]
    ours, mirror = ({row.label: row.scores[name] for row in good if row.method == who} for who in (method, MIRROR))
    both = ours.keys() & mirror.keys()
    return f"{sum(sign * ours[label] > sign * mirror[label] for label in both)} of {len(both)}"


def _entrants(hole: HoleCase, data: Path, options: Options, subjects: Sequence[str]) -> list[Entrant]:
    methods = {name: find("inpaint").method(name) for name in ("volume", MIRROR, "biharmonic")}
    realistic = entrant(methods["volume"], replace(options, mode="realistic"), "/realistic", " (realistic)")
    plain = [entrant(method, options) for method in methods.values()]
    other = next((name for name in _beside(hole.label.subject, subjects)), None)
    person = [] if other is None else [Entrant(PERSON, TITLES[PERSON], partial(another_person, data, other))]
    return [realistic, *plain, *person]


def _beside(subject: str, subjects: Sequence[str]) -> Iterator[str]:
    """Yield the other ``subjects``, those of the same site first, each time from the next one on."""
    place = subjects.index(subject)
    turned = [*subjects[place + 1 :], *subjects[:place]]
    site = subject.partition("-")[0] if "-" in subject else ""
    yield from sorted(turned, key=lambda name: (name.partition("-")[0] if "-" in name else "") != site)


def another_person(data: Path, name: str, problem: Problem) -> Generator[Progress, None, Estimate]:
    """Fill with the T1 of subject ``name``, brought to the head's size and place, in its brightness: real tissue of
    the same part of the brain, which does not fit."""
    yield Progress(0.0, 0, 1, "Bringing another head here")
    (person,) = healthy(data, [name])
    other, _ = person.read()
    head = find_head(other).mask
    grid = np.diag([*problem.spacing, 1.0])
    moving = Volume(other.data, _onto(head, problem.head, grid))
    found = register(Volume(problem.image, grid), moving, problem.head)
    affine = moving.affine if found is None else found.matrix @ moving.affine
    step = np.linalg.solve(affine, grid)
    # the other brain ends elsewhere: what would lie beyond it is the tissue at its surface
    nearest = ndimage.distance_transform_edt(~head, return_distances=False, return_indices=True)
    # a cubic spline: a linear one would blur the texture that is to be compared
    spread = other.data[tuple(nearest)]
    drawn = ndimage.affine_transform(spread, step[:3, :3], step[:3, 3], problem.image.shape, order=3, mode="nearest")
    return Estimate(_matched(drawn, problem))


def _onto(head: Bool, place: Bool, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the affine by which the box of ``head`` fills that of ``place`` on ``grid``."""
    (low, size), (there, wanted) = (_corner(mask) for mask in (head, place))
    scaled = np.eye(4)
    scaled[:3, :3] = np.diag(wanted / size)
    scaled[:3, 3] = there - wanted / size * low
    return np.asarray(grid @ scaled)


def _corner(mask: Bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    box = bounding_box(mask)
    return np.array([part.start for part in box], float), np.array([part.stop - part.start for part in box], float)


def _matched(image: Float, problem: Problem) -> Float:
    """Return ``image`` with the brightness that the known tissue has."""
    known = problem.head & ~problem.mask
    theirs, ours = (np.quantile(each[known], QUANTILES) for each in (image, problem.image))
    return np.interp(image, theirs, ours).astype(np.float32)


def _measuring(hole: case.Case) -> case.Measuring:
    def measured(each: Entrant) -> tuple[Row, Float | None]:
        row, image = case.measure(hole, each)
        if image is None:
            return row, None
        known = hole.problem.head & ~hole.problem.mask
        distance = feature_distance(image, hole.truth, hole.where, known)
        return replace(row, scores={**row.scores, "features": distance}), image

    return measured
