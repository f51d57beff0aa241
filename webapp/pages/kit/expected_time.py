"""How long a run is expected to take on the device of this server."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from core import device, tasks
from core.declaration import Preset, Task, Value
from core.errors import UserError
from webapp.pages.kit.page_state import View
from webapp.pages.kit.text import seconds
from webapp.services import Services


def expected(services: Services, shown: View, params: Mapping[str, object]) -> str:
    """Return the expected duration of a run in words, for a typical scan until there is one."""
    paths: tuple[tuple[str, Path], ...] = ()
    if not shown.missing:
        paths = tuple((name, services.blobs.path(row.blob)) for name, row in shown.scans.items())
    try:
        settings = tuple(shown.task.parse(params).items())
        return seconds(_estimate(shown.task.name, paths, settings, place(services.settings.device)))
    except UserError:
        return "–"


def preset_titles(services: Services, shown: View) -> list[tuple[str, str]]:
    """Return (title with expected duration, name) of each preset that the page offers."""
    presets = offered(shown.task)
    return [(f"{preset.title} · {expected(services, shown, preset.params)}", preset.name) for preset in presets]


def offered(task: Task) -> tuple[Preset, ...]:
    """Return the presets that say how much to do; those that only choose a tissue belong to the command line."""
    return tuple(preset for preset in task.presets if set(preset.params) != {"tissue"})


@lru_cache
def place(wanted: str) -> str:
    """Return the device that jobs run on."""
    return device.choose(wanted)


def device_title(wanted: str) -> str:
    """Return the device in words for the badge."""
    chosen = place(wanted)
    return f"CPU · {device.threads()} threads" if chosen == "cpu" else f"GPU · {chosen}"


# an estimate reads files; blobs never change, so one reading is enough
@lru_cache(maxsize=256)
def _estimate(task: str, paths: tuple[tuple[str, Path], ...], params: tuple[tuple[str, Value], ...], on: str) -> float:
    return tasks.find(task).estimate(dict(paths), dict(params), on).seconds
