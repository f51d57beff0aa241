"""The parts of the documentation that are written from the program: ``python -m tests.documents`` writes them anew."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from tests.source import ROOT
from tests.test_layers import CLOSED, LEVELS

DOCS = ROOT / "docs"
# what a Python program is meant to use: module -> names, in the order of the page
PUBLIC = {
    "core": ("run", "read_volume", "write_volume"),
    "core.errors": ("UserError",),
    "core.events": ("Started", "Progress", "Finished", "Failed"),
    "core.result": ("Result", "Artifact", "Note", "Row", "Finding", "Verdict"),
    "core.volume": ("Volume", "spacing", "bounding_box", "resample", "to_spacing"),
    "core.acquisition": ("Acquisition",),
    "core.anatomy.head": ("find_head",),
    "core.tasks": ("find",),
    "core.declaration": ("Task", "Method", "Input", "Output", "Param", "Preset", "Measure"),
    "core.presentation": ("Page", "Step", "Group", "Assignment", "GivenScan", "Offer"),
}
HEAD = """# Python

Written from the docstrings by `.venv/bin/python -m tests.documents`; a test compares. Volumes are float32 arrays
(X, Y, Z) in RAS+ order, affines map voxel indices to mm.
"""


def layers() -> str:
    """Return the table of who may import whom, from the bottom up, as Markdown."""
    rows = [f"| {number} | {', '.join(f'`{unit}`' for unit in units)} |" for number, units in enumerate(LEVELS, 1)]
    closed = [f"| `{part}` | {', '.join(f'`{one}`' for one in friends)} |" for part, friends in CLOSED.items()]
    return "\n".join(
        [
            "| Floor | Modules and folders |",
            "|---|---|",
            *rows,
            "",
            "| Closed to all but itself and | Importers |",
            "|---|---|",
            *closed,
        ]
    )


def python() -> str:
    """Return docs/python.md."""
    parts = [HEAD]
    for module, names in PUBLIC.items():
        parts.append(f"## `{module}`\n")
        parts += [_described(module, name) for name in names]
    return "\n".join(parts).rstrip() + "\n"


def architecture() -> str:
    """Return docs/architecture.md with its table of floors as it is now."""
    return between((DOCS / "architecture.md").read_text(encoding="utf-8"), "layers", layers())


def between(page: str, mark: str, text: str) -> str:
    """Return ``page`` with ``text`` between the two comments that carry ``mark``."""
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- end of {mark} -->)", re.DOTALL)
    changed, count = pattern.subn(lambda match: f"{match[1]}{text}\n{match[2]}", page)
    if count != 1:
        raise ValueError(f"the page has {count} places for {mark}")
    return changed


def named_folders() -> set[str]:
    """Return the folders that docs/architecture.md describes."""
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    part = page.partition("<!-- folders -->")[2].partition("<!-- end of folders -->")[0]
    return set(re.findall(r"^\| `([a-z_/]+)` \|", part, re.MULTILINE))


def _described(module: str, name: str) -> str:
    thing = getattr(import_module(module), name)
    kind = "class " if inspect.isclass(thing) else "def "
    lines = [f"### `{name}`\n", f"```python\n{kind}{name}{_signature(thing)}\n```\n", _text(thing)]
    lines += [f"**`{method}{_signature(function)}`** {_text(function)}" for method, function in _methods(thing)]
    return "\n".join(lines)


def _signature(thing: Callable[..., object]) -> str:
    text = re.sub(r"<function <lambda> at 0x[0-9a-f]+>", "...", str(inspect.signature(thing)))
    # annotations are texts, and what belongs to an instance is its first argument
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)
    text = re.sub(r"\(self(, )?", "(", text)
    return text.removesuffix(" -> None") if inspect.isclass(thing) else text


def _methods(thing: object) -> list[tuple[str, Callable[..., object]]]:
    if not inspect.isclass(thing):
        return []
    return [
        (name, function)
        for name, function in vars(thing).items()
        if inspect.isfunction(function) and not name.startswith("_") and function.__doc__
    ]


def _text(thing: object) -> str:
    text = inspect.getdoc(thing) or ""
    prose, example = text, ""
    if ">>>" in text:
        prose, _, rest = text.partition(">>>")
        example = f"\n```pycon\n>>>{rest.rstrip()}\n```\n"
    return prose.strip().replace("``", "`") + "\n" + example


def main() -> None:
    """Write every part anew."""
    pages: dict[Path, str] = {DOCS / "architecture.md": architecture(), DOCS / "python.md": python()}
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
