"""One HTML file that opens without a network: the look of the page, its figures and sortable tables."""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.io import to_html
from plotly.offline import get_plotlyjs

from core import __version__
from core.assets import ASSETS
from webapp.pages.kit.sorting import SORT
from webapp.pages.kit.text import safe

STYLE = ASSETS / "style" / "style.css"
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


def document(title: str, subject: str, body: str) -> str:
    """Return the whole file; title: its heading, subject: what follows the version, both plain text; body: HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="dark">'
        f"<title>{safe(title)}</title><style>{STYLE.read_text(encoding='utf-8')}{OWN}</style>"
        f"<script>{get_plotlyjs()}</script></head>"
        f'<body class="gradio-container"><main><header><h1>{safe(title)}</h1><p class="cs-hint">Counterscan '
        f"{safe(__version__)}. {safe(subject)}</p></header>{body}</main>"
        f"<script>const element = document.body; {SORT}</script></body></html>\n"
    )


def section(title: str, inner: str) -> str:
    """Return a part of the file under a heading; inner: HTML."""
    return f'<section class="cs-section"><h2>{safe(title)}</h2>{inner}</section>'


def drawn(figure: go.Figure | None) -> str:
    """Return a figure for ``document``, "" for none."""
    if figure is None:
        return ""
    return str(to_html(figure, config=PLOT, include_plotlyjs=False, full_html=False))
