"""Translation on subjects whose missing contrast is known, beside plain methods fitted on the training subjects."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.anatomy.intensity import scaled
from core.bench import plain_translation as regress
from core.bench.case import Entrant, Label, whole_scores, within
from core.bench.figures import Scene
from core.bench.subjects import in_units, read_stroke, read_tumour, training_folders, tumour_folder
from core.bench.superres import off_centre
from core.contrasts import CONTRASTS, USUAL
from core.events import Progress
from core.imaging.problem import Estimate, Sources
from core.measure import quality
from core.train.heldout import TUMOUR

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Fit = Callable[[regress.Pool, tuple[str, ...], str], regress.Predictor]

DIRECTIONS = (
    (("t1",), "t2"),
    (("t2",), "t1"),
    (("t1",), "flair"),
    (("t1", "t2"), "flair"),
    (("flair", "t1", "t2"), "t1ce"),
)
NAMES = {"t1": "T1", "t1ce": "T1ce", "t2": "T2", "flair": "FLAIR"}


@dataclass(frozen=True, eq=False)
class Plain:
    """A plain method; matched: whether it sees images scaled as the network does, or by their 99.5th percentile."""

    name: str
    title: str
    fit: Fit
    matched: bool = False


PLAIN = (
    Plain("boosting", "Boosted trees on patches", regress.boosting),
    Plain("boosting/matched", "Boosted trees, scaled as for the network", regress.boosting, matched=True),
    Plain("histogram", "Joint histogram", regress.histogram),
    Plain("linear", "Linear regression", regress.linear),
)


@dataclass(frozen=True, eq=False)
class ContrastCase:
    """One contrast to make of one subject. truth: (X, Y, Z) float32, RAS+, 1 the 99.5th percentile in the brain."""

    label: Label
    truth: Float
    problem: Sources

    @property
    def where(self) -> Bool:
        """Where the truth is asked for."""
        return self.problem.brain

    @property
    def region(self) -> None:
        """All of the image is made."""
        return None

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Size of a voxel: every scan of these subjects has 1 mm."""
        return (1.0, 1.0, 1.0)

    def assess(self, estimate: Estimate) -> tuple[dict[str, float], Float]:
        """Return the measures inside the brain; psnr_line: PSNR after the best straight line, which a scanner's gain
        cannot change."""
        brain, result = self.problem.brain, estimate.values
        scores = whole_scores(result, self.truth, brain)
        scores["psnr_line"] = quality.psnr(best_line(result, self.truth, brain), self.truth, brain, 1.0)
        return {**scores, "within": within(estimate, self.truth, brain)}, result

    def scene(self) -> Scene:
        """Return the truth and the sources."""
        brain = self.problem.brain
        images = {"truth": self.truth}
        images |= {f"given {NAMES[name]}": in_units(image, brain) for name, image in self.problem.images.items()}
        return Scene(images, off_centre(brain), self.spacing, 1.0, 180.0)


def best_line(result: Float, truth: Float, brain: Bool) -> Float:
    """Return ``a * result + b``, (X, Y, Z) float32, with the a and b that come nearest to ``truth`` in ``brain``."""
    values, wanted = result[brain].astype(np.float64), truth[brain].astype(np.float64)
    spread = float(values.var())
    slope = float(((values - values.mean()) * (wanted - wanted.mean())).mean()) / spread if spread > 0 else 0.0
    return np.asarray(slope * (result - float(values.mean())) + float(wanted.mean()), np.float32)


def cases(data: Path, elsewhere: bool = True) -> Iterator[ContrastCase]:
    """Yield every direction of the held-out tumour subject, then, if asked for, those of the stroke of another site,
    where it is below ``data``; UserError without the first."""
    yield from of_subject(TUMOUR, *read_tumour(tumour_folder(data) / TUMOUR))
    stroke = read_stroke(data) if elsewhere else None
    if stroke is not None:
        yield from of_subject("stroke", *stroke, block="All directions, another site (stroke)")


def of_subject(subject: str, images: Mapping[str, Float], brain: Bool, block: str = "") -> Iterator[ContrastCase]:
    """Yield every direction that ``images`` (contrast -> (X, Y, Z), any units) of a subject allow.

    block: the table they share; without it each has its own and one for all.
    """
    for index, (sources, target) in enumerate(DIRECTIONS):
        if set(sources) | {target} <= set(images):
            words = direction(sources, target)
            label = Label("translate", block or words, subject, index, "" if block else "All directions", words)
            given = {name: images[name] for name in sources}
            yield ContrastCase(label, in_units(images[target], brain), Sources(given, brain, target))


def direction(sources: tuple[str, ...], target: str) -> str:
    """Return a direction in words."""
    return f"{' + '.join(NAMES[name] for name in sources)} to {NAMES[target]}"


def plain(pool: Callable[[bool], regress.Pool]) -> list[Entrant]:
    """Return the plain methods, which learn from the training voxels that ``pool(matched)`` gives.

    A direction is fitted when it is first asked for, and that counts as part of its seconds.
    """
    return [Entrant(each.name, each.title, _Fitted(each, pool).solve) for each in PLAIN]


def training_pool(data: Path, cache: Path, matched: bool = False, voxels: int = regress.VOXELS) -> regress.Pool:
    """Return voxels of the training subjects below ``data``, from ``cache`` where they were drawn before.

    matched: scaled as for the network, otherwise in units of the 99.5th percentile.
    """
    folders = training_folders(data)
    drawn_from = zlib.crc32("/".join([*(folder.name for folder in folders), str(voxels)]).encode())
    path = cache / f"translate-{'matched' if matched else 'units'}-{drawn_from:08x}.npz"
    if not path.is_file():
        readers = [partial(read_tumour, folder) for folder in folders]
        regress.save(path, regress.pool(readers, voxels, scaled if matched else in_units))
    return regress.restore(path)


class _Fitted:
    """A plain method that fits each direction once."""

    def __init__(self, method: Plain, pool: Callable[[bool], regress.Pool]) -> None:
        self._method = method
        self._pool = pool
        self._predictors: dict[tuple[tuple[str, ...], str], regress.Predictor] = {}

    def solve(self, problem: Sources) -> Generator[Progress, None, Estimate]:
        yield Progress(0.0, 0, 1, "Fitting")
        key = (tuple(name for name in CONTRASTS if name in problem.images), problem.target)
        if key not in self._predictors:
            self._predictors[key] = self._method.fit(self._pool(self._method.matched), *key)
        scale = scaled if self._method.matched else in_units
        images = {name: scale(image, problem.brain) for name, image in problem.images.items()}
        values = self._predictors[key](images, problem.brain)
        if self._method.matched:
            middle, spread = USUAL[problem.target]
            values = np.where(problem.brain, np.maximum(middle + spread * values, 0), 0).astype(np.float32)
        return Estimate(values)
