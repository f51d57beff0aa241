"""The papers' methods beside ours on the same scans: quality, network calls, counted arithmetic, seconds, memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from core.anatomy.tissues import agreement, tissues
from core.bench import inpaint, superres, synthetic, translate
from core.bench.case import Case, Entrant, Measuring, Row, check_names, chosen, entrant, measure, run
from core.bench.memory import Peak
from core.bench.suite import SAMPLES
from core.bench.superres import ThickCase
from core.bench.translate import ContrastCase
from core.imaging.options import Options, PublishedOptions
from core.imaging.problem import Sources, ThickScan
from core.tasks import find
from core.train.heldout import HEALTHY
from core.volume import Box, bounding_box

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

OURS = "volume"
# a ball of 34 mm
HOLE_ML = 20.0
KIND = "z4"
# slices of whole volumes are hours on two cores; what every method sees is the same
SIDES = (96, 96, 64)
# voxels around a hole that the tissues are looked for with
MARGIN = 16
# the plain method that stands beside them; trees ask where in its brain a voxel lies, which a part does not tell
PLAIN = {"inpaint": "biharmonic", "superres": "cubic", "translate": "regression"}
# denoising steps of each method in its paper, or in the code published with it; None: not known to us
PUBLISHED: dict[str, int | None] = {
    "slicewise": 1000,
    "average": 50,
    "scorefusion": 50,
    "tpdm": 4000,
    "repaint": 4570,
    "posterior": 1000,
    "hierarchical": None,
}
ABLATIONS: dict[str, PublishedOptions] = {
    "axial only": PublishedOptions(stages="axial"),
    "coronal only": PublishedOptions(stages="coronal"),
    "both": PublishedOptions(),
    "both (no resampling)": PublishedOptions(resamples=1),
    "both (second stage not told the first)": PublishedOptions(conditioned=False),
    "both (second stage from 0.25)": PublishedOptions(start=0.25),
    "both (second stage from 0.75)": PublishedOptions(start=0.75),
    "axial only (no resampling)": PublishedOptions(stages="axial", resamples=1),
    "both (noise not shared)": PublishedOptions(correlated=False),
    "axial only (neither)": PublishedOptions(stages="axial", resamples=1, correlated=False),
}


@dataclass(frozen=True)
class Settings:
    """What to compare.

    data: folder of the scans, None for the synthetic case; methods: names, none for all; samples: of which a result of
    the papers' methods is the mean; whole: whole volumes, not their middle; ablations: variants of the hierarchical
    method in place of the methods; figures: folder for pictures.
    """

    data: Path | None
    methods: Sequence[str] = ()
    subjects: Sequence[str] = HEALTHY
    seed: int = 0
    samples: int = 1
    device: str = "cpu"
    whole: bool = False
    ablations: bool = False
    figures: Path | None = None
    report: Callable[[str], None] = field(default=lambda line: None)


def compare(task: str, settings: Settings) -> list[Row]:
    """Let every method try every case of ``task`` and return a row for each; UserError for an unknown method.

    Beside the scores of ``core.bench.case``: gflop, counted as 2 for a multiply-add; published, what the method would
    take at the steps of its paper in parts of ours; peak_mb; csf, grey, white: Dice of the tissues found in the result
    and in the truth.
    """
    everyone = ablations(settings) if settings.ablations else entrants(task, settings)
    check_names(everyone, settings.methods)
    picked = chosen(everyone, settings.methods)
    rows = run(cases(task, settings), picked, settings.figures, settings.report, _measuring)
    return _published(rows, task, settings.samples)


def entrants(task: str, settings: Settings) -> list[Entrant]:
    """Return ours as the page runs it, the papers' at eight steps and one, and the plain method; of super-resolution
    each also without the step that makes it agree with what was measured."""
    made = []
    for method in find(task).methods:
        if method.cheap and method.name != PLAIN[task]:
            continue
        once = Options(samples=settings.samples, seed=settings.seed, device=settings.device)
        options = replace(once, samples=SAMPLES[task]) if method.ours else replace(once, steps=method.steps)
        made.append(entrant(method, options))
        if method.paper:
            made.append(entrant(method, once, "/1", ", one step", shown=False))
        if task == "superres" and method.name != "posterior":
            made.append(entrant(method, replace(options, consistent=False), "/free", ", not consistent", shown=False))
    return made


def ablations(settings: Settings) -> list[Entrant]:
    """Return the variants of the hierarchical method."""
    method = find("inpaint").method("hierarchical")
    options = Options(steps=method.steps, samples=settings.samples, seed=settings.seed, device=settings.device)
    return [
        replace(entrant(method, replace(options, published=published)), name=name, title=name, shown=False)
        for name, published in ABLATIONS.items()
    ]


def cases(task: str, settings: Settings) -> Iterable[Case]:
    """Return the held-out cases of ``task``: a hole in each healthy subject, its slices of 4 mm, every direction of the
    tumour subject."""
    if settings.data is None:
        return [synthetic.case(task)]
    if task == "inpaint":
        return inpaint.cases(settings.data, settings.subjects, (HOLE_ML,), (3.0,))
    if task == "superres":
        sharp = (
            case
            for case in superres.cases(settings.data, settings.subjects)
            if superres.BLOCKS[case.label.block] == KIND
        )
        return sharp if settings.whole else map(_middle_of_slices, sharp)
    given = translate.cases(settings.data, elsewhere=False)
    pooled = (
        replace(case, label=replace(case.label, block="All directions", pooled="", note=case.label.block))
        for case in given
    )
    return pooled if settings.whole else map(_middle_of_contrasts, pooled)


def _middle_of_slices(case: ThickCase) -> ThickCase:
    box = middle(case.brain, superres.SIDE)
    truth = np.ascontiguousarray(case.truth[box])
    sampled = superres.acquisition(KIND, truth.shape)
    return replace(case, truth=truth, brain=case.brain[box], problem=ThickScan(sampled.measure(truth), sampled))


def _middle_of_contrasts(case: ContrastCase) -> ContrastCase:
    box = middle(case.problem.brain, 1)
    images = {name: image[box] for name, image in case.problem.images.items()}
    return replace(case, truth=case.truth[box], problem=Sources(images, case.problem.brain[box], case.problem.target))


def middle(brain: Bool, multiple: int) -> Box:
    """Return the box of ``SIDES`` around the middle of ``brain``, as far as the volume goes, in whole multiples."""
    parts = []
    for extent, side, length in zip(bounding_box(brain), SIDES, brain.shape, strict=True):
        fitting = min(side, length // multiple * multiple)
        start = (extent.start + extent.stop - fitting) // 2
        start = min(max(0, start), length - fitting) // multiple * multiple
        parts.append(slice(start, start + fitting))
    return parts[0], parts[1], parts[2]


class _Downstream:
    """Whether a result leads to the tissue maps of the truth."""

    def __init__(self, case: Case) -> None:
        self._box = bounding_box(case.where, MARGIN)
        self._where = case.where[self._box]
        # of a hole the head around it is looked at too, as a segmenter would
        self._head = np.asarray(getattr(case.problem, "head", case.where))[self._box]
        self._spacing = case.scene().spacing
        self._truth = tissues(case.truth[self._box], self._spacing, self._head)

    def scores(self, image: Float) -> dict[str, float]:
        """Return the Dice of each tissue where the truth was asked for."""
        return agreement(tissues(image[self._box], self._spacing, self._head), self._truth, self._where)


def _measuring(case: Case) -> Measuring:
    downstream = _Downstream(case)

    def counted(each: Entrant) -> tuple[Row, Float | None]:
        peak = Peak()
        with FlopCounterMode(display=False) as counter:
            row, image = measure(case, each)
        if image is None:
            return row, None
        found = {"gflop": counter.get_total_flops() / 1e9, "peak_mb": peak.megabytes()}
        return replace(row, scores={**row.scores, **found, **downstream.scores(image)}), image

    return counted


def _published(rows: list[Row], task: str, samples: int) -> list[Row]:
    """Add what each method would take for one sample at the steps of its paper, in parts of what ours took on the same
    case."""
    ours = {row.label: row.scores.get("gflop", 0.0) for row in rows if row.method == OURS}
    steps = {method.name: method.steps * samples for method in find(task).methods}
    return [_with_published(row, ours.get(row.label, 0.0), steps) for row in rows]


def _with_published(row: Row, ours: float, steps: dict[str, int]) -> Row:
    known = PUBLISHED.get(row.method)
    if not known or not ours or "gflop" not in row.scores:
        return row
    taken = row.scores["gflop"] / steps[row.method]
    # what is counted of the resampling method holds its repeats, as do the steps of its paper
    taken /= PublishedOptions().resamples if row.method == "repaint" else 1
    return replace(row, scores={**row.scores, "published": taken * known / ours})
