"""Several methods on one scan in one job: which of them, what it takes, and the settings of that job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import gradio as gr

from core import weights
from core.declaration import Method, Task
from core.errors import UserError
from webapp.pages.kit import boxes
from webapp.pages.kit.expected_time import expected
from webapp.pages.kit.page_state import View
from webapp.services import Services

# the parameter that holds the ticks
BESIDE = "beside"
FEWEST = 2
WORDS = "Run one after the other on the same scan, in one job, each with as many steps as it is meant for."


@dataclass(frozen=True)
class Comparison:
    """What the ticked methods will take together, and the button that runs them."""

    note: gr.HTML
    start: gr.Button


def ticks(task: Task, ident: str) -> gr.CheckboxGroup:
    """Return a box for each method of ``task`` that can run here, not yet drawn."""
    found = installed(task)
    return gr.CheckboxGroup(
        [(one.title, one.name) for one in found],
        value=list(usual(found)),
        label="Methods",
        info=WORDS,
        render=False,
        elem_id=ident,
        elem_classes="cs-several",
    )


def installed(task: Task) -> tuple[Method, ...]:
    """Return the methods of ``task`` whose weights are here, ours first."""
    known = weights.entries()
    return tuple(one for one in task.methods if all(name in known for name in one.networks()))


def usual(found: Iterable[Method]) -> tuple[str, ...]:
    """Return the methods ticked at first: ours, the first of the papers' that looks along several planes, the first
    plain one."""
    methods = tuple(found)
    kinds = (
        [one for one in methods if one.ours],
        [one for one in methods if one.name in ("hierarchical", "average")],
        [one for one in methods if one.cheap],
    )
    return tuple(kind[0].name for kind in kinds if kind)


def settings(task: Task, given: Mapping[str, object]) -> dict[str, object]:
    """Return ``given`` (the values of the form) as the settings of one job that runs every ticked method.

    The first of them, ours if ticked, is the method; the others run beside it. UserError ``not_ready`` for fewer than
    two.
    """
    ticked = given[BESIDE]
    wanted = [one.name for one in task.methods if isinstance(ticked, list | tuple) and one.name in ticked]
    if len(wanted) < FEWEST:
        raise UserError("not_ready", "A comparison needs two methods.", "Tick two or more under Compare methods.")
    # ours stands first in the table of methods
    first, *others = wanted
    return {**given, "method": first, BESIDE: others, "compare": False, "steps": 0}


def alone(given: Mapping[str, object]) -> dict[str, object]:
    """Return ``given`` as the settings of a run of the chosen method, whatever is ticked."""
    return {**given, BESIDE: ()} if BESIDE in given else dict(given)


def note(services: Services, shown: View, given: Mapping[str, object]) -> str:
    """Return how long the ticked methods will take together, as HTML."""
    try:
        wanted = settings(shown.task, given)
    except UserError as error:
        return boxes.hint(error.hint)
    took = expected(services, shown, wanted)
    return boxes.expected("This comparison", took)
