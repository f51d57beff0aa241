"""Translation on a site that nothing was learnt from, with a scan of someone else of that site."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.bench.case import Entrant, Row, entrant, run, unpublished
from core.bench.people import GIVE
from core.bench.plain_translation import Pool, histogram
from core.bench.subjects import in_units
from core.bench.table import markdown_methods, write_between
from core.bench.translate import of_subject
from core.errors import UserError
from core.events import Progress, finish
from core.imaging.options import Options
from core.imaging.problem import Estimate, Sources
from core.imaging.translate.intensity_scale import scale_of
from core.imaging.translate.sources import gather

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Solve = Callable[[Sources], Generator[Progress, None, Estimate]]

MARK = "scanner"
SITE = "train/lhdata"
BLOCK = "a scanner that nothing was learnt from (lhdata)"
# the mean of one contrast given the other, learnt from the other person
SITE_MEAN = "site"
BASELINES = {"translate": [SITE_MEAN]}
# voxels of the other person that it is learnt from
VOXELS = 200_000
OPTIONS = Options("faithful", 1, 1)


@dataclass(frozen=True, eq=False)
class Person:
    """contrast -> image (X, Y, Z) float32 on one grid, in units of its 99.5th percentile in ``brain``."""

    name: str
    images: Mapping[str, Float]
    brain: Bool


def measure(folders: Sequence[Path], report: Callable[[str], None]) -> list[Row]:
    """Translate T1 to T2 and T2 to T1 of each person of ``folders``, each beside the next one; UserError for fewer than
    two."""
    if len(folders) < 2:
        raise UserError("file_unreadable", f"There are no two people of {SITE}.", GIVE)
    rows: list[Row] = []
    for person, other in pairwise(_people([*folders, folders[0]])):
        for case in of_subject(person.name, person.images, person.brain):
            label = replace(case.label, block=f"{case.label.note}, {BLOCK}", pooled="")
            rows += run([replace(case, label=label)], _entrants(other), report=report)
    return rows


def markdown(rows: Sequence[Row]) -> str:
    """Return the table of each direction."""
    return markdown_methods(rows, BASELINES)


def write_page(page: Path, rows: Sequence[Row]) -> None:
    """Write the tables into a page of the documentation."""
    write_between(page, MARK, markdown(rows))


def folders(data: Path) -> list[Path]:
    """Return the folders of the people of the site below ``data``."""
    return sorted(folder for folder in (data / SITE).glob("*") if (folder / "t1.nii.gz").is_file())


def _people(found: Sequence[Path]) -> Iterator[Person]:
    for folder in found:
        gathered = finish(gather({name: folder / f"{name}.nii.gz" for name in ("t1", "t2")}, "flair", True))
        brain = gathered.sources.brain
        images = {name: in_units(image, brain) for name, image in gathered.sources.images.items()}
        yield Person(folder.name, images, brain)


def _entrants(other: Person) -> list[Entrant]:
    """Return the methods as they are, those with a scan of ``other``, and what is learnt from both contrasts of it."""
    plain = [entrant(method, OPTIONS) for method in unpublished("translate")]
    kept: dict[str, Estimate] = {}
    as_they_are = [replace(each, solve=_kept(each, kept)) for each in plain]
    matched = [
        replace(each, name=f"{each.name}/scanner", title=f"{each.title}, same scanner", solve=_drawn(each, kept, other))
        for each in plain
    ]
    mean = Entrant(SITE_MEAN, "Mean given the other contrast, of another person of the site", _site_mean(other))
    return [*as_they_are, *matched, mean]


def _kept(each: Entrant, kept: dict[str, Estimate]) -> Solve:
    def solve(sources: Sources) -> Generator[Progress, None, Estimate]:
        kept[each.name] = yield from each.solve(sources)
        return kept[each.name]

    return solve


def _drawn(each: Entrant, kept: Mapping[str, Estimate], other: Person) -> Solve:
    """Return the estimate that ``_kept`` made, drawn as the scanner of ``other`` draws."""

    def solve(sources: Sources) -> Generator[Progress, None, Estimate]:
        yield Progress(0.0, 0, 1, "Taking the intensities of the scanner")
        made = kept[each.name]
        scale = scale_of(other.images[sources.target][other.brain], sources.target)
        spread = None if made.deviation is None else made.deviation * np.float32(scale.gain)
        return replace(made, values=scale.drawn(made.values, sources.brain), deviation=spread)

    return solve


def _site_mean(other: Person) -> Solve:
    def solve(sources: Sources) -> Generator[Progress, None, Estimate]:
        yield Progress(0.0, 0, 1, "Fitting")
        names = tuple(sources.images)
        inside = np.flatnonzero(other.brain)
        picks = np.random.default_rng(0).choice(inside, min(VOXELS, inside.size), replace=False)
        drawn = {name: other.images[name].ravel()[picks][:, None] for name in (*names, sources.target)}
        predict = histogram(Pool(drawn, np.zeros((picks.size, 3), np.float32)), names, sources.target)
        return Estimate(predict(sources.images, sources.brain))

    return solve
