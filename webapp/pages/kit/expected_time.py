"""How long a run is expected to take on the device of this server."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from core import device, tasks
from core.declaration import Preset, Task, Value
from core.errors import UserError
from core.plurals import count
from webapp.pages.kit.page_state import View
from webapp.pages.kit.text import span
from webapp.services import Services
from webapp.store.records import TimedRun

# finished runs of a task that are looked at
RECENT = 24
# shortest and longest of what a machine without a finished run is expected to take, in parts of the estimate
UNKNOWN = (0.8, 1.5)
QUARTILES = (25, 75)
# a few runs alike do not make the next one certain: the range in parts of their median is at least this wide
LEAST = (0.85, 1.2)


def expected(services: Services, shown: View, params: Mapping[str, object]) -> str:
    """Return in words how long a run is expected to take, for a typical scan until there is one.

    The estimate is corrected by the runs that this server has recorded: half of them were within the range.
    """
    paths: tuple[tuple[str, Path], ...] = ()
    try:
        if not shown.missing:
            paths = tuple((name, services.blobs.path(row.blob)) for name, row in shown.scans.items())
        settings = shown.task.parse(params)
        middle = _estimate(shown.task.name, paths, tuple(settings.items()), place(services.settings.device))
    except UserError:
        return "–"
    low, high = _correction(services, shown.task, str(settings.get("method", "")))
    return span(low * middle, high * middle)


def _correction(services: Services, task: Task, method: str) -> tuple[float, float]:
    """Return the quartiles of what recorded runs took, in parts of their estimates; of one method where it has run."""
    runs = services.repo.timed(task.name, RECENT)
    alike = [one for one in runs if one.params.get("method", "") == method]
    ratios = [ratio for one in (alike or runs) if (ratio := _ratio(services, task, one))]
    if not ratios:
        return UNKNOWN
    (low, high), middle = np.percentile(ratios, QUARTILES), float(np.median(ratios))
    return min(float(low), LEAST[0] * middle), max(float(high), LEAST[1] * middle)


def _ratio(services: Services, task: Task, run: TimedRun) -> float | None:
    """Return what ``run`` took in parts of its estimate, None where that cannot be computed any more."""
    near = {name: services.blobs.near(blob) for name, blob in run.blobs.items()}
    paths = tuple((name, path) for name, path in near.items() if path is not None)
    if len(paths) < len(near):
        # a bucket is not asked for that
        return None
    try:
        settings = tuple(task.parse(run.params).items())
        return run.seconds / max(0.1, _estimate(task.name, paths, settings, place(services.settings.device)))
    except UserError:
        return None


def preset_titles(services: Services, shown: View, given: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return (title with expected duration, name) of each preset that the page offers.

    given: the settings that a preset leaves as they are.
    """
    times = ((one, expected(services, shown, {**given, **one.params})) for one in offered(shown.task))
    return [(f"{preset.title} · {took}", preset.name) for preset, took in times]


def offered(task: Task) -> tuple[Preset, ...]:
    """Return the presets of ``task`` that the page has."""
    return tuple(preset for preset in task.presets if preset.on_page)


@lru_cache
def place(wanted: str) -> str:
    """Return the device that jobs run on."""
    return device.choose(wanted)


def device_title(wanted: str) -> str:
    """Return the device in words for the badge."""
    chosen = place(wanted)
    return f"CPU · {count(device.threads(), 'thread')}" if chosen == "cpu" else f"GPU · {chosen}"


# an estimate reads files; blobs never change, so one reading is enough
@lru_cache(maxsize=256)
def _estimate(task: str, paths: tuple[tuple[str, Path], ...], params: tuple[tuple[str, Value], ...], on: str) -> float:
    return tasks.find(task).estimate(dict(paths), dict(params), on).seconds
