from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import UserError
from core.failure.data.dataset import simulated_dataset, user_dataset
from core.failure.data.labelled_patches import Loaded
from core.failure.data.modality import images
from core.failure.models.training import training_set
from core.spectra.simulated_tissue import PRESETS
from tests.core.failure.made_up_patches import patches


def test_a_simulated_dataset_never_trains_on_what_it_tests() -> None:
    dataset = simulated_dataset(PRESETS["density"], 40, 1, tests=20)
    assert {name: len(each) for name, each in dataset.tests.items()} == {"id": 20, "external": 20, "conflict": 20}
    sets = [dataset.train, *dataset.tests.values(), dataset.balanced]
    slides = [set(each.groups.tolist()) for each in sets if each is not None and each.groups is not None]
    assert len(slides) == 5
    assert sum(map(len, slides)) == len(set.union(*slides))
    assert dataset.modalities == ("ir", "rgb")
    other = simulated_dataset(PRESETS["density"], 40, 2, tests=20)
    assert not np.array_equal(dataset.train.ir, other.train.ir)


def test_the_training_set_of_a_modality_has_that_modality() -> None:
    dataset = simulated_dataset(PRESETS["none"], 24, 0, tests=8)
    assert training_set(dataset, "ir").values.shape[1] == 32 and not training_set(dataset, "ir").pictures
    stained = training_set(dataset, "rgb")
    assert stained.pictures and stained.values.shape[1] == 3 and stained.positions == (0.0, 1.0, 2.0)
    assert stained.balanced is not None and stained.balanced[0].shape[1] == 3


def test_patients_stay_together_and_no_patch_is_lost() -> None:
    made = patches(120)
    dataset = user_dataset(Loaded(made, ("read",)), 0)
    train, test = dataset.train.groups, dataset.tests["id"].groups
    assert train is not None and test is not None
    assert not set(train) & set(test)
    assert len(train) + len(test) == 120
    assert dataset.notices == ("read",)
    everything = dataset.everything
    assert sorted(everything.groups.tolist() if everything.groups is not None else []) == sorted(made.groups.tolist())  # type: ignore[union-attr]


def test_without_patients_the_dataset_has_a_notice() -> None:
    dataset = user_dataset(Loaded(replace(patches(60), groups=None)), 0)
    assert "random" in " ".join(dataset.notices)
    assert dataset.everything.groups is None


def test_a_modality_without_images_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        images(replace(patches(12), rgb=None), "rgb")
    assert caught.value.code == "no_pictures"
