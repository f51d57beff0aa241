"""Models judged from Python: a function, a module, and what cannot be judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import core.failure
from core.errors import UserError
from core.failure.diagnostics.battery import Depth
from core.failure.models.given_input import Float, GivenInput
from core.failure.result_checks import require_consistent
from core.failure.results import Results
from tests.core.failure.made_up_patches import patches
from tests.core.failure.models.model_files import linear

QUICK = Depth(50, (1, 3), bands=False)


def judged(model: object, **given: object) -> Results:
    found = core.failure.examine(model, patches(150, level=0.2, form=1.0), GivenInput(**given), depth=QUICK)  # type: ignore[arg-type]
    require_consistent(found)
    return found


def test_a_function_of_the_level_is_red_and_one_of_the_form_is_not() -> None:
    """The level of a patch is its mean; the form lies in its first band, and leaves the mean alone."""

    given = patches(150, level=0.2, form=1.0)
    centres = [given.ir[given.labels == kind].mean() for kind in range(3)]

    def level(values: Float) -> Float:
        return np.asarray(-60 * np.abs(values.mean(axis=(1, 2, 3))[:, None] - np.array(centres)[None]), np.float32)

    found = judged(level)
    (model,) = found.models
    assert found.verdicts["ir"].level == "red" and model.title == "IR: Your model"
    probed = {each.name for each in model.diagnostics}
    assert {"one_number", "swap", "noise_floor", "shuffle", "gain", "shift", "calibration"} <= probed
    assert len(model.corruptions) > 5 and model.confusion["id"]
    assert any("trained elsewhere" in notice for notice in found.data.notices)
    chance = judged(lambda values: np.zeros((len(values), 3)))
    follows = {each.name: each.figure.value for each in chance.models[0].diagnostics}
    assert not follows["swap"] > 0 and chance.verdicts["ir"].level != "red"


def test_a_module_sees_pictures() -> None:
    found = judged(linear(np.eye(3, dtype=np.float32)), modality="rgb")
    assert (
        "rgb" in found.verdicts
        and "ir" not in found.verdicts
        and [model.name for model in found.models] == ["rgb-given"]
    )


def test_results_are_no_data(tmp_path: Path) -> None:
    from tests.core.failure.data.test_earlier_run import write

    with pytest.raises(UserError) as caught:
        core.failure.examine(lambda values: values, write(tmp_path / "out"))
    assert caught.value.code == "model_data"
