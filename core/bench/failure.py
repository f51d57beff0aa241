"""How well each diagnostic of the failure lab, taken in distribution, foretells the accuracy lost under a shift."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.bench.table import write_between
from core.events import finish
from core.failure.data.dataset import Dataset, simulated_dataset
from core.failure.diagnostics.battery import Depth, ModalityFits, ModelFindings, fit_modality, run_battery
from core.failure.models.remedies import REMEDIES
from core.failure.models.training import EPOCHS, fit, training_set
from core.failure.thresholds import SHUFFLE, SWAP, WITHIN
from core.spectra.simulated_tissue import PRESETS

Floats = NDArray[np.float64]

TISSUES = {
    "strong": PRESETS["strong"],
    "density": PRESETS["density"],
    "medium": replace(PRESETS["density"], cue_noise=0.10),
    "weak": PRESETS["weak"],
    "band": PRESETS["band"],
    "none": PRESETS["none"],
}
RECIPES = (
    "erm", "decay", "dropout", "mixup", "decoupling", "banddrop", "whiten", "derivative", "snv", "amide", "centre",
    "instance", "swap",
)  # fmt: skip
WITHOUT = ("erm", "whiten", "instance")
PATCHES, TESTS = 600, 300
MARK = "failure"

# probe in the table -> (diagnostic, its further figure or "", whether less of it means worse)
PROBES: dict[str, tuple[str, str, bool]] = {
    "D3 R² of one number": ("one_number", "", False),
    "D3 excess over the classes": ("one_number", "excess", False),
    "D3 within classes": ("one_number", "within", False),
    "D4 follows a swapped score": ("swap", "", False),
    "D4 does not stay": ("swap", "rest", True),
    "D4 follows a swapped gain": ("swap", "gain", False),
    "D4n follows a swapped noise floor": ("noise_floor", "", False),
    "D5 logits of shuffled pixels": ("shuffle", "logits", False),
    "D5 accuracy on shuffled pixels": ("shuffle", "", False),
    "D12 worst change of the amount": ("shift", "amount", False),
    "D12 worst shift": ("shift", "", False),
    "D13 rise of the calibration error": ("calibration", "", False),
    "D11 gain over plain classifiers": ("gain", "", True),
    "D6 accuracy without the mean": ("mean", "", True),
    "Hidden structures": ("hidden", "", False),
    "D10 agreement with one number": ("agreement", "", False),
    "D10 kappa of the errors": ("agreement", "error_kappa", False),
    "D2 one component": ("component", "", False),
    "D1 first component": ("rank", "", False),
    "D1 low effective rank": ("rank", "erank", True),
    "D1 low effective rank of the features": ("rank", "feature_erank", True),
    "Loss to noise": ("shift", "noise", False),
}
LEANING = "Leaning: the largest of D3, D4, D5"
# swap augmentation teaches a network to pass D4
TAUGHT = ("D4 follows a swapped score", "swap")
# what the verdict looks at, and for which half: whether a model leans on one number, whether it fails, or a warning.
DECIDING = {
    "D3 within classes": "leaning",
    "D4 follows a swapped score": "leaning",
    "D5 logits of shuffled pixels": "leaning",
    LEANING: "leaning",
    "D12 worst change of the amount": "failing",
    "D12 worst shift": "warning",
    "D13 rise of the calibration error": "warning",
    "D4n follows a swapped noise floor": "warning",
    "D11 gain over plain classifiers": "warning",
}


@dataclass(frozen=True)
class Trained:
    """One network: accuracy of each test set, and the value of each probe of ``PROBES``."""

    tissue: str
    modality: str
    recipe: str
    seed: int
    accuracy: dict[str, float]
    probes: dict[str, float]

    @property
    def shortcut(self) -> bool:
        """Whether it is an infrared network on tissue with a shortcut: those that the bar is about."""
        return self.modality == "ir" and self.tissue != "none"


@dataclass(frozen=True)
class Line:
    """Spearman's rank correlation of a probe with the loss of accuracy, over networks on infrared cubes with a shortcut
    and over all. decides: what in the verdict it is for, empty for nothing; conflict: where the shortcut is drawn at
    random; external: on other slides."""

    probe: str
    decides: str
    conflict: float
    external: float
    all_conflict: float
    all_external: float


def grid(seeds: int) -> Iterator[tuple[str, str, str, int]]:
    """Yield tissue, modality, recipe and seed of every network."""
    for seed in range(seeds):
        for tissue in TISSUES:
            yield tissue, "rgb", "erm", seed
            for recipe in RECIPES if tissue != "none" else WITHOUT:
                yield tissue, "ir", recipe, seed


def measure(
    seeds: int, cache: Path, report: Callable[[str], None], patches: int = PATCHES, epochs: int = EPOCHS
) -> list[Trained]:
    """Train and probe every network of the grid; those in ``cache`` (a line of JSON each) are not trained again."""
    key = f"{patches} patches, {epochs} epochs"
    done = {_key(row): row for row in _restore(cache, key)}
    datasets: dict[tuple[str, int], Dataset] = {}
    all_fits: dict[tuple[str, str, int], ModalityFits] = {}
    for tissue, modality, recipe, seed in (wanted := list(grid(seeds))):
        if (tissue, modality, recipe, seed) in done:
            continue
        if (tissue, seed) not in datasets:
            # one dataset at a time is held
            datasets, all_fits = {(tissue, seed): simulated_dataset(TISSUES[tissue], patches, seed, TESTS)}, {}
        dataset = datasets[tissue, seed]
        if (tissue, modality, seed) not in all_fits:
            all_fits[tissue, modality, seed] = fit_modality(dataset, modality, Depth(2, (3,), bands=False), seed)
        trained = finish(fit(REMEDIES[recipe], "cnn", training_set(dataset, modality), epochs, seed))
        found = finish(run_battery(all_fits[tissue, modality, seed], trained.logits, trained, np.array([], np.int64)))
        row = _row(tissue, modality, recipe, seed, found)
        done[_key(row)] = row
        _append(cache, key, row)
        accuracy = ", ".join(f"{name} {value:.3f}" for name, value in row.accuracy.items())
        report(f"{len(done)}/{len(wanted)} {tissue} {modality} {recipe} {seed}: {accuracy}")
    return [done[each] for each in wanted]


def correlate(rows: Sequence[Trained]) -> list[Line]:
    """Return a line for each probe, and one more for that of ``TAUGHT`` without the networks that were taught it."""
    probe, recipe = TAUGHT
    lines = [_line(rows, name, name, DECIDING.get(name, "")) for name in (*PROBES, LEANING)]
    untaught = [row for row in rows if row.recipe != recipe]
    return [*lines, _line(untaught, probe, f"{probe}, of networks that were not taught by swaps", "")]


def _line(rows: Sequence[Trained], name: str, title: str, decides: str) -> Line:
    some = [row for row in rows if row.shortcut]
    return Line(
        title, decides, *(_spearman(part, name, away) for part in (some, rows) for away in ("conflict", "external"))
    )


def markdown(rows: Sequence[Trained]) -> str:
    """Return the table of correlations with a sentence about what was trained."""
    some = sum(row.shortcut for row in rows)
    head = (
        "Spearman's rank correlation of each probe, taken in distribution, with the accuracy lost where the shortcut "
        f"is drawn at random (conflict) and on other slides (external): over {some} infrared networks on simulated "
        f"tissue with a shortcut, and over all {len(rows)} networks, stained and without a shortcut too. Positive: "
        "the worse the probe, the larger the loss. A simulated reproduction; no number is of the paper."
    )
    table = ["| Probe | Decides | Conflict | External | All: conflict | All: external |", "|---|---|---|---|---|---|"]
    for line in correlate(rows):
        numbers = (line.conflict, line.external, line.all_conflict, line.all_external)
        cells = " | ".join(_text(each) for each in numbers)
        table.append(f"| {line.probe} | {line.decides or 'no'} | {cells} |")
    return "\n".join([head, "", *table])


def write_page(page: Path, rows: Sequence[Trained]) -> None:
    """Put the table between its marks in ``page``; UserError for a page without them."""
    write_between(page, MARK, markdown(rows))


def reading(row: Trained, name: str) -> float:
    """Return a probe of a network, turned so that more is worse; LEANING: the largest of three, in their thresholds."""
    if name == LEANING:
        parts = (
            ("D3 within classes", WITHIN),
            ("D4 follows a swapped score", SWAP),
            ("D5 logits of shuffled pixels", SHUFFLE),
        )
        return max(row.probes[each] / threshold for each, threshold in parts)
    return -row.probes[name] if PROBES[name][2] else row.probes[name]


def _row(tissue: str, modality: str, recipe: str, seed: int, found: ModelFindings) -> Trained:
    probes = {}
    for name, (diagnostic, part, _) in PROBES.items():
        each = next(one for one in found.diagnostics if one.name == diagnostic)
        part = "rgb_noise" if (diagnostic, part, modality) == ("shift", "noise", "rgb") else part
        probes[name] = each.figures[part].value if part else each.figure.value
    accuracy = {name: figure.value for name, figure in found.accuracy.items()}
    return Trained(tissue, modality, recipe, seed, accuracy, probes)


def _spearman(rows: Sequence[Trained], name: str, away: str) -> float:
    """Return the rank correlation over the rows in which the probe has a value; nan for fewer than five."""
    from scipy import stats

    read = [(reading(row, name), row.accuracy["id"] - row.accuracy[away]) for row in rows]
    pairs = np.array([pair for pair in read if math.isfinite(pair[0])])
    if len(pairs) < 5 or np.ptp(pairs[:, 0]) == 0:
        return math.nan
    return float(stats.spearmanr(pairs[:, 0], pairs[:, 1]).statistic)


def _key(row: Trained) -> tuple[str, str, str, int]:
    return row.tissue, row.modality, row.recipe, row.seed


def _append(cache: Path, key: str, row: Trained) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    with cache.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"settings": key, **asdict(row)}) + "\n")


def _restore(cache: Path, key: str) -> list[Trained]:
    if not cache.is_file():
        return []
    lines = [json.loads(line) for line in cache.read_text(encoding="utf-8").splitlines()]
    return [
        Trained(**{name: value for name, value in line.items() if name != "settings"})
        for line in lines
        if line["settings"] == key
    ]


def _text(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.2f}"
