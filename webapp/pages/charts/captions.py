"""What stands above and below a figure: its title, how to read it, and the table of the same values."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.pages.charts.figure import Cell, Chart, Table
from webapp.pages.kit.text import number, safe

TWIN = "The same as a table"


def table(given: Table) -> str:
    """Return a table that can be scrolled sideways by keyboard."""
    head = "".join(f'<th scope="col">{safe(one)}</th>' for one in given.head)
    body = "".join(_row(row, given.digits) for row in given.rows)
    return (
        f'<div class="cs-scroll" tabindex="0" role="region" aria-label="{safe(given.caption)}">'
        f'<table class="cs-table"><caption>{safe(given.caption)}.</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def head(chart: Chart) -> str:
    """Return the title of a view, how to read it, and what not to conclude."""
    warning = f'<p class="cs-banner">{safe(chart.warning)}</p>' if chart.warning else ""
    return f'<h3 class="cs-view-title">{safe(chart.title)}</h3><p class="cs-hint">{safe(chart.sentence)}</p>{warning}'


def twin(chart: Chart) -> str:
    """Return the table that says what the figure shows, folded away."""
    if chart.table is None:
        return ""
    return (
        f'<details class="cs-details cs-twin" data-twin="{safe(chart.name)}"><summary>{TWIN}</summary>'
        f"{table(chart.table)}</details>"
    )


def _row(row: Sequence[Cell], digits: int) -> str:
    first, *rest = row
    cells = "".join(f"<td{_key(cell)}>{safe(_cell(cell, digits))}</td>" for cell in rest)
    return f'<tr><th scope="row">{safe(_cell(first, digits))}</th>{cells}</tr>'


def _cell(cell: Cell, digits: int) -> str:
    return cell if isinstance(cell, str) else number(cell, 0 if isinstance(cell, int) else digits)


def _key(cell: Cell) -> str:
    """Return the number to sort by, where a cell is one."""
    return f' data-value="{cell!r}"' if isinstance(cell, float | int) and cell == cell else ""
