"""Which module may import which: every arrow points downwards."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.source import ROOT, Module, modules, parse

# From the bottom up. A module belongs to the longest prefix of its name; it may import its own unit and all
# that stand below, never a neighbour of its level.
LEVELS: tuple[tuple[str, ...], ...] = (
    ("core.errors", "core.result", "core.assets", "core.contrasts", "core.acquisition", "core.volume"),
    ("core.events", "core.result_json"),
    ("core.declaration", "core.device"),
    ("core.provenance", "core.files", "core.nets", "core.measure"),
    ("core.weights",),
    ("core.spectra", "core.anatomy", "core.diffusion", "core.synth"),
    ("core.imaging", "core.failure"),
    ("core.tasks",),
    ("core.catalogue", "core.report"),
    ("core.engine",),
    ("core.job",),
    ("core.train",),
    ("core.bench",),
    ("core.commands",),
    ("core", "core.__main__"),
    ("webapp", "webapp.settings", "webapp.intake.description", "webapp.jobs.snapshots"),
    ("webapp.store",),
    ("webapp.jobs.runner",),
    ("webapp.jobs", "webapp.jobs.dispatcher"),
    ("webapp.services",),
    ("webapp.door", "webapp.intake", "webapp.study"),
    ("webapp.study.routes",),
    ("webapp.endpoints", "webapp.pages"),
    ("webapp.app", "webapp.schemas"),
    ("webapp.study.command",),
    ("webapp.__main__",),
)
# who else, besides itself, may import this part of the program; the longest prefix of a name holds
CLOSED: dict[str, tuple[str, ...]] = {
    "core.synth": ("core.train", "core.bench", "core.commands"),
    "core.spectra.simulated_tissue": ("core.failure", "core.train", "core.bench", "core.commands"),
    "core.train": ("core.commands", "core.bench"),
    "core.bench": ("core.commands",),
    "core.engine": ("core.job", "core.bench", "webapp.jobs", "webapp.app"),
    "webapp.store.schema": ("webapp.store",),
}
# which parts may import these packages; the others are free
FOREIGN: dict[str, tuple[str, ...]] = {
    "gradio": ("webapp.pages", "webapp.app", "webapp.door"),
    "plotly": ("webapp.pages",),
    "jinja2": ("core.report",),
    "sqlalchemy": ("webapp",),
    "alembic": ("webapp.store",),
    "fastapi": ("webapp",),
    "starlette": ("webapp",),
    "uvicorn": ("webapp.__main__", "webapp.door"),
    "torch": ("core",),
    "ray": ("core.engine.ray",),
}
# names that the package itself holds and everything may take
SHARED = {("core", "__version__"), ("core", None)}
LEVEL = {unit: level for level, units in enumerate(LEVELS) for unit in units}
NAMES = {module.name for module in modules("core", "webapp")}


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def unit(name: str) -> str:
    return max((prefix for prefix in LEVEL if within(name, prefix)), key=len)


def targets(module: Module) -> Iterator[str]:
    """Yield the modules of the program that ``module`` imports."""
    for source, name in module.imports():
        if source.partition(".")[0] in ("core", "webapp") and (source, name) not in SHARED:
            yield f"{source}.{name}" if f"{source}.{name}" in NAMES else source


def wrong_arrows(module: Module) -> list[str]:
    """Return what ``module`` imports of the program and may not."""
    here = unit(module.name)
    wrong = []
    for target in targets(module):
        upwards = unit(target) != here and LEVEL[unit(target)] >= LEVEL[here]
        if upwards or is_closed(target, module.name):
            wrong.append(f"{module.name} -> {target}")
    return wrong


def is_closed(target: str, importer: str) -> bool:
    part = max((part for part in CLOSED if within(target, part)), key=len, default=None)
    return part is not None and not any(within(importer, friend) for friend in (part, *CLOSED[part]))


def foreign_intruders(module: Module) -> list[str]:
    """Return the outside packages that ``module`` imports and may not."""
    packages = {source.partition(".")[0] for source, _ in module.imports()}
    return [
        f"{module.name} -> {package}"
        for package in sorted(packages & FOREIGN.keys())
        if not any(within(module.name, home) for home in FOREIGN[package])
    ]


def test_every_arrow_points_downwards() -> None:
    assert [arrow for module in modules("core", "webapp") for arrow in wrong_arrows(module)] == []


def test_outside_packages_stay_in_their_part() -> None:
    assert [arrow for module in modules("core", "webapp") for arrow in foreign_intruders(module)] == []


def test_every_module_has_a_level_of_its_own() -> None:
    # a new module under core or webapp must be given its place, or it would count as the package itself
    homeless = [
        module.name
        for module in modules("core", "webapp")
        if unit(module.name) in ("core", "webapp") and module.name not in ("core", "webapp")
    ]
    assert homeless == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("core.volume", "from core.files.nifti import read_stored"),
        ("core.imaging.new", "def late():\n    from core.tasks import TASKS"),
        ("core.nets.new", "import core.diffusion.sampler"),
        ("core.imaging.new", "from core.synth import labelmaps"),
        ("core.imaging.new", "import webapp.settings"),
        ("core.anatomy.head", "from core.imaging import drive"),
        ("core.failure.new", "from core.synth.labelmaps import TISSUES"),
        ("core.engine.new", "from core.spectra.simulated_tissue import simulate"),
        ("webapp.pages.new", "from core.engine.local import LocalEngine"),
        ("webapp.store.new", "from webapp.jobs import dispatcher"),
        ("webapp.store.new", "from ..jobs import dispatcher"),
        ("webapp.endpoints", "from webapp.store.schema import job"),
    ],
)
def test_a_wrong_arrow_is_seen(name: str, text: str) -> None:
    assert len(wrong_arrows(parse(name, text))) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("core.imaging.new", "import gradio as gr"),
        ("core.engine.local", "import ray"),
        ("webapp.pages.new", "from torch import nn"),
        ("core.bench.new", "from plotly import graph_objects"),
    ],
)
def test_an_intruder_is_seen(name: str, text: str) -> None:
    assert len(foreign_intruders(parse(name, text))) == 1


def test_a_right_arrow_is_let_through() -> None:
    text = "from core import __version__\nimport core.volume\nfrom core.declaration import Task\nimport torch"
    module = parse("core.imaging.new", text)
    assert wrong_arrows(module) == foreign_intruders(module) == []


def test_what_is_imported_is_required() -> None:
    """requirements.txt names, above its transitive part, every package that the program imports."""
    homes = packages_distributions()
    direct = _names((ROOT / "requirements.txt").read_text().partition("# transitive")[0])
    used = {source.partition(".")[0] for module in modules("core", "webapp") for source, _ in module.imports()}
    outside = used - set(sys.stdlib_module_names) - {"core", "webapp", "ray"}
    missing = {name for name in outside if not {_plain(home) for home in homes.get(name, [name])} & direct}
    assert missing == set()


def test_requirements_are_pinned_exactly() -> None:
    for file in sorted(Path(ROOT).glob("requirements*.txt")):
        lines = [line for line in file.read_text().splitlines() if line and not line.startswith(("#", "-r "))]
        assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)] == []


def _names(text: str) -> set[str]:
    return {_plain(line.partition("==")[0]) for line in text.splitlines() if line and not line.startswith("#")}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
