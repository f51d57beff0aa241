"""One HTML file that opens without a network: the look of the page, its figures and sortable tables."""

from __future__ import annotations

import plotly.graph_objects as go
from markupsafe import Markup
from plotly.io import to_html
from plotly.offline import get_plotlyjs

from core import __version__
from webapp.pages.kit.sorting import SORT
from webapp.pages.kit.templates import EMPTY, trusted
from webapp.pages.kit.templates import document as template
from webapp.pages.kit.theme import style

PLOT = {"displaylogo": False, "responsive": True}
OWN = """
body { margin: 0; background: var(--cs-ground); color: var(--cs-text); }
body { font: 14px/1.5 "IBM Plex Sans", system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 20px 16px 48px; }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; }
h1, h2, h3, p, ul, dl, dd, figure { margin: 0; }
h2 { font-size: 17px; }
.cs-section { display: grid; grid-template-columns: minmax(0, 1fr); }
.cs-found { font-size: 14px; color: var(--cs-text); }
"""


def document(title: str, subject: str, body: Markup) -> str:
    """Return the whole file; title: its heading, subject: what follows the version, both plain text; body: HTML."""
    return template(
        "offline",
        title=title,
        subject=subject,
        body=body,
        version=__version__,
        style=trusted(style() + OWN),
        plotly=trusted(get_plotlyjs()),
        script=trusted(f"const element = document.body; {SORT}"),
    )


def section(title: str, inner: Markup) -> Markup:
    """Return a part of the file under a heading; inner: HTML."""
    return template("section", title=title, inner=inner)


def drawn(figure: go.Figure | None) -> Markup:
    """Return a figure for ``document``, "" for none."""
    if figure is None:
        return EMPTY
    return trusted(to_html(figure, config=PLOT, include_plotlyjs=False, full_html=False))
