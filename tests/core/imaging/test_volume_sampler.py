import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.acquisition import Acquisition, Axis, thick, whole
from core.contrasts import USUAL
from core.events import finish
from core.imaging.options import Options
from core.imaging.problem import Sources, ThickScan
from core.imaging.superres import network as superres
from core.imaging.translate import network as translate
from core.imaging.translate import regression
from core.imaging.volume_sampler import View, direct, draw
from core.nets.piecewise_linear import FEATURES


class Echo(nn.Module):
    """Predicts a channel of its context, with a variance of one."""

    multiple = 8

    def __init__(self, channel: int, gain: float = 1.0) -> None:
        super().__init__()
        self.channel, self.gain = channel, gain

    def forward(
        self, noisy: Tensor, context: Tensor, log_snr: Tensor, conditioning: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        assert context.shape[2:] == noisy.shape[2:] and not any(side % 8 for side in noisy.shape[2:])
        return self.gain * context[:, self.channel : self.channel + 1], torch.zeros_like(noisy)


IMAGE = np.random.default_rng(0).normal(size=(12, 10, 16)).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 2, 4])
def test_mirrored_samples_are_put_back_and_padding_is_cut_off(samples: int) -> None:
    mirrors: list[tuple[int, ...]] = [(), (0,), (1,), (0, 2)]

    def views(index: int) -> View:
        seen = np.pad(np.flip(IMAGE, mirrors[index]), [(0, 4), (0, 6), (0, 0)])
        return View(seen[None], np.ones_like(seen), (12, 10, 16), mirrored=mirrors[index])

    residual, deviation = finish(draw(direct(Echo(0), Options(samples=samples)), views, Options(samples=samples)))
    assert np.allclose(residual, IMAGE, atol=1e-6)
    assert deviation == pytest.approx(np.ones(IMAGE.shape), abs=1e-6)


@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize(
    ("axis", "apart"),
    # slices that share voxels are measured nearly alike where the range of the scan is kept
    [(thick(16, 4), 1e-4), (Axis(16, 6, 2.5, 2.0, 1.0, "gaussian"), 1e-3)],
)
def test_a_sharpened_scan_agrees_with_its_slices_whatever_the_network_says(
    monkeypatch: pytest.MonkeyPatch, samples: int, axis: Axis, apart: float
) -> None:
    monkeypatch.setattr(superres, "load", lambda name, device: Echo(1, 3.0))
    monkeypatch.setattr(superres, "calibration", lambda name: 2.0)
    acquisition = Acquisition((whole(12), whole(10), axis))
    scan = ThickScan(acquisition.measure(IMAGE + 4), acquisition)
    made = finish(superres.volume(scan, Options(samples=samples)))
    assert made.values.shape == IMAGE.shape and made.calls == samples
    assert np.abs(acquisition.measure(made.values) - scan.image).max() < apart
    assert np.abs(made.values - acquisition.interpolate(scan.image)).max() > 0.05
    free = finish(superres.volume(scan, Options(samples=samples, consistent=False)))
    assert np.abs(acquisition.measure(free.values) - scan.image).max() > 10 * apart


def test_a_mirrored_scan_gives_the_mirrored_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(superres, "load", lambda name, device: Echo(3, 1.0))
    monkeypatch.setattr(superres, "calibration", lambda name: 1.0)
    axis = Axis(16, 6, 2.5, 2.0, 1.0)
    mirrored = Axis(16, 6, 2.5, 2.0, 15 - (1.0 + 5 * 2.5))
    there, back = (Acquisition((whole(12), whole(10), each)) for each in (axis, mirrored))
    values = finish(superres.volume(ThickScan(there.measure(IMAGE), there), Options())).values
    image = np.ascontiguousarray(IMAGE[:, :, ::-1])
    other = finish(superres.volume(ThickScan(back.measure(image), back), Options())).values
    assert np.allclose(other[:, :, ::-1], values, atol=1e-4)


@pytest.mark.parametrize("samples", [1, 2])
def test_a_silent_network_leaves_the_regression(monkeypatch: pytest.MonkeyPatch, samples: int) -> None:
    table = np.zeros((16, 4, FEATURES), np.float32)
    table[1, 2, 1] = -0.8
    monkeypatch.setattr(regression, "load_table", lambda device: table)
    monkeypatch.setattr(translate, "load", lambda name, device: Echo(0, 0.0))
    monkeypatch.setattr(translate, "calibration", lambda name, made: 1.0)
    brain = np.pad(np.ones((8, 6, 10), bool), ((2, 2), (2, 2), (3, 3)))
    sources = Sources({"t1": (IMAGE + 5) * brain}, brain, "t2")
    plain = finish(regression.regression(sources, Options())).values
    ours = finish(translate.volume(sources, Options(samples=samples))).values
    assert np.allclose(ours, plain, atol=1e-5)
    assert np.abs(ours[~brain]).max() == 0
    assert np.corrcoef(ours[brain], sources.images["t1"][brain])[0, 1] < -0.99
    assert abs(np.median(ours[brain]) - USUAL["t2"][0]) < 0.02
