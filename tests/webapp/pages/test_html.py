"""HTML is written in templates alone, which escape what they are given."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from tests.source import Module, modules, parse
from webapp.pages.kit.templates import FOLDER, document, joined, piece, trusted

# a tag as HTML has them; Plotly has its own few
TAG = re.compile(r"<(?!/?(?:br|extra)>)[/!]?[a-zA-Z]")


def formatted(module: Module) -> Iterator[str]:
    """Yield the places of formatted strings with HTML in them."""
    for node in module.nodes:
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            if re.search("<[a-zA-Z]", text):
                yield f"{module.path}:{node.lineno}"


def written(module: Module) -> Iterator[str]:
    """Yield the places of strings with HTML in them, without docstrings."""
    docstrings = {id(node.value) for node in module.nodes if isinstance(node, ast.Expr)}
    for node in module.nodes:
        if isinstance(node, ast.Constant) and id(node) not in docstrings and TAG.search(str(node.value)):
            yield f"{module.path}:{node.lineno}"


def test_no_html_is_formatted_in_python() -> None:
    assert [place for module in modules("webapp") for place in formatted(module)] == []


def test_the_page_has_its_html_in_templates() -> None:
    pages = [module for module in modules("webapp") if module.name.startswith("webapp.pages")]
    assert [place for module in pages for place in written(module)] == []


@pytest.mark.parametrize("text", ['f"<p>{name}</p>"', 'f"a{name}" "<b>"'])
def test_formatted_html_is_seen(text: str) -> None:
    assert list(formatted(parse("webapp.new", f"name = 1\nshown = {text}")))
    assert list(written(parse("webapp.new", f"name = 1\nshown = {text}")))


@given(st.text())
def test_a_value_is_inert_in_every_template_and_reads_the_same(text: str) -> None:
    shown = str(piece("boxes", "hint", text=text)).removeprefix('<p class="cs-hint">').removesuffix("</p>")
    assert not set(shown) & set("<>\"'${}`\\")
    assert html.unescape(shown) == text


def test_pieces_are_joined_as_they_are_and_texts_are_escaped() -> None:
    made = joined((piece("boxes", "hint", text="a"), "<b>"))
    assert made == '<p class="cs-hint">a</p>&lt;b&gt;'
    assert document("section", title="<i>", inner=trusted("<p>{</p>")) == (
        '<section class="cs-section"><h2>&lt;i&gt;</h2><p>{</p></section>'
    )


def test_a_forgotten_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        piece("boxes", "hint")


def test_no_template_takes_a_value_as_it_is() -> None:
    """Only ``trusted``, in Python, makes HTML of a text."""
    files = sorted(FOLDER.glob("*.html"))
    assert len(files) > 5
    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    assert [name for name, text in texts.items() if re.search(r"\|\s*safe|autoescape|forceescape", text)] == []
    callers = {module.name for module in modules("webapp") for name in ("Markup(", "trusted(") if name in module.text}
    assert callers == {"webapp.pages.kit.templates", "webapp.pages.kit.offline"}
