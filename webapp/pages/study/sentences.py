"""Sentences on the results of a reader study, and on how its numbers were computed."""

from __future__ import annotations

from core.measure.findings import Correlation, Detection, Results, ScaleResult
from core.measure.intervals import Estimate
from core.plurals import count
from webapp.pages.charts.dots import known
from webapp.pages.kit.text import number, seconds

CHANCE = 0.5
SIGNIFICANT = 0.05
"""The p value under which a share differs from chance."""
METHODS = (
    "Training items, catch items and repeats are not in the statistics: repeats count for the agreement of raters "
    "with themselves, catch items for their attention.",
    "Intervals are 95 %. Those of shares are Wilson’s, which take answers as independent (Wilson 1927, J Am Stat Assoc "
    "22:209).",
    "All other intervals, and those called resampled, are bias-corrected percentiles of a bootstrap over items (Efron "
    "1987, J Am Stat Assoc 82:171).",
    "p values are of exact two-sided binomial tests against one half, not corrected for how many there are.",
    "d′ and criterion: equal-variance signal detection with synthetic as the signal, log-linear correction (Hautus "
    "1995, Behav Res Methods Instrum Comput 27:46).",
    "Ranking: Bradley and Terry 1952 (Biometrika 39:324), a tenth of a win added to each side.",
    "Krippendorff’s α: nominal for choices, ordinal for scales (Krippendorff 2004, Content Analysis).",
    "Cohen’s κ: mean over pairs of raters, quadratic weights on scales (Cohen 1968, Psychol Bull 70:213).",
    "Fleiss’ κ: Fleiss 1971 (Psychol Bull 76:378).",
    "ICC(2,1): two-way random effects, absolute agreement, one rater (Shrout and Fleiss 1979, Psychol Bull 86:420).",
    "Measures against ratings: Spearman’s rank correlation over items.",
)


def summary(results: Results) -> tuple[str, ...]:
    """Return the results in sentences, in the order of the report."""
    parts = (_raters, _detections, _fooling, _preferences, _scales, _marks, _agreement, _correlations, _attention)
    return tuple(line for part in parts for line in part(results))


def percent(share: float) -> str:
    """Return a share as ``58 %``, an en dash for nan."""
    text = number(100 * share, 0)
    return text if text == "–" else f"{text} %"


def share_of(share: Estimate, what: str = "") -> str:
    """Return ``58 % of 240 answers (95 % interval 51 to 64 %)``; what: the words after the percentage."""
    bounds = f" (95 % interval {number(100 * share.low, 0)} to {percent(share.high)})" if _bounded(share) else ""
    return f"{percent(share.value)}{what}{bounds}"


def _raters(results: Results) -> list[str]:
    ready = sum(one.done >= one.total > 0 for one in results.people)
    invited = f"{ready} of {count(len(results.people), 'rater')} finished."
    if not results.answers:
        return [f"No answer counts yet; {invited}"]
    gave = f"{count(results.raters, 'rater')} gave {count(results.answers, 'answer')}"
    return [f"{gave} on {count(results.items, 'item')}; {invited}"]


def _detections(results: Results) -> list[str]:
    found = [one for one in results.detections if one.n]
    lines = [_detection(one) for one in found if one.scope == "all"]
    groups = [f"{one.who}: {share_of(one.accuracy, f' of {one.n}')}" for one in found if one.scope == "group"]
    return [*lines, f"Right by group. {'; '.join(groups)}."] if len(groups) > 1 else lines


def _detection(one: Detection) -> str:
    found = f"Raters told real from synthetic in {share_of(one.accuracy, ' of ' + count(one.n, 'answer'))}"
    p = "under 0.001" if one.p < 0.001 else number(one.p, 3)
    holds = _bounded(one.clustered) and one.clustered.low <= CHANCE <= one.clustered.high
    verdict = "the difference is clear" if one.p < SIGNIFICANT and not holds else "this does not differ clearly from it"
    resampled = ""
    if _bounded(one.clustered):
        span = f"{number(100 * one.clustered.low, 0)} to {percent(one.clustered.high)}"
        resampled = f" With items resampled the interval is {span}{', which holds chance' if holds else ''}."
    return f"{found}; chance is 50 %, and {verdict} (p {p}).{resampled}"


def _fooling(results: Results) -> list[str]:
    found = [one for one in results.fooling if known(one.called_real)]
    made = sorted((one for one in found if one.truth == "synthetic"), key=lambda one: -one.called_real.value)
    real = [one for one in found if one.truth == "real"]
    if not made:
        return []
    parts = [f"{one.method} in {share_of(one.called_real, f' of {one.called_real.n}')}" for one in made]
    parts += [f"real images ({one.method}) in {share_of(one.called_real, f' of {one.called_real.n}')}" for one in real]
    return [f"Called real: {'; '.join(parts)}."]


def _preferences(results: Results) -> list[str]:
    ranked = sorted(results.strengths, key=lambda one: one.rank)
    order = ", ".join(f"{one.rank}. {one.method}" for one in ranked)
    clear = [one for one in results.pairs if one.n and one.p < SIGNIFICANT]
    lines = [f"Preference ranks the methods: {order}."] if len(ranked) > 1 else []
    for one in clear:
        better, worse, share = (one.method, one.other, one.share)
        if share.value < CHANCE:
            better, worse, share = worse, better, _complement(share)
        lines.append(f"{better} was preferred to {worse} in {share_of(share, ' of ' + count(one.n, 'choice'))}.")
    if results.pairs and not clear:
        lines.append("No pair of methods differs clearly in preference.")
    return lines


def _complement(share: Estimate) -> Estimate:
    return Estimate(1 - share.value, 1 - share.high, 1 - share.low, share.n)


def _scales(results: Results) -> list[str]:
    return [line for scale in results.scales for line in _scale(scale)]


def _scale(scale: ScaleResult) -> list[str]:
    found = sorted((one for one in scale.methods if known(one.mean)), key=lambda one: -one.mean.value)
    means = ", ".join(f"{one.method} {_number(one.mean)}" for one in found)
    return [f"{scale.title} (1 to {scale.levels}), mean: {means}."] if found else []


def _marks(results: Results) -> list[str]:
    found = [one for one in results.marks if known(one.hit)]
    parts = [f"{one.method} in {share_of(one.hit, f' of {one.hit.n}')}" for one in found]
    return [f"Marks lay mostly in made tissue: {'; '.join(parts)}."] if found else []


def _agreement(results: Results) -> list[str]:
    found = [one for one in results.agreements if known(one.alpha)]
    parts = [f"“{one.title}” {_number(one.alpha)}" for one in found]
    return [f"Agreement between raters, Krippendorff’s α (1 is full): {'; '.join(parts)}."] if found else []


def _correlations(results: Results) -> list[str]:
    found = [one for one in results.correlations if known(one.rho)]
    if not found:
        return []
    best: dict[str, Correlation] = {}
    for one in found:
        if one.question not in best or abs(one.rho.value) > abs(best[one.question].rho.value):
            best[one.question] = one
    parts = [f"{one.measure} for “{one.title}”, ρ {_number(one.rho)}" for one in best.values()]
    return [f"The measure that follows the raters most closely: {'; '.join(parts)}."]


def _attention(results: Results) -> list[str]:
    times = [one.seconds_median for one in results.people if one.seconds_median == one.seconds_median]
    right, total = (sum(getattr(one, part) for one in results.people) for part in ("catch_right", "catch_total"))
    lines = [f"Catch items were answered as expected {right} of {total} times."] if total else []
    if times:
        span = seconds(min(times)) if len(times) == 1 else f"{seconds(min(times))} to {seconds(max(times))}"
        lines.append(f"Median time per showing: {span}{', by rater' if len(times) > 1 else ''}.")
    return lines


def _number(each: Estimate, digits: int = 2) -> str:
    middle = number(each.value, digits)
    return f"{middle} ({number(each.low, digits)} to {number(each.high, digits)})" if _bounded(each) else middle


def _bounded(each: Estimate) -> bool:
    return each.low == each.low and each.high == each.high
