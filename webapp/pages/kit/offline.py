"""One HTML file that opens without a network: the look of the page, its figures and sortable tables."""

from __future__ import annotations

import base64
import gzip
from functools import lru_cache

import plotly.graph_objects as go
from markupsafe import Markup

from core import __version__
from core.assets import ASSETS
from core.errors import UserError
from webapp.pages.kit.sorting import SORT
from webapp.pages.kit.templates import EMPTY, script_json, trusted
from webapp.pages.kit.templates import document as template
from webapp.pages.kit.theme import CSS

# the part of Plotly that draws all figures of the page, installed beside the viewer
BUNDLE = ASSETS / "viewer/node_modules/plotly.js-cartesian-dist-min/plotly-cartesian.min.js"
# unpacks Plotly, a third of its size in the file, and draws the figures
_DRAW = """
const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (one) => one.charCodeAt(0));
const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
new Response(unpacked).text().then((code) => {
  const script = document.createElement("script");
  script.textContent = code;
  document.head.append(script);
  for (const place of document.querySelectorAll(".cs-figure")) {
    const { data, layout } = JSON.parse(place.previousElementSibling.textContent);
    Plotly.newPlot(place, data, layout, { displaylogo: false, responsive: true });
  }
});
"""
# in a frame of the page the choice of colours there holds, in place of the system's
_THEME = """
addEventListener("message", ({ source, data }) => {
  if (source !== parent || parent === window) return;
  if (data.theme) document.documentElement.dataset.theme = data.theme;
  else delete document.documentElement.dataset.theme;
});
if (parent !== window) parent.postMessage("theme", "*");
"""
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
    """Return the whole file; title: its heading, subject: what follows the version, both plain text; body: HTML.

    UserError not_installed without the library that draws figures.
    """
    return template(
        "offline",
        title=title,
        subject=subject,
        body=body,
        version=__version__,
        style=trusted(CSS + OWN),
        theme=trusted(_THEME),
        plotly=_plotly(),
        script=trusted(f"const element = document.body; {SORT} {_DRAW}"),
    )


def section(title: str, inner: Markup) -> Markup:
    """Return a part of the file under a heading; inner: HTML."""
    return template("section", title=title, inner=inner)


def drawn(figure: go.Figure | None) -> Markup:
    """Return a figure for ``document``, "" for none."""
    if figure is None:
        return EMPTY
    return template("figure", data=script_json(figure.to_json()))


@lru_cache(maxsize=1)
def _plotly() -> Markup:
    """Return Plotly's script, gzipped, as text; UserError not_installed where there is none."""
    if not BUNDLE.is_file():
        raise UserError("not_installed", "The library that draws figures is not installed.", "Run make install.")
    return trusted(base64.b64encode(gzip.compress(BUNDLE.read_bytes(), mtime=0)).decode())
