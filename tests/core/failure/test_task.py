from __future__ import annotations

import pytest

from core.failure import task as failure
from core.failure.models.networks import NETWORKS
from core.failure.models.remedies import REMEDIES
from core.failure.task import TASK
from core.spectra.simulated_tissue import PRESETS


def test_the_declaration_offers_what_there_is() -> None:
    assert set(failure.TISSUES) == PRESETS.keys()
    assert set(failure.REMEDIES) == REMEDIES.keys()
    assert set(failure.NETWORKS) == NETWORKS.keys()


def test_each_tissue_is_a_preset_that_changes_nothing_else() -> None:
    presets = {preset.name: preset.params for preset in TASK.presets}
    for name in failure.TISSUES:
        assert presets[name] == {"tissue": name}
    assert TASK.parse(presets["density"]) == TASK.parse({**presets["quick"], "seeds": 3})


def test_a_larger_preset_costs_more() -> None:
    seconds = [
        TASK.estimate({}, TASK.parse(preset.params), "cpu").seconds
        for name in ("quick", "standard", "full")
        for preset in TASK.presets
        if preset.name == name
    ]
    # Quick was measured at 58 s of one core
    assert seconds == sorted(seconds) and seconds[0] == pytest.approx(58, rel=0.1)
    everything = TASK.parse({"remedies": failure.REMEDIES, "networks": failure.NETWORKS, "control": True})
    few = TASK.estimate({}, TASK.parse({"patches": 80}), "cpu")
    assert TASK.estimate({}, everything, "cpu").calls == 3 * 2 * (len(failure.NETWORKS) + len(failure.REMEDIES) - 1)
    assert few.memory < TASK.estimate({}, TASK.parse({"patches": 4000}), "cpu").memory
