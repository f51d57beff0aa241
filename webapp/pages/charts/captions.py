"""What stands above and below a figure: its title, how to read it, and the table of the same values."""

from __future__ import annotations

from markupsafe import Markup

from webapp.pages.charts.figure import Cell, Chart, Table
from webapp.pages.kit.templates import EMPTY, piece
from webapp.pages.kit.text import number


def table(given: Table) -> Markup:
    """Return a table that can be scrolled sideways by keyboard."""
    rows = [
        (_text(first, given.digits), [(_text(cell, given.digits), _key(cell)) for cell in rest])
        for first, *rest in given.rows
    ]
    return piece("charts", "table", caption=given.caption, head=given.head, rows=rows)


def title(text: str) -> Markup:
    """Return the title of a view."""
    return piece("charts", "title", text=text)


def head(chart: Chart) -> Markup:
    """Return the title of a view, how to read it, and what not to conclude."""
    return piece("charts", "head", title=chart.title, sentence=chart.sentence, warning=chart.warning)


def twin(chart: Chart) -> Markup:
    """Return the table of what the figure shows, folded away."""
    return piece("charts", "twin", name=chart.name, table=table(chart.table)) if chart.table else EMPTY


def _text(cell: Cell, digits: int) -> str:
    return cell if isinstance(cell, str) else number(cell, 0 if isinstance(cell, int) else digits)


def _key(cell: Cell) -> str:
    """Return the number to sort by, "" where a cell is none."""
    return repr(cell) if isinstance(cell, float | int) and cell == cell else ""
