"""The estimates of runs on the shipped examples are near what these runs took."""

from __future__ import annotations

import pytest

from core import device
from core.assets import ASSETS
from core.tasks import find

EXAMPLES = ASSETS / "examples"
BRAIN, HEAD = EXAMPLES / "cavity-brain", EXAMPLES / "cavity-head"
INPUTS = {
    "inpaint": {"t1": BRAIN / "t1.nii.gz", "mask": BRAIN / "mask.nii.gz"},
    "head": {"t1": HEAD / "t1.nii.gz", "mask": HEAD / "mask.nii.gz"},
    "superres": {"image": EXAMPLES / "thick-t2" / "image.nii.gz"},
    "translate": {name: EXAMPLES / "contrasts" / f"{name}.nii.gz" for name in ("t1", "t2")},
}
# seconds of the processor of later jobs of one process on two cores with AVX-512 and bfloat16; two idle cores take
# three quarters of that where networks or filters share them
TOOK = [
    ("inpaint", "inpaint", {"preset": "fast"}, 3.4),
    ("inpaint", "inpaint", {"preset": "balanced"}, 5.0),
    ("inpaint", "inpaint", {"preset": "realistic"}, 6.5),
    ("inpaint", "inpaint", {"method": "biharmonic", "compare": False}, 0.9),
    ("inpaint", "inpaint", {"method": "mirror", "compare": False}, 2.1),
    ("inpaint", "inpaint", {"method": "average", "steps": 2, "samples": 1, "compare": False}, 2.3),
    ("head", "inpaint", {"preset": "fast"}, 4.3),
    ("superres", "superres", {"preset": "fast"}, 5.9),
    ("superres", "superres", {"preset": "balanced"}, 8.6),
    ("superres", "superres", {"preset": "adapted"}, 135.0),
    ("superres", "superres", {"method": "cubic", "compare": False}, 1.3),
    ("translate", "translate", {"preset": "fast", "target": "flair"}, 10.7),
    ("translate", "translate", {"preset": "balanced", "target": "flair"}, 13.5),
    ("translate", "translate", {"method": "regression", "target": "flair", "compare": False}, 4.3),
    ("translate", "translate", {"method": "trees", "target": "flair", "compare": False}, 6.3),
]


@pytest.mark.parametrize(("inputs", "name", "settings", "took"), TOOK)
def test_an_estimate_is_near_what_the_run_took(
    monkeypatch: pytest.MonkeyPatch, inputs: str, name: str, settings: dict[str, object], took: float
) -> None:
    monkeypatch.setattr(device, "speed", lambda where: device.STORED_SPEED[where])
    monkeypatch.setattr(device, "fast_bfloat16", lambda: True)
    task, given = find(name), dict(settings)
    params = task.parse({**task.preset_params(given.pop("preset", None)), **given})  # type: ignore[arg-type]
    expected = task.estimate(INPUTS[inputs], params, "cpu").seconds
    assert 0.45 * took < expected < 1.6 * took, expected
