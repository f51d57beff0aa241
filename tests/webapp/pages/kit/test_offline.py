"""A document stands alone: no text of a study becomes HTML, nothing is fetched."""

from __future__ import annotations

import plotly.graph_objects as go

from core import __version__
from webapp.pages.kit.offline import document, drawn, section
from webapp.pages.kit.templates import EMPTY, trusted


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
    assert "Plotly" in whole and len(whole) > 1 << 20
    assert "<script src" not in whole and "<link" not in whole
