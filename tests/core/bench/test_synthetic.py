import json

import numpy as np
import pytest

from core import weights
from core.bench.recorded import synthetic, witnesses
from core.bench.synthetic import case
from core.declaration import Method
from core.tasks import TASKS

NETWORKS = [pytest.param(task.name, method, id=method.weights) for task in TASKS for method in witnesses(task.name)]


def test_every_network_has_a_witness() -> None:
    used = {method.weights for task in TASKS for method in task.methods if method.weights}
    assert {case.id for case in NETWORKS} == used


@pytest.mark.parametrize(("task", "method"), NETWORKS)
def test_shipped_weights_reach_the_figures_beside_them(task: str, method: Method) -> None:
    facts = json.loads((weights.folder() / f"{method.weights}.json").read_text())
    assert synthetic(task, method)["psnr"] == pytest.approx(facts["synthetic"]["psnr"], abs=1e-2)


@pytest.mark.parametrize("task", ["inpaint", "superres", "translate"])
def test_a_synthetic_case_is_the_same_each_time_and_hides_its_truth(task: str) -> None:
    first, again = case(task), case(task)
    assert np.array_equal(first.truth, again.truth)
    assert first.where.any() and float(first.truth[first.where].std()) > 0.05
