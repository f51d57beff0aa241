from __future__ import annotations

import numpy as np

from core.events import finish
from core.failure.contamination import SHARES, plant, sweep
from core.failure.data.dataset import Dataset
from core.failure.diagnostics.battery import Depth, fit_modality
from core.spectra.simulated_tissue import simulate


def test_the_confounder_is_that_of_the_class_in_the_share_that_carries_it() -> None:
    made = simulate("none", 400, 3)
    for share, low, high in ((1.0, 0.9, 1.0), (0.5, 0.3, 0.7), (0.0, -0.2, 0.2)):
        planted = plant(made, share, np.random.default_rng(0))
        factor = np.log((planted.ir / made.ir)[:, 5, 0, 0])
        assert low <= np.corrcoef(factor, made.labels)[0, 1] <= high
        assert np.abs(factor).max() < 0.5


def test_a_model_of_the_level_hangs_on_the_confounder_and_emsc_does_not() -> None:
    made = simulate("none", 300, 1)
    points = [each.take(np.arange(len(each))) for each in (made, simulate("none", 200, 2))]
    train, test = (
        type(each)(each.spectra()[:, :, None, None], each.wavenumbers, each.labels, each.classes, each.groups)
        for each in points
    )
    fits = fit_modality(Dataset(train, {"id": test}, None, "file", ""), "ir", Depth(50, (3,), bands=False), 0)
    found = {each.name: each for each in finish(sweep(fits, 0, "cpu"))}
    level, corrected = found["ir-discriminant"], found["ir-emsc"]
    assert level.figures["gap_100%"].value > 0.3 > 0.1 > abs(level.figures["gap_0%"].value)
    assert level.figure.value > 0.15 and level.figure.value > 4 * abs(corrected.figure.value)
    aligned, random = level.lines
    assert aligned.x == random.x == SHARES
    assert aligned.y[-1] > aligned.y[0] + 0.2 and not level.decides
