"""Runs the methods of an imaging job with progress."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from core.declaration import Method, Task
from core.events import Progress, changed
from core.imaging.options import Options, PublishedOptions
from core.imaging.problem import Estimate


@dataclass(frozen=True, eq=False)
class Done:
    """What a method gave and the seconds it takes by itself."""

    method: Method
    estimate: Estimate
    seconds: float


def drive(method: Method, problem: Any, options: Options, low: float, high: float) -> Generator[Progress, None, Done]:
    """Run one method on the ``problem`` of its task, see core.imaging.problem.

    Its progress becomes the part of the job from ``low`` to ``high``, shares of 1.
    """
    begun = time.monotonic()
    steps = method.load()(problem, replace(options, steps=options.steps or method.steps))
    placed = changed(steps, lambda event: replace(event, fraction=low + (high - low) * event.fraction))
    estimate = yield from placed
    return Done(method, estimate, time.monotonic() - begun + estimate.earlier)


def drive_all(
    methods: Sequence[Method], problem: Any, options: Options, low: float, high: float
) -> Generator[Progress, None, list[Done]]:
    """Run several methods one after the other within the part of the job from ``low`` to ``high``."""
    done = []
    for index, method in enumerate(methods):
        start, end = (low + (high - low) * part / len(methods) for part in (index, index + 1))
        done.append((yield from drive(method, problem, options, start, end)))
    return done


def compared(task: Task, chosen: Method, params: Mapping[str, Any]) -> tuple[Method, ...]:
    """Return the methods of ``task`` that are run beside ``chosen``: those that "beside" names in ``params``, and with
    "compare" the plain ones."""
    return tuple(
        method
        for method in task.methods
        if method is not chosen and (method.name in params["beside"] or (method.cheap and params["compare"]))
    )


def options_of(params: Mapping[str, Any], device: str) -> Options:
    """Return how networks are to sample by the parameters of a job; ``drive`` fills in steps of 0."""
    published = PublishedOptions(
        **{each.name: params[each.name] for each in fields(PublishedOptions) if each.name in params}
    )
    options = Options(params["mode"], params["steps"], params["samples"], params["seed"], device, published=published)
    own = {name: params[name] for name in ("opposite", "adapt") if name in params}
    return replace(options, **own)


def networks(used: Sequence[Method], params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the weights that ``used`` ran on, each once."""
    names = (name for method in used for name in method.networks(params["volume"]))
    return tuple(dict.fromkeys(names))
