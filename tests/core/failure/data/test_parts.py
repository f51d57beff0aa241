from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import UserError
from core.failure.data.labelled import Loaded
from core.failure.data.modality import images
from core.failure.data.parts import measured, simulated
from tests.core.failure.tissue import patches


def test_a_simulated_study_never_trains_on_what_it_tests() -> None:
    study = simulated("density", 40, 1, tests=20)
    assert {name: len(each) for name, each in study.tests.items()} == {"id": 20, "external": 20, "conflict": 20}
    sets = [study.train, *study.tests.values(), study.balanced]
    slides = [set(each.groups.tolist()) for each in sets if each is not None and each.groups is not None]
    assert len(slides) == 5
    assert sum(map(len, slides)) == len(set.union(*slides))
    assert study.modalities == ("ir", "rgb")
    other = simulated("density", 40, 2, tests=20)
    assert not np.array_equal(study.train.ir, other.train.ir)


def test_the_training_of_a_side_has_that_side() -> None:
    study = simulated("none", 24, 0, tests=8)
    assert study.training("ir").values.shape[1] == 32 and not study.training("ir").pictures
    stained = study.training("rgb")
    assert stained.pictures and stained.values.shape[1] == 3 and stained.positions == (0.0, 1.0, 2.0)
    assert stained.balanced is not None and stained.balanced[0].shape[1] == 3


def test_patients_stay_together_and_no_patch_is_lost() -> None:
    made = patches(120)
    study = measured(Loaded(made, ("read",)), 0)
    train, test = study.train.groups, study.tests["id"].groups
    assert train is not None and test is not None
    assert not set(train) & set(test)
    assert len(train) + len(test) == 120
    assert study.notices == ("read",)
    everything = study.everything
    assert sorted(everything.groups.tolist() if everything.groups is not None else []) == sorted(made.groups.tolist())  # type: ignore[union-attr]


def test_without_patients_the_study_says_so() -> None:
    study = measured(Loaded(replace(patches(60), groups=None)), 0)
    assert "random" in " ".join(study.notices)
    assert study.everything.groups is None


def test_a_side_that_is_not_there_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        images(replace(patches(12), rgb=None), "rgb")
    assert caught.value.code == "no_pictures"
