from __future__ import annotations

import numpy as np
import pytest

from core.events import finish
from core.failure.data.modality import channels, images
from core.failure.diagnostics.attribution import attribute, gallery, patches_to_show
from core.failure.models.remedies import REMEDIES
from core.failure.models.training import TrainingSet, fit
from core.spectra.simulated_tissue import simulate
from tests.core.failure.made_up_patches import patches


def test_a_linear_model_of_the_mean_is_attributed_exactly() -> None:
    made = patches(60, level=0.3)
    given = TrainingSet(made.ir, made.labels, 3, made.labels, channels(made, "ir")[1])
    trained = finish(fit(REMEDIES["erm"], "linear", given, 3, 0))
    pipeline, network = trained.members[0]
    import torch

    ready = pipeline(torch.as_tensor(made.ir[:4])).detach()
    answers = trained.logits(made.ir[:4]).argmax(axis=1)
    # input times gradient of a linear model: the weight of the class times the mean of each channel
    expected = network.head.weight[answers].detach() * ready.mean(dim=(2, 3))
    for each, exact in zip(attribute(trained, made, "ir", np.arange(4)), expected.numpy(), strict=True):
        np.testing.assert_allclose(each.bands, exact / np.abs(exact).max(), atol=1e-4)
        assert np.shape(each.scores) == (6, 6)
        assert np.abs(each.scores).max() == pytest.approx(1, abs=1e-3)


def test_some_patches_of_every_class_are_shown() -> None:
    made = simulate("density", 40, 0)
    chosen = patches_to_show(made)
    np.testing.assert_array_equal(np.bincount(made.labels[chosen]), 2)
    shown = gallery(made, chosen)
    assert [each.label for each in shown] == made.labels[chosen].tolist()
    assert np.shape(shown[0].ir) == np.shape(shown[0].rgb) == (24, 24, 3)
    assert np.min(shown[0].ir) >= 0 and np.max([each.ir for each in shown]) == 255
    stained = images(made, "rgb")[chosen[0]].transpose(1, 2, 0)
    np.testing.assert_allclose(np.array(shown[0].rgb) / 255, stained, atol=0.003)
