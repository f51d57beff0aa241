"""The tables of a report of the failure lab: what was read, accuracies and probes, confusions, how it was trained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.failure.advice import AWAY
from core.failure.data.dataset import HOME
from core.failure.data.modality import TITLES
from core.failure.models.remedies import REMEDIES
from core.failure.recipe_means import Recipe, tests_of
from core.failure.results import Data, Diagnostic, Model, Results, Shallow
from core.failure.titles import NETWORKS, set_title
from core.measure.intervals import Interval

LEVELS = {"red": "Red", "amber": "Amber", "none": "None found", "unlearnt": "Nothing learnt"}
TRAIN = "train"
PROBES = (
    ("one_number", "R² of one number"),
    ("swap", "Follows swap"),
    ("noise_floor", "Follows noise"),
    ("shift", "Worst shift"),
    ("calibration", "ECE rise"),
)
MODES = {"patches": "Patches of your file", "spectra": "Spectra of your file", "predictions": "Answers of your model"}


@dataclass(frozen=True)
class TextTable:
    """A table of texts; the first cell of each row is its head. words: sentences rather than numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    words: bool = False


@dataclass(frozen=True)
class Confusion:
    """rows: for each class its name, and for each answer the number of patches and its share of the row in percent."""

    title: str
    classes: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]


def subject_of(data: Data) -> str:
    """Return what was examined, in words."""
    return f"Simulated tissue: {data.tissue}" if data.source == "simulated" else MODES.get(data.mode, data.mode)


def data_rows(data: Data) -> list[tuple[str, str]]:
    """Return titles and values of what was read."""
    at = data.wavenumbers
    bands = f"{len(at)}, {min(at):.0f} to {max(at):.0f} cm⁻¹" if at else "none"
    return [
        ("Technique", "Raman, relative counts" if data.technique == "raman" else "Infrared, absorbance"),
        ("Bands", bands),
        *([("Size of a patch", f"{data.size[0]} × {data.size[1]} pixels")] if data.mode == "patches" else []),
        ("Classes", ", ".join(data.classes)),
        ("Patients or slides", str(data.groups) if data.groups else "not known"),
    ]


def parts_table(results: Results) -> TextTable | None:
    """Return patches and patients or slides of each class in each set, None where they were not counted."""
    data = results.data
    if not data.parts:
        return None
    sets = tuple(dict.fromkeys(part.name for part in data.parts))
    found = {(part.name, part.label): part for part in data.parts}
    rows = tuple(
        (name, *(_part(found.get((one, kind)), data) for one in sets)) for kind, name in enumerate(data.classes)
    )
    head = ("Class", *("Training" if one == TRAIN else set_title(one) for one in sets))
    what = things_of(data).capitalize() + (" (patients or slides)" if data.groups else "")
    fold = " of the first fold" if "folds" in results.settings else ""
    return TextTable(head, rows, f"{what} of each class in each set{fold}")


def things_of(data: Data) -> str:
    """Return what the data are many of."""
    return {"spectra": "spectra", "predictions": "answers"}.get(data.mode, "patches")


def commonest(data: Data) -> float:
    """Return the accuracy of always naming the commonest class at home, one in K for a run of an earlier version."""
    return data.chance if math.isfinite(data.chance) else 1 / max(1, len(data.classes))


def recipes_table(results: Results, found: Sequence[Recipe]) -> TextTable:
    """Return accuracies and the probes that decide of every recipe, mean over seeds."""
    tests = tests_of(results)
    rows = [
        (
            each.title,
            *(worded(each.accuracy(test)) for test in tests),
            *(number(each.probe(name).value) for name, _ in PROBES),
            LEVELS.get(each.first.verdict.level, "–") if each.first.verdict else "–",
        )
        for each in found
    ]
    head = ("Recipe", *map(set_title, tests), *(title for _, title in PROBES), "Verdict")
    return TextTable(head, tuple(rows), "Every recipe, mean over seeds")


def plain_table(results: Results) -> TextTable | None:
    """Return the accuracies of the plain classifiers beside the networks."""
    tests = tests_of(results)
    rows = tuple(
        (
            plain_title(each),
            *(worded(each.accuracy[test]) if test in each.accuracy else "–" for test in tests),
        )
        for each in plain_ones(results)
    )
    return TextTable(("Plain classifier", *map(set_title, tests)), rows) if rows else None


def plain_ones(results: Results) -> list[Shallow]:
    """Return the plain classifiers that are not among the models themselves."""
    titles = {model.title for model in results.models}
    return [each for each in results.shallow if each.title not in titles]


def plain_title(each: Shallow) -> str:
    """Return the title of a plain classifier with what it sees."""
    return f"{TITLES.get(each.modality, each.modality)}: {each.title}"


def paired_table(results: Results) -> TextTable | None:
    """Return the differences between two views of the same patches."""
    titles = {model.name: model.title for model in results.models}
    rows = tuple(
        (
            set_title(each.name),
            titles.get(each.first, each.first),
            titles.get(each.second, each.second),
            worded(each.difference),
        )
        for each in results.paired
    )
    head = ("Patches", "First", "Second", "First minus second")
    return TextTable(head, rows, "The same patches seen both ways", words=True) if rows else None


def leakage_table(found: Sequence[Diagnostic]) -> TextTable | None:
    """Return accuracies split by spectrum and by patient."""
    rows = tuple(
        (
            _classifier(each.title),
            worded(each.figures["by_spectrum"]),
            worded(each.figures["by_group"]),
            worded(each.figure),
            number(each.figures["majority"].value),
        )
        for each in found
    )
    head = ("Classifier", "Split by spectrum", "Split by patient", "Difference", "Commonest class")
    return TextTable(head, rows) if rows else None


def confusions(models: Iterable[Model], classes: tuple[str, ...]) -> list[Confusion]:
    """Return the confusion matrix of each model at home, and on the set away from home that tells most."""
    return [
        Confusion(
            f"{model.title}, {set_title(test).lower()}",
            classes,
            tuple(
                (name, tuple((count, round(100 * count / max(1, sum(row)))) for count in row))
                for name, row in zip(classes, table, strict=True)
            ),
        )
        for model in models
        for test in (HOME, next((name for name in AWAY if name in model.confusion), ""))
        if (table := model.confusion.get(test))
    ]


def trained_table(found: Sequence[Recipe]) -> TextTable:
    """Return how every recipe was trained."""
    rows = tuple(
        (
            each.title,
            NETWORKS.get(each.first.network, each.first.network),
            f"{each.first.parameters:,}" if each.first.parameters else "–",
            str(each.first.epochs or "–"),
            ", ".join(str(model.seed) for model in each.models),
            number(each.first.losses[-1], 3) if each.first.losses else "–",
            number(each.first.train_accuracy),
        )
        for each in found
    )
    head = ("Recipe", "Network", "Parameters", "Epochs", "Seeds", "Last loss", "Accuracy in training")
    return TextTable(head, rows)


def remedies_of(found: Sequence[Recipe]) -> list[tuple[str, str]]:
    """Return title and meaning of every remedy that was used."""
    names = dict.fromkeys(each.first.remedy for each in found)
    return [(REMEDIES[name].title, REMEDIES[name].help) for name in names if name in REMEDIES]


def probes_tables(models: Sequence[Model], results: Results) -> list[TextTable]:
    """Return every probe of the models and of the data, and whether it decides the verdict."""
    parts = [(model.title, model.diagnostics) for model in models if model.diagnostics]
    parts += [("The data, before any model", results.prior)] if results.prior else []
    return [_probes(title, found) for title, found in parts]


def worded(figure: Interval) -> str:
    """Return a number with its 95 % interval, as ``0.69 (0.64 to 0.73)``."""
    middle = number(figure.value)
    if not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return middle
    return f"{middle} ({number(figure.low)} to {number(figure.high)})"


def number(value: float, digits: int = 2) -> str:
    """Return a number with ``digits`` decimals, a dash where it could not be measured."""
    return f"{value:.{digits}f}".replace("-", "−") if math.isfinite(value) else "–"


def _classifier(title: str) -> str:
    """Return the classifier that the title of a leakage names after its colon."""
    own = title.partition(": ")[2] or title
    return own[:1].upper() + own[1:]


def _part(part: object, data: Data) -> str:
    patches, groups = getattr(part, "patches", 0), getattr(part, "groups", 0)
    return f"{patches} ({groups})" if data.groups else str(patches)


def _probes(title: str, found: Iterable[Diagnostic]) -> TextTable:
    rows = tuple(
        (
            each.code,
            each.title,
            worded(each.figure),
            "decides" if each.decides else "–",
            each.reason.removeprefix("Decides: " if each.decides else "Not used for the verdict: "),
        )
        for each in found
    )
    return TextTable(("Probe", "What it measures", "Value", "For the verdict", "Note"), rows, title, words=True)
