"""The summary as text for a terminal, as Markdown for the documentation, and everything as a JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.bench.aggregate import BASELINES, COMPARED, Baselines, Line, summarise
from core.bench.case import Row
from core.errors import UserError

NETWORK = "volume"
COLUMNS = {
    "psnr": ("PSNR", 2),
    "psnr_01": ("PSNR01", 2),
    "psnr_line": ("PSNR line", 2),
    "ssim": ("SSIM", 3),
    "mae": ("MAE", 4),
    "grey_dice": ("GM Dice", 3),
    "x": ("x", 2),
    "y": ("y", 2),
    "z": ("z", 2),
    "texture": ("texture", 2),
    "seam": ("seam", 2),
    "residual": ("misfit", 6),
    "within": ("in 90 %", 3),
    "csf": ("CSF", 3),
    "grey": ("grey", 3),
    "white": ("white", 3),
    "gflop": ("GFLOP", 0),
    "published": ("as published", 0),
    "peak_mb": ("MB", 0),
}
TABLES = ("summary", "methods")
TITLES = {"inpaint": "Inpaint", "superres": "Super-resolution", "translate": "Translate"}


def format_table(rows: Sequence[Row], baselines: Baselines = BASELINES) -> str:
    """Return the summary as aligned text: a table for each block, then gains over the baseline, then failures."""
    parts = []
    for block in _blocks(summarise(rows, baselines)):
        baseline = block[0].baseline
        parts.append(f"{_heading(block[0])}\n{_align(_cells(block))}")
        for name in COMPARED:
            gains = [_gain_cells(line, name) for line in block if name in line.differences]
            if gains:
                heading = [f"{COLUMNS[name][0]} against {baseline}", "mean", "95 % interval", "better in"]
                parts.append(_align([heading, *gains]))
        parts += _failures(block)
    return "\n\n".join(parts)


def markdown_summary(rows: Sequence[Row]) -> str:
    """Return a Markdown table with a row for each block: the network's PSNR, that of the baseline, and the gain."""
    lines = ["| Case | Plain method | Network | Gain, dB (95 %) | Better in |", "|---|---|---|---|---|"]
    for block in _blocks(summarise(rows)):
        found = {line.method: line for line in block}
        baseline = block[0].baseline
        plain, ours = (_psnr(found.get(name)) for name in (baseline, NETWORK))
        gain = found[NETWORK].differences.get("psnr") if NETWORK in found else None
        cells = _gain_cells(found[NETWORK], "psnr")[1:] if gain else ["-", "-", "-"]
        interval = "" if cells[1] == "-" else f" ({cells[1]})"
        named = f"{plain} `{baseline}`" if baseline else "-"
        lines.append(f"| {_heading(block[0])} | {named} | {ours} | {cells[0]}{interval} | {cells[2]} |")
    return "\n".join(lines)


def markdown_methods(rows: Sequence[Row], baselines: Baselines = BASELINES) -> str:
    """Return a Markdown table of every method for each block, with the gains in PSNR over the baseline."""
    parts = []
    for block in _blocks(summarise(rows, baselines)):
        table = _cells(block)
        gains = [[f"PSNR against {block[0].baseline or '-'}", "better in"]]
        gains += [_joined_gain(line) for line in block]
        body = [f"| {' | '.join([*cells, *gain])} |" for cells, gain in zip(table, gains, strict=True)]
        rule = "|" + "---|" * (len(table[0]) + 2)
        failures = [f"\n{failure}" for failure in _failures(block)]
        parts.append("\n".join([f"**{_heading(block[0])}**", "", body[0], rule, *body[1:], *failures]))
    return "\n\n".join(parts)


def write_markdown(path: Path, rows: Sequence[Row]) -> None:
    """Put the tables between the marks of the page ``path``; write the tables alone where there is no page.

    Raises UserError for a page without marks.
    """
    tables = {"summary": markdown_summary(rows), "methods": markdown_methods(rows)}
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n\n".join(tables.values()) + "\n", encoding="utf-8")
        return
    present = [name for name in TABLES if mark(name)[0] in path.read_text(encoding="utf-8")]
    for name in present or TABLES:
        write_between(path, name, tables[name])


def write_between(path: Path, name: str, text: str) -> None:
    """Put ``text`` between the marks ``name`` of a page; UserError for a page without them."""
    first, last = mark(name)
    page = path.read_text(encoding="utf-8") if path.is_file() else ""
    before, begin, rest = page.partition(first)
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise UserError("bad_parameter", f"{path} has no place for a table.", f"Put {first} and {last} around it.")
    path.write_text(f"{before}{first}\n{text}\n{last}{after}", encoding="utf-8")


def mark(name: str) -> tuple[str, str]:
    """Return the comments that begin and end what a command writes into a page."""
    return f"<!-- bench {name} -->", f"<!-- end of bench {name} -->"


def write_json(path: Path, rows: Sequence[Row]) -> None:
    """Write rows and summary; a value that could not be measured becomes null."""
    flat = [asdict(row) for row in rows]
    content = {
        "rows": [{**row.pop("label"), **row} for row in flat],
        "summary": [asdict(line) for line in summarise(rows)],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_finite(content), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    for key in dict.fromkeys((line.task, line.block) for line in lines):
        yield [line for line in lines if (line.task, line.block) == key]


def _failures(block: Sequence[Line]) -> list[str]:
    return [f"{line.method}: {line.failed} of {line.cases} failed: {line.error}" for line in block if line.failed]


def _heading(line: Line) -> str:
    return f"{TITLES.get(line.task, line.task)}: {line.block}"


def _cells(block: Sequence[Line]) -> list[list[str]]:
    """Return the titles and a row for each line; a measure that no line has is left out."""
    measured = {name: column for name, column in COLUMNS.items() if any(name in _known(line) for line in block)}
    table = [["method", "cases", *(title for title, _ in measured.values()), "seconds", "calls"]]
    for line in block:
        numbers = [_text(line.scores.get(name, math.nan), digits) for name, (_, digits) in measured.items()]
        done = str(line.cases - line.failed)
        table.append([line.method, done, *numbers, _text(line.seconds, 1), _text(line.calls, 0)])
    return table


def _known(line: Line) -> set[str]:
    return {name for name, value in line.scores.items() if not math.isnan(value)}


def _gain_cells(line: Line, name: str) -> list[str]:
    gain, digits = line.differences[name], COLUMNS[name][1]
    interval = "-" if math.isnan(gain.low) else f"{gain.low:+.{digits}f} to {gain.high:+.{digits}f}"
    return [line.method, f"{gain.mean:+.{digits}f}", interval, f"{gain.share_better:.0%} of {gain.cases}"]


def _joined_gain(line: Line) -> list[str]:
    if "psnr" not in line.differences:
        return ["", ""]
    _, mean, interval, better = _gain_cells(line, "psnr")
    return [mean if interval == "-" else f"{mean} ({interval})", better]


def _psnr(line: Line | None) -> str:
    return "-" if line is None else _text(line.scores.get("psnr", math.nan), 2)


def _text(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _align(cells: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = []
    for row in cells:
        rest = [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *rest]))
    return "\n".join(lines)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
