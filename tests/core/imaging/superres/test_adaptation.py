from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from core.acquisition import Acquisition, thick, whole
from core.events import Progress, finish
from core.files.nifti import Stored, write_stored
from core.imaging.options import Options
from core.imaging.problem import Estimate, ThickScan
from core.imaging.superres import adaptation
from core.imaging.superres.adaptation import Adapted, adapted
from core.imaging.superres.network import volume
from core.imaging.superres.own_patches import OwnPatches, Patch
from core.imaging.superres.prepared import CENTRE, RESIDUAL, SPREAD
from core.job import run
from core.nets import build
from core.tasks import find
from core.weights import load
from tests.contract.phantom import write_tiny_networks

Float = NDArray[np.float32]
SHAPE = (64, 24, 32)
ACROSS = Acquisition((whole(64), whole(24), thick(32, 4)))


def anatomy(shape: tuple[int, int, int] = SHAPE) -> Float:
    rng = np.random.default_rng(3)
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), 1.2)
    return np.asarray((0.5 + 0.12 * noise / noise.std()).clip(0.1, 0.9), np.float32)


SCAN = ThickScan(ACROSS.measure(anatomy()), ACROSS)


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    folder = tmp_path / "weights"
    folder.mkdir()
    write_tiny_networks(folder, ["superres-volume"])
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", str(folder))
    return load("superres-volume")


def own(image: Float, acquisition: Acquisition = ACROSS) -> OwnPatches:
    return OwnPatches(acquisition.interpolate(acquisition.measure(image)), acquisition, 2, 4)


def truth(patch: Patch) -> Float:
    return np.asarray(patch.context[0] * SPREAD + CENTRE + RESIDUAL * patch.target, np.float32)


def test_what_is_known_of_a_patch_was_measured_and_its_slices_lie_along_a_sharp_axis() -> None:
    measured = np.sort(SCAN.image.ravel())
    patches = own(anatomy())
    for index in range(4):
        patch = patches.training(index)
        values = truth(patch)
        for axis, matrix in enumerate(patch.known):
            if matrix is not None:
                assert axis != 2
                values = np.moveaxis(np.tensordot(matrix, values, axes=(1, axis)), 0, axis)
        place = np.searchsorted(measured, values.ravel()).clip(1, len(measured) - 1)
        apart = np.minimum(abs(measured[place] - values.ravel()), abs(measured[place - 1] - values.ravel()))
        assert values.size >= 5 * 24 * 24 and apart.max() < 1e-5
        # the network sees it as it will see the scan: thick along the third axis alone
        np.testing.assert_array_equal(patch.parts[0], np.eye(24, dtype=np.float32))
        assert np.linalg.matrix_rank(patch.parts[2]) in (6, 7)
        np.testing.assert_allclose(patch.conditioning, [0, 0, 0, 0, 0, 0, 2, 1, 0])


def test_nothing_of_the_part_held_back_is_learnt_from() -> None:
    along = np.broadcast_to(np.linspace(0.1, 0.9, 64, dtype=np.float32)[:, None, None], SHAPE)
    patches = own(np.ascontiguousarray(along))
    seen = [truth(patch) for patch in patches.held_back()]
    low, high = min(float(one.min()) for one in seen), max(float(one.max()) for one in seen)
    for index in range(30):
        learnt = truth(patches.training(index))
        assert learnt.max() < low or learnt.min() > high


def test_a_scan_in_which_nothing_can_be_held_back_is_not_learnt_from(network: nn.Module) -> None:
    assert own(anatomy()).enough
    small = Acquisition((whole(40), whole(24), thick(28, 4)))
    assert not own(anatomy((40, 24, 28)), small).enough
    scan = ThickScan(small.measure(anatomy((40, 24, 28))), small)
    plain, made = finish(volume(scan, Options())), finish(volume(scan, Options(adapt=2)))
    np.testing.assert_array_equal(made.values, plain.values)
    assert "too small" in made.remark and made.calls == 1


def learnt(network: nn.Module, steps: int = 18) -> Adapted:
    return finish(adapted(network, own(anatomy()), Options(adapt=steps)))


def test_what_helps_is_learnt_and_the_shipped_network_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    # a network that is mostly wrong learns in few steps to be so less
    monkeypatch.setattr(adaptation, "RATE", 1e-2)
    torch.manual_seed(0)
    config = {"widths": [8, 8], "blocks": [1, 1], "norm": "channel", "skip": True, "context": 11, "conditioning": 9}
    network = build("volume_net", config).eval().requires_grad_(False)
    network.get_parameter("leave.2.weight").normal_(std=0.05)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first, again = learnt(network), learnt(network)
    assert first.left < 0.97
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in before.items())
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name])
    assert not any(
        torch.equal(before[name], value) for name, value in first.network.named_parameters() if "conv" in name
    )


def test_what_does_not_help_is_thrown_away(network: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptation, "RATE", 30.0)
    worse = learnt(network, 6)
    assert worse.network is network and (worse.left, worse.factor) == (1.0, 1.0)


def test_progress_rises_and_the_result_agrees_with_the_slices(network: nn.Module) -> None:
    events: list[Progress] = []
    steps = volume(SCAN, Options(adapt=12, samples=2))
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            made: Estimate = end.value
            break
    shares = [event.fraction for event in events]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1)
    assert sum("its own slices" in event.text for event in events) == 12
    np.testing.assert_allclose(SCAN.acquisition.measure(made.values), SCAN.image, atol=1e-5)
    assert made.calls == 3 and "12 steps" in made.remark


def test_a_job_notes_what_was_learnt_and_takes_longer(network: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "image.nii.gz"
    write_stored(path, Stored(np.round(1000 * SCAN.image).astype(np.int16), np.diag([1.0, 1.0, 4.0, 1.0])))
    given: dict[str, Any] = {"compare": False, "samples": 1}
    finished = run("superres", {"image": path}, tmp_path / "out", device="cpu", adapt=12, **given)
    assert any("12 steps" in text for text in finished.result.texts("info"))
    task = find("superres")
    short, long = (task.estimate({"image": path}, task.parse({"adapt": n, **given}), "cpu") for n in (0, 300))
    assert long.seconds > short.seconds and long.memory > short.memory
