"""The study goes on where it was stopped, and gives the same as one that was not."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
import torch

from core.augment.exchange_rate import Arm
from core.augment.image_set import ImageSet
from core.augment.unfinished import Unfinished, fingerprint
from core.augment.worth_study import Bools, Trainers, measure
from core.events import Progress, finish
from tests.core.augment.planted import PROTOCOL, by_nearest_mean, fresh, measured, study

STUDY = study()


class Counted:
    """A classifier that counts how often it is trained."""

    def __init__(self) -> None:
        self.trained = 0

    def __call__(self, training: ImageSet, test: ImageSet, seed: int, augment: bool) -> Generator[float, None, Bools]:
        correct = yield from by_nearest_mean(training, test, seed, augment)
        self.trained += 1
        return correct


def test_a_stopped_study_trains_no_classifier_twice(tmp_path: Path) -> None:
    unfinished = Unfinished(tmp_path, fingerprint(STUDY, {"seed": 0}))
    first, second = Counted(), Counted()
    steps = measure(STUDY, PROTOCOL, Trainers(first, fresh), unfinished)
    while first.trained < 30:
        next(steps)
    steps.close()
    whole = finish(measure(STUDY, PROTOCOL, Trainers(second, fresh), unfinished))
    assert first.trained + second.trained == len(PROTOCOL.arms()) * len(PROTOCOL.seeds)
    plain = measured(fresh, data=STUDY)
    assert whole.correct.keys() == plain.correct.keys()
    assert all((whole.correct[key] == plain.correct[key]).all() for key in plain.correct)


def test_progress_rises_and_names_what_is_trained() -> None:
    events = list(measure(STUDY, PROTOCOL, Trainers(by_nearest_mean, fresh), Unfinished(None, "")))
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert fractions == sorted(fractions) and 0.9 < fractions[-1] <= 0.95
    assert any("Real + duplicates, 50 + 200" in event.text for event in events)


def test_what_another_study_left_counts_as_missing(tmp_path: Path) -> None:
    arm, correct = Arm("real", 50), np.arange(13) % 3 == 0
    ours, other = (Unfinished(tmp_path, fingerprint(STUDY, {"seed": seed})) for seed in (0, 1))
    ours.keep(arm, 0, correct)
    found = ours.correct(arm, 0, 13)
    assert found is not None and (found == correct).all()
    assert other.correct(arm, 0, 13) is None and ours.correct(arm, 0, 40) is None and ours.correct(arm, 1, 13) is None
    for path in tmp_path.iterdir():
        path.write_text('{"study": 1')
    assert ours.correct(arm, 0, 13) is None


def test_weights_come_back_and_broken_ones_do_not(tmp_path: Path) -> None:
    unfinished = Unfinished(tmp_path / "made later", "a" * 64)
    assert unfinished.weights("one") is None
    unfinished.keep_weights("one", {"layer": torch.arange(4.0)})
    found = unfinished.weights("one")
    assert found is not None and found["layer"].tolist() == [0, 1, 2, 3]
    next((tmp_path / "made later").iterdir()).write_bytes(b"no weights")
    assert unfinished.weights("one") is None
    Unfinished(None, "").keep_weights("one", {"layer": torch.zeros(1)})
    assert Unfinished(None, "").weights("one") is None
