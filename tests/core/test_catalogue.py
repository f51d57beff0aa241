from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import weights
from core.catalogue import catalogue
from core.tasks import TASKS
from tests.contract.phantom import write_tiny_network


def test_weights_are_listed_with_their_hash_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", str(tmp_path))
    write_tiny_network(tmp_path)
    entry = weights.entries()["inpaint-volume"]
    listed, *missing = json.loads(json.dumps(catalogue()))[0]["weights"]
    assert listed["installed"] is True
    assert missing == [{"name": name, "installed": False} for name in TASKS[0].weights[1:]]
    assert (listed["sha256"], listed["bytes"]) == (entry.sha256, (tmp_path / entry.file).stat().st_size)
    (tmp_path / entry.file).unlink()
    assert catalogue()[0]["weights"][0]["installed"] is False


def test_defaults_are_a_preset_in_the_middle() -> None:
    # of the failure lab the ready example with several seeds; of studies, which trade no quality for time, the quickest
    for task in (one for one in TASKS if one.presets):
        (usual,) = (preset for preset in task.presets if preset.name in ("balanced", "density", "demo"))
        assert task.parse(usual.params) == task.parse({})
