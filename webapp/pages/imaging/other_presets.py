"""A finished run and its twins: the same inputs and settings under the other presets that a task shows side by side."""

from __future__ import annotations

from core.declaration import Preset, Task
from core.result import RESULT
from webapp.pages.imaging.comparison import BESIDE
from webapp.pages.kit import forms
from webapp.pages.kit.page_state import View
from webapp.store.records import JobRecord

# settings that change no result
SHOWN_BESIDE = (BESIDE, "compare")


def twins(task: Task) -> tuple[Preset, ...]:
    """Return the presets of ``task`` that are worth seeing beside each other."""
    return tuple(one for one in task.presets if one.name in task.page.twins)


def settings(job: JobRecord, preset: Preset) -> dict[str, object]:
    """Return the settings of ``job`` under another preset, without the methods that ran beside it."""
    return {**job.params, BESIDE: (), **preset.params}


def preset_of(job: JobRecord, task: Task) -> Preset | None:
    """Return the one of ``twins`` that a job was run with, None for other settings."""
    return forms.preset_of(twins(task), job.params)


def computed(shown: View) -> tuple[tuple[Preset, JobRecord], ...]:
    """Return each other preset under which the finished job was repeated, with the newest such run."""
    job = shown.job
    if job is None or not shown.done:
        return ()
    own = preset_of(job, shown.task)
    found: dict[str, tuple[Preset, JobRecord]] = {}
    for one in shown.earlier:
        preset = preset_of(one, shown.task)
        if preset and preset != own and _made(one, preset) == _made(job, preset) and one.artifact(RESULT):
            found.setdefault(preset.name, (preset, one))
    return tuple(found.values())


def left(shown: View) -> tuple[Preset, ...]:
    """Return the presets under which the finished job was not repeated yet."""
    if shown.job is None or not shown.done:
        return ()
    made = [preset_of(shown.job, shown.task), *(preset for preset, _ in computed(shown))]
    return tuple(one for one in twins(shown.task) if one not in made)


def _made(job: JobRecord, preset: Preset) -> object:
    """Return from what the result of ``job`` under ``preset`` follows."""
    return job.inputs, {name: value for name, value in settings(job, preset).items() if name not in SHOWN_BESIDE}
