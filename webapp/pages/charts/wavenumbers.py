"""Figures over wavenumbers: mean spectra with the pattern of the score, bands that count, what pixels speak for."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.failure.results import Bands, Diagnostic, Line, Model
from core.failure.titles import BandAxis
from core.report.lab.result_plots import band_runs
from webapp.pages.charts.figure import ALARM, COLOURS, DASHES, GRID, SYMBOLS, Chart, Table, layout

BLUE_TO_RED = ((0.0, "#2166ac"), (0.25, "#92c5de"), (0.5, "#f7f7f7"), (0.75, "#f4a582"), (1.0, "#b2182b"))


def pattern(bands: Sequence[Bands], classes: Sequence[str], words: BandAxis) -> Chart:
    """Return the mean spectrum of each class, and below what one standard deviation of the score adds to one."""
    title = "The number as a band pattern"
    found = next((each for each in bands if each.modality == "ir"), None)
    if found is None:
        return Chart("pattern", title, "There are no spectra among the data.", None, None)
    figure = make_subplots(
        2, 1, shared_xaxes=True, vertical_spacing=0.1, row_heights=[0.6, 0.4],
        subplot_titles=("Mean spectrum of each class", "What one standard deviation of the score adds"),
    )  # fmt: skip
    pieces = band_runs(found.positions)
    for kind, spectrum in enumerate(found.spectra):
        colour, dash = COLOURS[kind % len(COLOURS)], DASHES[kind % len(DASHES)]
        for number, part in enumerate(pieces):
            figure.add_scatter(
                x=found.positions[part],
                y=spectrum[part],
                mode="lines+markers" if part.stop - part.start <= 3 else "lines",
                line={"color": colour, "dash": dash},
                marker={"symbol": SYMBOLS[kind % len(SYMBOLS)]},
                name=classes[kind],
                legendgroup=str(kind),
                showlegend=number == 0,
                row=1,
                col=1,
            )
    figure.add_bar(
        x=found.positions, y=found.pattern, marker={"color": ALARM}, name="score", showlegend=False, row=2, col=1
    )
    layout(figure, 480)
    figure.update_layout(legend={"y": 1.07})
    figure.update_xaxes(autorange=_direction(words))
    figure.update_xaxes(title=words.position, row=2, col=1)
    figure.update_yaxes(title=words.value)
    rows: tuple[tuple[str | float, ...], ...] = tuple(
        (name, *(spectrum[index] for spectrum in found.spectra), found.pattern[index])
        for index, name in enumerate(found.names)
    )
    return Chart(
        "pattern",
        title,
        "The lower plot is the one-dimensional score in the language of spectra: a pattern like the whole spectrum is "
        "thickness or density, a few bands are one component, a slope is a baseline.",
        figure,
        Table(words.value.capitalize(), (words.position, *classes, "Score pattern"), rows, 4),
        "A number that is stable across instruments and section thickness may be legitimate chemistry; "
        "the pattern helps to judge, it does not decide.",
    )


def needed(model: Model, words: BandAxis) -> Chart | None:
    """Return how many bands keep the accuracy and which single bands count, where a model was probed band by band."""
    lines = {
        line.name: line for each in model.diagnostics if each.name in ("bands", "occlusion") for line in each.lines
    }
    if "accuracy" not in lines or "order" not in lines:
        return None
    alone = [line for name, line in lines.items() if name not in ("accuracy", "order")]
    figure = make_subplots(
        1, 2, subplot_titles=("Accuracy with m bands", "Accuracy lost without one band"), horizontal_spacing=0.12
    )
    curve = lines["accuracy"]
    figure.add_scatter(
        x=curve.x, y=curve.y, mode="lines+markers", line={"color": COLOURS[0]}, showlegend=False, row=1, col=1
    )
    for index, line in enumerate(alone):
        figure.add_scatter(
            x=line.x,
            y=line.y,
            mode="lines+markers",
            name=OCCLUDED.get(line.name, line.name),
            line={"color": COLOURS[index + 1], "dash": DASHES[index]},
            marker={"symbol": SYMBOLS[index]},
            row=1,
            col=2,
        )
    layout(figure, 340)
    figure.update_xaxes(title="bands", col=1)
    figure.update_xaxes(title=words.position, autorange=_direction(words), col=2)
    figure.update_yaxes(range=[0, 1.02], title="accuracy", col=1)
    return Chart(
        "needed",
        "Which wavenumbers would have been enough",
        f"{model.title}: bands are kept in the order of what they add; the others are told from those that are kept. "
        "An aid for planning a scan with few bands.",
        figure,
        Table("Bands in the order in which they are kept", ("Choice", words.position), _order(lines["order"]), 0),
        "Exchanging a band between patches overcounts bands that go together; telling it from all others undercounts.",
    )


OCCLUDED = {"permuted": "exchanged between patches", "imputed": "told from the other bands"}


def attribution(model: Model, bands: Sequence[Bands], classes: Sequence[str], words: BandAxis) -> Chart | None:
    """Return how much each band speaks for the answer, patch by patch."""
    own = next((each for each in bands if each.modality == model.modality), None)
    if not model.attributions or own is None:
        return None
    names = [
        f"Patch {each.patch}, {'right' if each.label == each.predicted else 'wrong'}" for each in model.attributions
    ]
    figure = go.Figure(
        go.Heatmap(
            z=[each.bands for each in model.attributions],
            x=list(own.names),
            y=names,
            colorscale=BLUE_TO_RED,
            zmid=0,
            zmin=-1,
            zmax=1,
            colorbar={"title": {"text": "speaks"}, "tickvals": [-1, 0, 1], "ticktext": ["against", "not", "for"]},
            hovertemplate="%{y}<br>%{x}: %{z:.2f}<extra></extra>",
        )
    )
    layout(figure, 120 + 24 * len(names))
    figure.update_xaxes(type="category", title=words.position if model.modality == "ir" else "channel")
    figure.update_xaxes(autorange=_direction(words) if model.modality == "ir" else True)
    figure.update_yaxes(autorange="reversed")
    rows = tuple(
        (str(each.patch), classes[each.label], classes[each.predicted], *_strongest(each.bands, own.names))
        for each in model.attributions
    )
    return Chart(
        "attribution",
        "Which bands speak for the answer",
        f"{model.title}: input times gradient of the answer, summed over the patch and divided by its largest; "
        "the same few bands in every patch are a sign of one number.",
        figure,
        Table("The strongest bands of each patch", ("Patch", "Class", "Answer", "First", "Second", "Third"), rows),
        "Importance maps tell what a model is sensitive to, not what is true of the tissue.",
    )


def separation(prior: Sequence[Diagnostic], words: BandAxis) -> Chart | None:
    """Return how well each band alone tells the classes apart, before any model."""
    line = next((line for each in prior if each.name == "ir-fisher" for line in each.lines), None)
    if line is None:
        return None
    figure = go.Figure()
    figure.add_bar(x=line.x, y=line.y, marker={"color": COLOURS[0]}, showlegend=False)
    layout(figure, 260)
    figure.update_xaxes(title=words.position, autorange=_direction(words), gridcolor=GRID)
    figure.update_yaxes(title=line.y_title)
    rows = tuple(zip(line.x, line.y, strict=True))
    return Chart(
        "separation",
        "What each band tells of the classes",
        "Between-class over within-class variance of the mean spectrum, band by band, before any model.",
        figure,
        Table("Fisher ratio", (words.position, "Ratio"), rows),
    )


def _direction(words: BandAxis) -> str | bool:
    return "reversed" if words.falls else True


def _order(line: Line) -> tuple[tuple[float, float], ...]:
    return tuple(zip(line.x, line.y, strict=True))


def _strongest(values: Sequence[float], names: Sequence[str]) -> tuple[str, ...]:
    order = sorted(range(len(values)), key=lambda index: -abs(values[index]))[:3]
    found = [f"{names[index]} ({'for' if values[index] >= 0 else 'against'})" for index in order]
    return (*found, *[""] * (3 - len(found)))
