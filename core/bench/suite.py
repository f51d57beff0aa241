"""The whole measurement: for each task its cases and everyone who tries them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import chain
from pathlib import Path

from core import weights
from core.bench import inpaint, superres, translate, two_parts
from core.bench.case import Case, Entrant, Row, both_modes, check_names, chosen, entrant, run
from core.bench.plain_translation import Pool
from core.bench.subjects import healthy_apart, read_tumour, tumours_apart
from core.bench.volume_files import Volumes
from core.errors import UserError
from core.imaging.options import Options
from core.tasks import find
from core.train.heldout import VALIDATION

TASKS = ("inpaint", "superres", "translate")
CACHE = Path("build/bench")
REALISTIC_STEPS = 8
ADAPTED = "volume/adapted"
SAMPLES = {"inpaint": 4, "superres": 2, "translate": 2}
"""Samples whose mean is the Faithful result; a whole volume costs minutes a call, the crop around a hole seconds."""

APART = {"inpaint": 8, "superres": 3}
"""Healthy subjects that neither taught a network nor are held out, on whom it is calibrated, at most."""


@dataclass(frozen=True)
class Settings:
    """What to measure. data: folder of the scans; subjects: healthy ones, for inpainting and super-resolution;
    methods: names, none for all; steps, samples: of the Faithful mode, samples 0 for those of the task;
    realistic: tasks whose network also runs in that mode (eight calls on each whole volume are many minutes);
    cache: folder of what the plain methods of translation learn from; figures: folder for pictures;
    volumes: folder for every image that was measured."""

    data: Path
    methods: Sequence[str] = ()
    subjects: Sequence[str] = VALIDATION
    steps: int = 1
    samples: int = 0
    seed: int = 0
    device: str = "cpu"
    realistic: Sequence[str] = ("inpaint",)
    cache: Path = CACHE
    figures: Path | None = None
    volumes: Path | None = None
    report: Callable[[str], None] = field(default=lambda line: None)


def bench(tasks: Sequence[str], settings: Settings) -> Iterator[list[Row]]:
    """Measure every method on every case of ``tasks``; after each task yield all rows so far.

    Raises UserError for a method that nobody has or scans that are missing.
    """
    pool = cache(partial(translate.training_pool, settings.data, settings.cache))
    entrants = {task: _entrants(task, settings, pool) for task in tasks}
    check_names([each for group in entrants.values() for each in group], settings.methods)
    keep = None if settings.volumes is None else Volumes(settings.volumes).add
    rows: list[Row] = []
    for task, group in entrants.items():
        picked = chosen(group, settings.methods)
        if task == "translate":
            # drawing voxels is no method's time
            for matched in {each.matched for each in translate.PLAIN if each.name in {one.name for one in picked}}:
                pool(matched)
        if picked:
            held_out = cases(task, settings)
            rows += run(held_out, picked, settings.figures, settings.report, keep=keep)
            yield rows


def network(task: str, settings: Settings) -> tuple[Entrant, str]:
    """Return the network of ``task`` in its Faithful mode, and the name of its weights."""
    method = next(method for method in find(task).methods if method.ours)
    return entrant(method, _faithful(task, settings)), method.weights


def _faithful(task: str, settings: Settings) -> Options:
    samples = settings.samples or SAMPLES[task]
    return Options("faithful", settings.steps, samples, settings.seed, settings.device)


def _entrants(task: str, settings: Settings, pool: Callable[[bool], Pool]) -> list[Entrant]:
    faithful = _faithful(task, settings)
    realistic = None
    if task in settings.realistic:
        realistic = Options("realistic", REALISTIC_STEPS, 1, settings.seed, settings.device)
    if task == "superres":
        # minutes a case: only for who asks
        adapted = superres.adapted(faithful) if ADAPTED in settings.methods else []
        return [*superres.entrants(faithful, realistic), *adapted]
    plain = translate.plain(pool) if task == "translate" else []
    return [*both_modes(task, faithful, realistic), *plain]


def apart(task: str, settings: Settings) -> Iterator[Case]:
    """Yield cases of ``task`` in subjects that neither taught its network nor are among ``cases``.

    Raises UserError where there are none.
    """
    learnt = weights.learnt_from(network(task, settings)[1])
    if task == "translate":
        tumours = tumours_apart(settings.data, learnt)
        found = [name for name, _ in tumours]
        made = chain.from_iterable(translate.of_subject(name, *read_tumour(folder)) for name, folder in tumours)
    else:
        found = healthy_apart(settings.data, learnt, APART[task])
        made = (superres if task == "superres" else inpaint).cases(settings.data, found)
    if not found:
        raise UserError(
            "file_unreadable",
            f"Everybody in {settings.data} taught the network or is held out.",
            "Give the folder that holds train, with other subjects in it.",
        )
    yield from made


def cases(task: str, settings: Settings, elsewhere: bool = True) -> Iterable[Case]:
    """Return the held-out cases of ``task``; elsewhere: those of sites that nothing was learnt from, too."""
    if task == "translate":
        return translate.cases(settings.data, elsewhere)
    if task == "superres":
        return superres.cases(settings.data, settings.subjects)
    return chain(inpaint.cases(settings.data, settings.subjects), two_parts.cases(settings.data) if elsewhere else ())
