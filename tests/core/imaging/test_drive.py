from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest

from core.declaration import Method
from core.events import Progress, finish
from core.imaging.drive import compared, drive, drive_all, networks, options_of
from core.imaging.options import Options, PublishedOptions
from core.imaging.problem import Estimate
from core.tasks import find

TASK = find("inpaint")
OURS = TASK.method("volume")
CHEAP = [method for method in TASK.methods if method.cheap]
SEEN: list[Options] = []


def method(problem: object, options: Options) -> Generator[Progress, None, Estimate]:
    """A method that notes how it is to sample."""
    SEEN.append(options)
    yield Progress(0.5, 1, 2, "Half")
    yield Progress(1.0, 2, 2, "Done")
    return Estimate(np.zeros((1, 1, 1), np.float32), calls=options.steps)


FAKE = Method("fake", "Fake", f"{__name__}:method", "", "", cheap=False, steps=5)


def test_plain_methods_are_run_beside_if_wished_and_others_if_asked_for() -> None:
    assert compared(TASK, OURS, TASK.parse({})) == tuple(CHEAP)
    assert compared(TASK, OURS, TASK.parse({"compare": False})) == ()
    few = TASK.parse({"compare": False, "beside": ["tpdm", "shell", "volume"]})
    assert [each.name for each in compared(TASK, OURS, few)] == ["tpdm", "shell"]
    every = TASK.parse({"beside": ["average"]})
    assert [each.name for each in compared(TASK, CHEAP[0], every)] == [
        "average",
        *(each.name for each in CHEAP[1:]),
    ]


def test_options_are_what_the_parameters_say() -> None:
    assert options_of(TASK.parse({"samples": 3}), "cpu") == Options(samples=3, steps=0)
    told = TASK.parse(
        {"mode": "realistic", "steps": 3, "samples": 2, "seed": 9, "resamples": 7, "stages": "axial", "volume": True}
    )
    made = options_of(told, "cuda:0")
    assert (made.mode, made.steps, made.samples, made.seed, made.device) == ("realistic", 3, 2, 9, "cuda:0")
    assert made.published == PublishedOptions(resamples=7, stages="axial", volume=True)
    # a task without a setting leaves it as it is
    assert options_of(find("translate").parse({"ratio": 4}), "cpu").published == PublishedOptions(ratio=4)


@pytest.mark.parametrize(("steps", "taken"), [(0, 5), (2, 2)])
def test_a_method_takes_its_own_steps_unless_told(steps: int, taken: int) -> None:
    done = finish(drive(FAKE, None, Options(steps=steps), 0.0, 1.0))
    assert SEEN[-1].steps == done.estimate.calls == taken
    assert done.method is FAKE and done.seconds >= 0


def test_progress_of_several_methods_follows_on() -> None:
    events = list(drive_all([FAKE, FAKE], None, Options(), 0.2, 0.6))
    assert [event.fraction for event in events] == pytest.approx([0.3, 0.4, 0.5, 0.6])
    assert len(finish(drive_all([FAKE, FAKE], None, Options(), 0.2, 0.6))) == 2


def test_every_network_that_was_asked_is_named_once() -> None:
    used = [TASK.method(name) for name in ("scorefusion", "average", "shell", "volume")]
    usual = ("inpaint-fusion", "inpaint-plane", "inpaint-volume")
    assert networks(used, TASK.parse({})) == usual
    assert networks(used[:3], TASK.parse({})) == usual[:2]
    assert set(networks(used[:3], TASK.parse({"volume": True}))) == set(usual)
