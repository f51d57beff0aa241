"""All views of an augmentation study, in the order in which they are read: the page and the exported file show them."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from core.augment.worth_results import Gallery, GeneratorQuality, Shown, WorthResults
from webapp.pages.charts import captions, worth_figures
from webapp.pages.charts.figure import Chart, worded
from webapp.pages.kit.boxes import notes
from webapp.pages.kit.templates import joined, piece
from webapp.pages.kit.text import number
from webapp.pages.kit.view_place import Section

# name of a view -> the tab it stands in
VIEWS = {
    "guideline": "Worth",
    "curves": "Worth",
    "rates": "Exchange rate",
    "arms": "Controls",
    "images": "Images",
    "quality": "Images",
    "copies": "Copies",
    "limits": "Limits",
}
DRAWN = ("curves", "rates", "arms", "quality")
TABS = tuple(dict.fromkeys(VIEWS.values()))


def sections(results: WorthResults) -> dict[str, Section]:
    """Return every view of ``results``."""
    made = {
        "guideline": Section(_guideline(results)),
        "curves": _of(worth_figures.curves(results)),
        "rates": _of(worth_figures.rates(results)),
        "arms": _of(worth_figures.worth(results)),
        "images": Section(joined(_images(results, each) for each in results.galleries)),
        "quality": _of(worth_figures.quality(results)),
        "copies": Section(joined(_copies(results, each) for each in results.galleries)),
        "limits": Section(_limits(results)),
    }
    return {name: made[name] for name in VIEWS}


def _of(chart: Chart) -> Section:
    return Section(captions.head(chart), chart.figure, captions.twin(chart))


def _guideline(results: WorthResults) -> Markup:
    trends = [
        f"Ten times as many synthetic images were worth {number(10**each.by_added.value, 1)} times as much (exponent "
        f"{worded(each.by_added, 2)})."
        for each in results.trends
    ]
    return piece(
        "worth",
        "guideline",
        is_simulated=results.data.source != "file",
        subject=results.data.title,
        sentences=results.guideline,
        controls=(*results.controls, *trends),
    )


def _images(results: WorthResults, gallery: Gallery) -> Markup:
    return piece(
        "worth",
        "images",
        title=_title(gallery),
        rows=[
            {"title": "Real, of its training set", "tiles": _tiles(results, gallery.real)},
            {"title": "Synthetic", "tiles": _tiles(results, gallery.synthetic)},
        ],
    )


def _copies(results: WorthResults, gallery: Gallery) -> Markup:
    quality = next(each for each in results.quality if (each.name, each.base) == (gallery.name, gallery.base))
    pairs = [
        {
            "tiles": [*_tiles(results, [made], "synthetic"), *_tiles(results, [real], "nearest training image")],
            "distance": number(distance, 2),
        }
        for (made, real), distance in zip(gallery.pairs, gallery.distances, strict=True)
    ]
    return piece(
        "worth", "copies", title=_title(gallery), copies=quality.copies, sentence=_copied(quality), pairs=pairs
    )


def _copied(quality: GeneratorQuality) -> str:
    share = f"{100 * quality.copied.value:.1f} % ({100 * quality.copied.low:.1f} to {100 * quality.copied.high:.1f} %)"
    start = "The generator copies: " if quality.copies else "No copying was found: "
    return (
        f"{start}{share} of its images lie as near to a training image, compared with other real ones, as 1 % of new "
        "real images do. Below, the nearest pairs, with their distance in standard deviations."
    )


def _limits(results: WorthResults) -> Markup:
    data = results.data
    rows = {
        "Images": data.title,
        "Numbers": ", ".join(f"{count} {name}" for name, count in data.counts.items()),
        "Patients, slides or heads": str(data.groups),
        "Size": f"{data.size[0]} × {data.size[1]} pixels",
        "Classes": ", ".join(data.classes),
        **{name.capitalize(): value for name, value in results.settings.items()},
        "Accuracy at the floor of the fit": worded(results.floor),
        "Exponent of the fit": worded(results.exponent, 2),
    }
    return piece(
        "worth", "limits", rows=piece("boxes", "rows", values=rows), notes=notes(data.notices), limits=results.limits
    )


def _title(gallery: Gallery) -> str:
    return f"Generator of {gallery.base} real images" if gallery.base else "Generator of the open set"


def _tiles(results: WorthResults, shown: Sequence[Shown], caption: str = "") -> list[dict[str, str]]:
    classes = results.data.classes
    return [
        {
            "picture": f"data:image/png;base64,{one.picture}",
            "words": f"{caption or 'image'}, {classes[one.label]}",
            "caption": caption,
        }
        for one in shown
    ]
