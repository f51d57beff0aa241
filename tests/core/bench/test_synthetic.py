import json

import numpy as np
import pytest

from core import weights
from core.bench.recorded import synthetic, witnesses
from core.bench.synthetic import case
from core.imaging.methods import METHODS, Method
from core.tasks import TASKS

NETWORKS = [method for task in TASKS for method in witnesses(task.name)]


def test_every_network_has_a_witness() -> None:
    assert {method.weights for method in NETWORKS} == {method.weights for method in METHODS if method.weights}


@pytest.mark.parametrize("method", NETWORKS, ids=lambda method: method.weights)
def test_shipped_weights_reach_the_figures_beside_them(method: Method) -> None:
    facts = json.loads((weights.folder() / f"{method.weights}.json").read_text())
    assert synthetic(method)["psnr"] == pytest.approx(facts["synthetic"]["psnr"], abs=1e-2)


@pytest.mark.parametrize("task", ["inpaint", "superres", "translate"])
def test_a_synthetic_case_is_the_same_each_time_and_hides_its_truth(task: str) -> None:
    first, again = case(task), case(task)
    assert np.array_equal(first.truth, again.truth)
    assert first.where.any() and float(first.truth[first.where].std()) > 0.05
