"""A document stands alone: no text of a study becomes HTML, nothing is fetched."""

from __future__ import annotations

import base64
import gzip
import re

import plotly.graph_objects as go

from core import __version__
from tests.source import modules
from webapp.pages.kit.offline import BUNDLE, document, drawn, section
from webapp.pages.kit.templates import EMPTY, trusted

PACKED = re.compile(r'id="plotly">([^<]+)<')


def test_titles_are_text() -> None:
    whole = document("<i>a</i>", "b & c", section("<b>d</b>", trusted("<p>e</p>")))
    assert "<title>&lt;i&gt;a&lt;/i&gt;</title>" in whole
    assert f"Counterscan {__version__}. b &amp; c" in whole
    assert "<h2>&lt;b&gt;d&lt;/b&gt;</h2><p>e</p>" in whole


def test_a_figure_cannot_close_its_script() -> None:
    made = drawn(go.Figure().add_bar(x=[1], y=["</script><script>alert(1)</script>"]))
    assert made.count("</script>") == made.count("<script") == 1
    assert drawn(None) == ""


def test_the_plots_are_in_the_file() -> None:
    whole = document("a", "b", EMPTY)
    assert "Plotly" in gzip.decompress(base64.b64decode(PACKED.findall(whole)[0])).decode()
    assert len(whole) < 800_000
    assert "<script src" not in whole and "<link" not in whole


def test_every_figure_of_the_page_is_of_a_kind_that_the_file_can_draw() -> None:
    code = BUNDLE.read_text(encoding="utf-8")
    charts = "".join(module.text for module in modules("webapp/pages/charts"))
    kinds = {one.lower() for one in re.findall(r"figure\.add_(\w+)\(|go\.([A-Z]\w+)\(", charts) for one in one if one}
    drawn_kinds = kinds - {"vline", "hline", "vrect", "annotation", "figure", "trace"}
    assert drawn_kinds == {"bar", "box", "heatmap", "scatter"}
    assert all(f'name:"{kind}"' in code for kind in drawn_kinds)
