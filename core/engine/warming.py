"""What the first job of a process would wait for, loaded before it comes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module

from core import device, weights
from core.declaration import Reference, Task
from core.errors import UserError

log = logging.getLogger(__name__)

LIBRARIES = ("scipy.ndimage", "scipy.sparse.linalg", "torch")


def loading(tasks: str, names: Sequence[str], wanted: str) -> Iterator[str]:
    """Load libraries, code and networks of the tasks ``names`` of the module ``tasks``; yields the name of each part.

    wanted: the device of the networks. The parts that a job of the usual method needs come first. What cannot be loaded
    is left to the job that needs it, which reports why.
    """
    for part, load in _parts(tasks, names, wanted):
        try:
            load()
        except UserError as error:
            log.warning("%s is not loaded before the first job: %s", part, error.message)
        except Exception:
            log.exception("%s is not loaded before the first job", part)
        yield part


def _parts(tasks: str, names: Sequence[str], wanted: str) -> Iterator[tuple[str, Callable[[], object]]]:
    if not names:
        return
    for name in LIBRARIES:
        yield name, partial(import_module, name)
    yield "threads", device.limit_threads
    known: tuple[Task, ...] = import_module(tasks).TASKS
    chosen = [task for task in known if task.name in names]
    # ours before those of the papers; two methods may run on one network
    methods = sorted((method for task in chosen for method in task.methods), key=lambda method: method.paper)
    for place in dict.fromkeys(place for task in chosen for place in _places(task)):
        yield place, Reference(place).load
    for network in dict.fromkeys(name for method in methods for name in method.networks()):
        yield network, partial(_network, network, wanted)


def _places(task: Task) -> Iterator[str]:
    """Yield the functions that a job of ``task`` calls."""
    for part in (task.run, task.report):
        if isinstance(part, Reference):
            yield part.place
    for method in task.methods:
        yield method.function


def _network(name: str, wanted: str) -> None:
    weights.load(name, device.choose(wanted))
