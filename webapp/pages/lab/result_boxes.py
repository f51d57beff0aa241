"""HTML pieces of the failure lab; every text of a file passes ``safe``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.failure.results import Data, Diagnostic, Gap, Model, Results, Verdict
from core.failure.titles import set_title
from webapp.pages.charts.captions import table
from webapp.pages.charts.figure import Cell, Table, worded
from webapp.pages.charts.model_accuracy import Recipe, recipes, tests_of
from webapp.pages.kit.boxes import notes
from webapp.pages.kit.text import number, safe

NEVER = (
    "No verdict here says that a model is safe, and nothing here is for clinical use: probes can miss a failure, and "
    "what was not tested is not known."
)
SHORT_SIDES = {"rgb": "RGB", "ir": "IR"}
LEVELS = {"red": "Red", "amber": "Amber", "none": "No failure found"}
MARKS = {"red": "✕", "amber": "!", "none": "–"}
SIMULATED = '<span class="cs-badge">SIMULATED</span>'


def verdicts(results: Results, title: str = "") -> str:
    """Return a card for each modality: level, sentence, reasons and what was not tested; never that a model is safe."""
    cards = "".join(_verdict(side, found) for side, found in results.verdicts.items())
    mark = SIMULATED if results.data.source == "simulated" else ""
    named = f'<p class="cs-hint">{mark} {safe(title or source(results.data))}</p>'
    said = f'<p class="cs-banner">{safe(NEVER)}</p>'
    return f'<div class="cs-verdicts">{named}{cards}{said}{_paired(results.paired)}</div>'


def source(data: Data) -> str:
    """Return what was examined, in words."""
    if data.source == "simulated":
        return f"Simulated tissue: {data.tissue}"
    kinds = {
        "patches": "Patches of your file",
        "spectra": "Spectra of your file",
        "predictions": "Answers of your model",
    }
    return kinds.get(data.mode, data.mode)


def remedies(results: Results) -> str:
    """Return every recipe with its accuracies, gap and probes; the page's script sorts it by a click on a head."""
    tests = [test for test in tests_of(results) if test != "id"]
    columns = (
        "Recipe",
        set_title("id"),
        *map(set_title, tests),
        *(f"Gap to {set_title(test).lower()}" for test in tests),
    )
    heads = (*columns, "R² of one number", "Follows swap", "Follows noise", "Worst shift", "ECE rise", "Verdict")
    rows = tuple(_recipe(each, tests) for each in recipes(results))
    return f'<div class="cs-sortable">{table(Table("Every recipe; mean over seeds", heads, rows))}</div>'


def probes(models: Sequence[Model], results: Results) -> str:
    """Return every probe of the models and of the data; those that decide nothing say so."""
    parts = [_probes(f"{model.title}", model.diagnostics) for model in models]
    if results.prior:
        parts.append(_probes("The data, before any model", results.prior))
    return "".join(parts)


def facts(results: Results) -> str:
    """Return what was examined, how, what was not tested, and what every result must be read with."""
    data = results.data
    rows = {
        "Data": source(data),
        "Patches": ", ".join(f"{count} {set_title(name).lower()}" for name, count in data.counts.items()),
        "Patients or slides": str(data.groups) if data.groups else "not known",
        "Size": f"{data.size[0]} × {data.size[1]} pixels, {len(data.wavenumbers)} bands",
        "Classes": ", ".join(data.classes),
        **{name.capitalize(): value for name, value in results.settings.items() if value},
    }
    listed = "".join(f"<div><dt>{safe(key)}</dt><dd>{safe(value)}</dd></div>" for key, value in rows.items())
    untested = dict.fromkeys(line for each in results.verdicts.values() for line in each.not_tested)
    return (
        f'<h3 class="cs-view-title">What was examined</h3><dl class="cs-facts">{listed}</dl>{notes(data.notices)}'
        f'<h3 class="cs-view-title">What was not tested</h3>{_lines(untested)}'
        f'<h3 class="cs-view-title">How far to trust this</h3>{_lines(results.limits)}'
    )


def _verdict(side: str, found: Verdict) -> str:
    level = found.level if found.level in LEVELS else "amber"
    reasons = f"<ul>{''.join(f'<li>{safe(one)}</li>' for one in found.reasons)}</ul>" if found.reasons else ""
    untested = _lines(found.not_tested)
    return (
        f'<section class="cs-verdict cs-level-{level}" data-side="{safe(side)}" data-level="{level}">'
        f'<h3><span class="cs-level" aria-hidden="true">{MARKS[level]}</span>'
        f"{safe(SHORT_SIDES.get(side, side))}: {safe(LEVELS[level])}</h3><p>{safe(found.text)}</p>{reasons}"
        f'<details class="cs-details"><summary>What was not tested</summary>{untested}</details></section>'
    )


def _paired(gaps: Sequence[Gap]) -> str:
    if not gaps:
        return ""
    rows = tuple(
        (set_title(each.name), each.first, each.second, worded(each.difference), _chance(each.p)) for each in gaps
    )
    heads = ("Patches", "First", "Second", "First minus second", "p (McNemar)")
    shown = table(Table("The same patches seen both ways: difference of accuracies with 95 % intervals", heads, rows))
    return f'<details class="cs-details cs-twin"><summary>RGB against IR, patch by patch</summary>{shown}</details>'


def _chance(p: float) -> str:
    return "under 0.001" if p < 0.001 else number(p, 3)


def _recipe(each: Recipe, tests: Sequence[str]) -> tuple[Cell, ...]:
    home = each.accuracy("id").value
    away = [each.accuracy(test).value for test in tests]
    verdict = each.first.verdict
    asked = ("one_number", "swap", "noise_floor", "shift", "calibration")
    return (
        each.title,
        home,
        *away,
        *(home - value for value in away),
        *(each.probe(name).value for name in asked),
        LEVELS[verdict.level] if verdict else "–",
    )


def _probes(title: str, found: Iterable[Diagnostic]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{safe(each.code)}</th><td>{safe(each.title)}</td>'
        f"<td>{safe(worded(each.figure))}{_further(each)}</td><td>{_role(each)}</td></tr>"
        for each in found
    )
    heads = "".join(f'<th scope="col">{one}</th>' for one in ("Probe", "What it measures", "Value", "For the verdict"))
    return (
        f'<h3 class="cs-view-title">{safe(title)}</h3><div class="cs-scroll" tabindex="0" role="region" '
        f'aria-label="{safe(title)}"><table class="cs-table cs-probes"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _further(each: Diagnostic) -> str:
    parts = [f"{name.replace('_', ' ')} {number(figure.value, 3)}" for name, figure in each.figures.items()]
    return f"<small>{safe(', '.join(parts))}</small>" if parts else ""


def _role(each: Diagnostic) -> str:
    if each.decides:
        return f'<span class="cs-decides">decides</span><small>{safe(each.reason.removeprefix("Decides: "))}</small>'
    reason = each.reason.removeprefix("Not used for the verdict: ")
    return f'<span class="cs-silent">not used for the verdict</span><small>{safe(reason)}</small>'


def _lines(lines: Iterable[str] | Mapping[str, object]) -> str:
    return f'<ul class="cs-lines">{"".join(f"<li>{safe(line)}</li>" for line in lines)}</ul>'
