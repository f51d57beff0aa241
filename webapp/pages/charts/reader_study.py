"""Figures of a reader study: who answered, what they found, how far they agree."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from core.measure.answers import Collected
from core.measure.findings import Detection, Results, Scope
from core.measure.intervals import Estimate
from webapp.pages.charts.dots import FRAME, ROW, Series, dots, known, name_rows
from webapp.pages.charts.figure import COLOURS, GROUND, MUTED, Cell, Chart, Table, layout, worded
from webapp.pages.kit.text import number, seconds

CHANCE = 0.5
SCOPES: dict[Scope, str] = {"all": "All raters", "group": "Groups", "rater": "Raters"}
FENCES = (5, 25, 50, 75, 95)
"""Percentiles that a box of times is drawn from."""


def completion(results: Results) -> Chart:
    """Return how far every rater has come."""
    title, people = "How far the raters are", results.people
    if not people:
        return Chart("completion", title, "Nobody has been invited yet.", None, None)
    figure, places = go.Figure(), list(range(len(people)))
    parts = (("Done", [one.done for one in people]), ("Left to do", [one.total - one.done for one in people]))
    for index, (name, counts) in enumerate(parts):
        figure.add_bar(
            x=counts,
            y=places,
            orientation="h",
            name=name,
            marker={"color": (COLOURS[0], MUTED)[index], "pattern": {"shape": ("", "/")[index], "fgcolor": GROUND}},
            hovertemplate="%{x}<extra>%{fullData.name}</extra>",
        )
    layout(figure, FRAME + ROW * len(people), barmode="stack", bargap=0.35)
    figure.update_layout(legend={"traceorder": "normal"})
    figure.update_xaxes(title={"text": "showings", "font": {"size": 12}})
    name_rows(figure, [one.name for one in people])
    rows = tuple(
        (
            one.name, one.group, one.done, one.total, one.scored, f"{one.catch_right} of {one.catch_total}",
            worded(one.left, 2), worded(one.repeated, 2), one.changes, one.revisions,
        )
        for one in people
    )  # fmt: skip
    head = (
        "Rater", "Group", "Done", "Of", "Counted", "Catch items as expected", "Chose the left image",
        "Repeats answered alike", "Changed before saving", "Changed later",
    )  # fmt: skip
    return Chart(
        "completion",
        title,
        "Showings are items, training and catch items and hidden repeats; only first answers to items count below.",
        figure,
        Table("Raters; shares with 95 % intervals", head, rows),
    )


def accuracy(results: Results) -> Chart:
    """Return how often synthetic images were told from real ones, by all, by group and by rater."""
    title, found = "Right answers", [one for one in results.detections if one.n]
    if not found:
        return Chart("accuracy", title, "No answer says whether an image is real.", None, None)
    series = [
        Series(name, {row: one.accuracy for row, one in enumerate(found) if one.scope == scope})
        for scope, name in SCOPES.items()
    ]
    figure = dots([one.who for one in found], series, "share right; dotted: chance", CHANCE)
    head = (
        "Who", "Answers", "Right", "Accuracy", "Accuracy, items resampled", "p against chance", "Sensitivity",
        "Specificity", "d′", "Criterion", "Confidence when right", "Confidence when wrong",
    )  # fmt: skip
    table = Table("Accuracy with 95 % intervals; sensitivity: synthetic called synthetic", head,
                  tuple(map(_detected, found)))  # fmt: skip
    return Chart(
        "accuracy",
        title,
        "Where an interval holds the dotted line, the images could not be told apart with the answers given so far.",
        figure,
        table,
        "An interval around chance is no proof that images cannot be told apart: few answers give wide intervals.",
    )


def fooling(results: Results) -> Chart:
    """Return how often the images of each method were called real."""
    title, found = "Called real", [one for one in results.fooling if known(one.called_real)]
    if not found:
        return Chart("fooling", title, "No answer says whether an image is real.", None, None)
    series = [
        Series(name, {row: one.called_real for row, one in enumerate(found) if one.truth == truth})
        for truth, name in (("real", "Real images"), ("synthetic", "Synthetic images"))
    ]
    figure = dots([one.method for one in found], series, "share called real", None)
    rows = tuple((one.method, one.truth, one.called_real.n, worded(one.called_real)) for one in found)
    return Chart(
        "fooling",
        title,
        "A method convinces where its images are called real as often as real images are.",
        figure,
        Table("Share called real with 95 % intervals", ("Method", "Truth", "Answers", "Called real"), rows),
    )


def pairs(results: Results) -> Chart:
    """Return how often one method was preferred to another."""
    title, found = "Preference, pair by pair", [one for one in results.pairs if one.n]
    if not found:
        return Chart("pairs", title, "No two methods were compared side by side.", None, None)
    names = [f"{one.method} over {one.other}" for one in found]
    series = [Series("Preferred", {row: one.share for row, one in enumerate(found)})]
    figure = dots(names, series, "share of choices; dotted: no preference", CHANCE)
    rows = tuple((one.method, one.other, one.wins, one.n, worded(one.share), chance(one.p)) for one in found)
    return Chart(
        "pairs",
        title,
        "Right of the dotted line the method named first was preferred, left of it the other one.",
        figure,
        Table("Choices with 95 % intervals", ("Method", "Over", "Preferred", "Of", "Share", "p against 0.5"), rows),
    )


def ranking(results: Results) -> Chart:
    """Return the methods in the order of their Bradley-Terry strength."""
    title = "Ranking"
    found = sorted((one for one in results.strengths if known(one.strength)), key=lambda one: one.rank)
    if not found:
        return Chart("ranking", title, "A ranking needs methods that were compared side by side.", None, None)
    series = [Series("Strength", {row: one.strength for row, one in enumerate(found)})]
    figure = dots([f"{one.rank}. {one.method}" for one in found], series, "log-strength; dotted: the mean", 0)
    figure.update_xaxes(range=None)
    rows = tuple((one.rank, one.method, worded(one.strength, 2), one.wins, one.n) for one in found)
    return Chart(
        "ranking",
        title,
        "A step of 0.7 along the axis means preferred two times out of three.",
        figure,
        Table("Bradley-Terry log-strength with 95 % intervals", ("Rank", "Method", "Strength", "Wins", "Of"), rows),
    )


def marks(results: Results) -> Chart:
    """Return how much of what raters marked lies in made tissue."""
    title, found = "Marked as suspicious", [one for one in results.marks if known(one.share)]
    if not found:
        return Chart("marks", title, "Nothing was marked of which the truth is known.", None, None)
    series = [
        Series("Share of the mark", {row: one.share for row, one in enumerate(found)}),
        Series("Marks that hit", {row: one.hit for row, one in enumerate(found)}),
    ]
    figure = dots([one.method for one in found], series, "share in made tissue", None)
    rows = tuple((one.method, one.share.n, worded(one.share), one.hit.n, worded(one.hit)) for one in found)
    return Chart(
        "marks",
        title,
        "A mark hits where at least half of it lies in tissue that a method made.",
        figure,
        Table("Marks with 95 % intervals", ("Method", "Items", "Share of the mark", "Marks", "Marks that hit"), rows),
    )


def agreement(results: Results) -> Chart:
    """Return how far raters agree with each other and with themselves, question by question."""
    title = "Between raters, and of raters with themselves"
    kinds = (("Krippendorff’s α", "alpha"), ("Cohen’s κ", "kappa"), ("Fleiss’ κ", "fleiss"), ("ICC(2,1)", "icc"),
             ("Own repeats, κ", "again"))  # fmt: skip
    found = [one for one in results.agreements if any(known(getattr(one, part)) for _, part in kinds)]
    if not found:
        text = "Agreement needs two raters who answered the same items, or repeats."
        return Chart("agreement", title, text, None, None)
    series = [Series(name, {row: getattr(one, part) for row, one in enumerate(found)}) for name, part in kinds]
    figure = dots([one.title for one in found], series, "agreement; dotted: none beyond chance", 0)
    lowest = min((_least(each) for one in series for each in one.rows.values() if known(each)), default=0)
    figure.update_xaxes(range=[min(-0.05, lowest - 0.05), 1.05])
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.title, one.level, one.raters, *(worded(getattr(one, part), 2) for _, part in kinds), worded(one.same, 2))
        for one in found
    )
    head = ("Question", "Level", "Raters", *(name for name, _ in kinds), "Repeats answered alike")
    return Chart(
        "agreement",
        title,
        "1 is full agreement, 0 what chance gives. On scales a near miss counts less than a far one: "
        "α is ordinal, κ has quadratic weights.",
        figure,
        Table("Agreement with 95 % intervals", head, rows),
    )


def times(collected: Collected, results: Results) -> Chart:
    """Return how long every rater looked at a showing."""
    title = "Seconds per showing"
    held = {one.name: [each.seconds for each in collected.answers if each.rater == one.name and each.use != "training"
                       and math.isfinite(each.seconds)] for one in results.people}  # fmt: skip
    people = [one for one in results.people if held[one.name]]
    if not people:
        return Chart("times", title, "Nobody has answered yet.", None, None)
    found = np.array([np.percentile(held[one.name], FENCES) for one in people]).round(2)
    figure = go.Figure()
    low, first, middle, third, high = (column.tolist() for column in found.T)
    figure.add_box(
        y=list(range(len(people))), lowerfence=low, q1=first, median=middle, q3=third, upperfence=high,
        orientation="h", name="seconds", line={"color": COLOURS[0]}, showlegend=False,
    )  # fmt: skip
    layout(figure, FRAME - 30 + ROW * len(people))
    figure.update_xaxes(title={"text": "seconds per showing", "font": {"size": 12}}, rangemode="tozero")
    name_rows(figure, [one.name for one in people])
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.name, one.group, len(held[one.name]), *map(float, each), seconds(one.seconds_total), one.scrolled)
        for one, each in zip(people, found, strict=True)
    )
    head = ("Rater", "Group", "Showings", *(f"{level} %" if level != 50 else "Median" for level in FENCES), "In all",
            "Showings scrolled")  # fmt: skip
    return Chart(
        "times",
        title,
        "A box holds the middle half of a rater’s times with the median, the lines the middle nine tenths.",
        figure,
        Table("Seconds per showing, training left out", head, rows, 1),
    )


def correlation(results: Results) -> Chart:
    """Return which measure orders images as the raters do."""
    title, found = "Which measure agrees with the raters?", [one for one in results.correlations if known(one.rho)]
    if not found:
        text = "No measure is known of enough of the images that were rated."
        return Chart("correlation", title, text, None, None)
    names = list(dict.fromkeys(one.measure for one in found))
    titles = dict.fromkeys((one.question, one.title) for one in found)
    series = [
        Series(title, {names.index(one.measure): one.rho for one in found if one.question == question})
        for question, title in titles
    ]
    figure = dots(names, series, "Spearman’s ρ; dotted: no relation", 0)
    figure.update_xaxes(range=[-1.05, 1.05])
    rows: tuple[tuple[Cell, ...], ...] = tuple((one.measure, one.title, one.rho.n, worded(one.rho, 2)) for one in found)
    return Chart(
        "correlation",
        title,
        "Far from the dotted line a measure follows the raters; to the left of it where less is better.",
        figure,
        Table("Spearman’s ρ over items with 95 % intervals", ("Measure", "Question", "Items", "ρ"), rows),
    )


def chance(p: float) -> str:
    """Return a p value in words."""
    return "under 0.001" if p < 0.001 else number(p, 3)


def _detected(one: Detection) -> tuple[str | int, ...]:
    parts = (one.sensitivity, one.specificity, one.dprime, one.criterion, one.confidence_right, one.confidence_wrong)
    return (
        one.who, one.n, one.right, worded(one.accuracy), worded(one.clustered), chance(one.p),
        *(worded(each, 2) for each in parts),
    )  # fmt: skip


def _least(each: Estimate) -> float:
    return each.low if math.isfinite(each.low) else each.value
