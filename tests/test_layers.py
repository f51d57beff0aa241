"""Which module may import which: every arrow points downwards."""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.source import ROOT, Module, modules, parse

# From the bottom up. A module belongs to the longest prefix of its name; it may import its own unit and all
# that stand below, never a neighbour of its level.
LEVELS: tuple[tuple[str, ...], ...] = (
    (
        "core.errors",
        "core.plurals",
        "core.result",
        "core.assets",
        "core.contrasts",
        "core.acquisition",
        "core.smoothing",
        "core.volume",
    ),
    ("core.events", "core.result_json", "core.presentation", "core.results_text", "core.traces"),
    ("core.declaration", "core.device"),
    ("core.provenance", "core.files", "core.nets", "core.measure"),
    ("core.weights",),
    ("core.spectra", "core.anatomy", "core.diffusion", "core.synth"),
    ("core.imaging", "core.failure"),
    ("core.augment",),
    ("core.tasks",),
    ("core.catalogue", "core.report", "core.option_schema"),
    ("core.engine",),
    ("core.output_folder",),
    ("core.job",),
    ("core.batch",),
    ("core.bids",),
    ("core.train",),
    ("core.bench",),
    ("core.commands",),
    ("core", "core.__main__"),
    ("webapp.roles",),
    (
        "webapp",
        "webapp.settings",
        "webapp.housekeeping",
        "webapp.rates",
        "webapp.intake.description",
        "webapp.jobs.snapshots",
        "webapp.telemetry",
    ),
    ("webapp.store",),
    ("webapp.jobs.runner", "webapp.jobs.board", "webapp.jobs.job_limits"),
    ("webapp.jobs", "webapp.jobs.dispatcher"),
    ("webapp.services",),
    ("webapp.door", "webapp.intake", "webapp.study"),
    ("webapp.study.routes", "webapp.account", "webapp.keeping", "webapp.api"),
    ("webapp.endpoints", "webapp.pages", "webapp.operations"),
    ("webapp.app", "webapp.schemas"),
    ("webapp.server",),
    ("webapp.console",),
    ("webapp.__main__",),
)
# who else, besides itself, may import this part of the program; the longest prefix of a name holds
CLOSED: dict[str, tuple[str, ...]] = {
    "core.synth": ("core.augment", "core.train", "core.bench", "core.commands"),
    "core.spectra.simulated_tissue": ("core.failure", "core.augment", "core.train", "core.bench", "core.commands"),
    "core.train": ("core.commands", "core.bench"),
    "core.bench": ("core.commands",),
    "core.engine": (
        "core.job",
        "core.output_folder",
        "core.batch",
        "core.bids",
        "core.commands.many_scans",
        "core.bench",
        "webapp.settings",
        "webapp.jobs",
        "webapp.app",
    ),
    "webapp.store.schema": ("webapp.store",),
}
# which parts may import these packages; the others are free
FOREIGN: dict[str, tuple[str, ...]] = {
    "gradio": ("webapp.pages", "webapp.app", "webapp.door"),
    "plotly": ("webapp.pages",),
    "jinja2": ("core.report", "webapp.pages", "webapp.door"),
    "markupsafe": ("webapp.pages",),
    "sqlalchemy": ("webapp",),
    "alembic": ("webapp.store",),
    "boto3": ("webapp.store.bucket_blobs",),
    "botocore": ("webapp.store.bucket_blobs",),
    "fastapi": ("webapp",),
    "starlette": ("webapp",),
    "uvicorn": ("webapp.server", "webapp.door"),
    "argon2": ("webapp.store.accounts",),
    "authlib": ("webapp.door.provider",),
    "joserfc": ("webapp.door.provider",),
    "httpx2": ("webapp.door.provider",),
    "limits": ("webapp.rates",),
    "mcp": ("webapp.api.mcp_server",),
    "structlog": ("webapp.telemetry", "webapp.door.watching"),
    "prometheus_client": ("webapp.telemetry", "webapp.operations.health"),
    "torch": ("core",),
    "ray": ("core.engine.ray",),
}
# names that the package itself holds and everything may take
SHARED = {("core", "__version__"), ("core", None)}
# names of files that may occur in several folders; what else is inside, a name says by itself
REPEATED = frozenset({"__init__", "__main__", "task", "run", "network", "page", "tab"})
LEVEL = {unit: level for level, units in enumerate(LEVELS) for unit in units}
NAMES = {module.name for module in modules("core", "webapp")}


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def unit(name: str) -> str:
    return max((prefix for prefix in LEVEL if within(name, prefix)), key=len)


def targets(module: Module) -> Iterator[str]:
    """Yield the modules of the program that ``module`` imports."""
    for source, name in module.imports:
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


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Return circles among ``arrows`` (who -> whom it imports), one after the other until none is left."""
    left = {node: set(seen) for node, seen in arrows.items()}
    found = []
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            found.append(list(reversed(error.args[1])))
            # one of its arrows goes, so that the next one is found
            left[found[-1][0]].discard(found[-1][1])
        else:
            return found


def arrows_of_modules(program: Iterable[Module]) -> dict[str, set[str]]:
    """Return module -> modules that it imports, wherever in it the import stands."""
    return {module.name: set(targets(module)) - {module.name} for module in program}


def arrows_of_folders(program: Iterable[Module]) -> dict[str, set[str]]:
    """Return what stands beside each other in one folder, files and folders -> what each imports of the others.

    A folder counts as one, with all that is in it.
    """
    arrows: dict[str, set[str]] = defaultdict(set)
    for module in program:
        for target in targets(module):
            here, there = _apart(module.name, target)
            if here != there:
                arrows[here].add(there)
    return arrows


def _apart(one: str, other: str) -> tuple[str, str]:
    """Return the two neighbours in one folder to which two modules belong."""
    parts, others = one.split("."), other.split(".")
    same = next((i for i, pair in enumerate(zip(parts, others, strict=False)) if pair[0] != pair[1]), None)
    if same is None:
        # a package and what lies in it: its own file is a neighbour of that
        same = min(len(parts), len(others))
        parts, others = [*parts, "__init__"], [*others, "__init__"]
    return ".".join(parts[: same + 1]), ".".join(others[: same + 1])


def is_closed(target: str, importer: str) -> bool:
    part = max((part for part in CLOSED if within(target, part)), key=len, default=None)
    return part is not None and not any(within(importer, friend) for friend in (part, *CLOSED[part]))


def foreign_intruders(module: Module) -> list[str]:
    """Return the outside packages that ``module`` imports and may not."""
    packages = {source.partition(".")[0] for source, _ in module.imports}
    return [
        f"{module.name} -> {package}"
        for package in sorted(packages & FOREIGN.keys())
        if not any(within(module.name, home) for home in FOREIGN[package])
    ]


def test_every_arrow_points_downwards() -> None:
    assert [arrow for module in modules("core", "webapp") for arrow in wrong_arrows(module)] == []


def test_no_module_imports_itself_through_others() -> None:
    assert [" -> ".join(circle) for circle in circles(arrows_of_modules(modules("core", "webapp")))] == []


def test_no_folder_imports_itself_through_its_neighbours() -> None:
    assert [" -> ".join(circle) for circle in circles(arrows_of_folders(modules("core", "webapp")))] == []


def test_no_name_of_a_file_occurs_twice() -> None:
    places = defaultdict(list)
    for module in modules("core", "webapp"):
        places[Path(module.path).stem].append(module.path)
    assert {name: paths for name, paths in places.items() if len(paths) > 1 and name not in REPEATED} == {}


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


@pytest.mark.parametrize(
    ("texts", "module", "folder"),
    [
        ({"core.a.x": "import core.a.y", "core.a.y": "def late():\n    from core.a import x"}, True, True),
        ({"core.a.x": "import core.b.y", "core.b.z": "from core.a import w"}, False, True),
        ({"core.a.b.x": "import core.a.y", "core.a.z": "import core.a.b.w"}, False, False),
        ({"core.a.b.x": "import core.a.y", "core.a.y": "import core.a.b.w"}, False, True),
        ({"core.a": "import core.a.x", "core.a.x": "import core.a"}, True, True),
        ({"core.a.x": "import core.b.y", "core.b.y": "import core.c"}, False, False),
    ],
)
def test_a_circle_is_seen(monkeypatch: pytest.MonkeyPatch, texts: dict[str, str], module: bool, folder: bool) -> None:
    monkeypatch.setattr(f"{__name__}.NAMES", {*texts, "core.a.w", "core.a.y", "core.b.w", "core.b.y", "core.a.b.w"})
    program = [parse(name, text, is_package=name.count(".") == 1) for name, text in texts.items()]
    assert bool(circles(arrows_of_modules(program))) == module
    assert bool(circles(arrows_of_folders(program))) == folder


def test_a_right_arrow_is_let_through() -> None:
    text = "from core import __version__\nimport core.volume\nfrom core.declaration import Task\nimport torch"
    module = parse("core.imaging.new", text)
    assert wrong_arrows(module) == foreign_intruders(module) == []


def test_what_is_imported_is_required() -> None:
    """requirements.txt names, above its transitive part, every package that the program imports; extras the others."""
    homes = packages_distributions()
    direct = _names((ROOT / "requirements.txt").read_text().partition("# transitive")[0])
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    direct |= {name for wanted in extras.values() for name in _names("\n".join(wanted))}
    used = {source.partition(".")[0] for module in modules("core", "webapp") for source, _ in module.imports}
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
