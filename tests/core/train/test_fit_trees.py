from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.contrasts import CONTRASTS
from core.imaging.translate.trees import PER_CONTRAST, Model, predict
from core.nets.boosted_trees import MODELS, BoostedTrees
from core.train.contrast_subjects import subjects
from core.train.fit_trees import FEWEST, FOLDS, SHARE, Others, Sample, draw, fit, fit_all
from core.train.pack import PackedSet
from core.train.smoke import pack_phantoms


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> PackedSet:
    folder: Path = tmp_path_factory.mktemp("trees")
    return PackedSet(pack_phantoms(folder / "packed.npz"))


@pytest.fixture(scope="module")
def drawn(packed: PackedSet) -> Sample:
    return draw(packed, subjects(packed)[0], 0)


def error(model: Model, drawn: Sample, names: tuple[str, ...], target: str) -> float:
    truth = drawn.features[target][:, 0]
    return float(np.square(predict(model, drawn.gather(names)) - truth).mean() / truth.var())


def test_a_sample_is_a_share_of_the_brain_with_every_contrast(packed: PackedSet, drawn: Sample) -> None:
    brain = packed.head("phantom")
    assert set(drawn.features) == set(CONTRASTS)
    assert drawn.features["t1"].shape == (int(SHARE * brain.sum()), PER_CONTRAST)
    assert drawn.place.shape == (len(drawn.features["t1"]), 3)
    assert np.abs(drawn.place).max() <= 1


def test_they_explain_most_of_a_contrast_from_others(drawn: Sample) -> None:
    assert error(fit([drawn], ("t1",), "t2", 40), drawn, ("t1",), "t2") < 0.2
    assert error(fit([drawn], ("t2", "flair"), "t1", 40), drawn, ("t2", "flair"), "t1") < 0.2


def test_samples_without_the_contrasts_are_passed_over(drawn: Sample) -> None:
    lacking = Sample({"t1": drawn.features["t1"] + 5}, drawn.place)
    with_it, alone = (fit(samples, ("t1",), "t2", FEWEST) for samples in ([lacking, drawn], [drawn]))
    assert np.array_equal(with_it.nodes, alone.nodes)
    silent = fit([lacking], ("t1",), "t2")
    assert not predict(silent, drawn.gather(("t1",))).any()


def test_all_of_them_make_the_network_that_ships(packed: PackedSet) -> None:
    tensors = fit_all(packed, subjects(packed), FEWEST)
    network = BoostedTrees()
    network.load_state_dict(tensors)
    assert network.nodes.shape[0] == len(MODELS)
    assert (network.nodes[:, :FEWEST, 0, 0] >= 0).all() and (network.nodes[:, FEWEST:, 0, 0] == -1).all()


def test_a_subject_is_shown_trees_that_have_not_seen_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def sample(number: int) -> Sample:
        told = rng.normal(size=(200, PER_CONTRAST)).astype(np.float32)
        wanted = np.full((200, PER_CONTRAST), number, np.float32)
        return Sample({"t1": told, "t2": wanted}, np.zeros((200, 3), np.float32))

    others = Others(sample, 2 * FOLDS, tmp_path)
    for number in range(2 * FOLDS):
        model = others.model(number, ("t1",), "t2", FEWEST)
        unseen = [index for index in range(2 * FOLDS) if index % FOLDS != number % FOLDS]
        assert model.start == pytest.approx(np.mean(unseen))
        assert others.model(number, ["t1"], "t2", FEWEST) is model


def test_a_single_subject_is_shown_its_own(tmp_path: Path, drawn: Sample) -> None:
    model = Others(lambda number: drawn, 1, tmp_path).model(0, ("t1",), "t2", FEWEST)
    assert np.array_equal(model.nodes, fit([drawn], ("t1",), "t2", FEWEST).nodes)


def test_a_run_that_goes_on_has_the_trees_that_were_fitted(tmp_path: Path, drawn: Sample) -> None:
    first = Others(lambda number: drawn, 1, tmp_path / "trees").model(0, ("t2", "t1"), "flair", FEWEST)

    def none(number: int) -> Sample:
        raise AssertionError("nothing is to be fitted again")

    again = Others(none, 1, tmp_path / "trees").model(0, ("t1", "t2"), "flair", FEWEST)
    assert np.array_equal(first.nodes, again.nodes) and first.start == again.start
