from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from core.acquisition import Acquisition, thick, whole
from core.diffusion.measurement import Measurement
from core.diffusion.sampler import SamplerOptions
from core.diffusion.schedule import log_snr, signal
from core.events import finish
from core.imaging.formulation import Setting
from core.imaging.inpaint import network as inpainting
from core.imaging.options import Options, PublishedOptions, Solver
from core.imaging.problem import Estimate, Problem, ThickScan
from core.imaging.published import posterior
from core.imaging.published.planes import Planes
from core.imaging.published.posterior import CHAINED, RING
from core.imaging.superres import network as thick_scans
from core.nets.plane_net import REACH, PlaneNet
from tests.core.imaging.fakes import Slices, draw_one

Float = NDArray[np.float32]
RNG = np.random.default_rng(0)
IMAGE = (1 + 0.3 * RNG.normal(size=(16, 16, 16))).astype(np.float32)
MASK = np.zeros(IMAGE.shape, bool)
MASK[6:9, 7:10, 6:9] = True
PROBLEM = Problem(np.where(MASK, np.float32(0), IMAGE), MASK, np.ones(IMAGE.shape, bool), (1.0, 1.0, 1.0))
AXES = Acquisition((whole(16), whole(12), thick(12, 3)))
SPOILT = np.zeros(AXES.coarse, bool)
SPOILT[5:8, 3:6, 1] = True
SCAN = ThickScan(AXES.measure(IMAGE[:, :12, :12]), AXES)
TASKS = ("inpaint", "superres")


def network(context: int, conditioning: int) -> PlaneNet:
    torch.manual_seed(0)
    net = PlaneNet(context, 2, (8, 8), (1, 1), conditioning, "channel", stream=True)
    for value in net.parameters():
        torch.nn.init.normal_(value, std=0.1)
    return net.eval().requires_grad_(False)


class Caught:
    """What a solver gave: the residual (1, 1, X, Y, Z) of its networks' grid, and how that was measured."""

    residual: torch.Tensor
    measured: Measurement
    estimate: Estimate


@pytest.fixture
def solve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Caught]:
    """Run the solver of a task: ``solve(task, options, problem, network)``."""

    def run(task: str, options: Options, problem: object = None, net: nn.Module | None = None) -> Caught:
        caught = Caught()
        used = net or (network(7, 0) if task == "inpaint" else network(11, 9))
        monkeypatch.setattr(posterior, "load", lambda name, device: used)
        monkeypatch.setattr(posterior, "calibration", lambda name: 1.0)
        plain = Planes.__init__

        def watched(planes: Planes, seen: nn.Module, setting: Setting, options: Options) -> None:
            def finished(residual: Float, deviation: Float) -> Estimate:
                view = setting.views(0)
                wide = np.zeros(view.region.shape, np.float32)
                wide[tuple(slice(side) for side in residual.shape)] = residual
                caught.residual = torch.from_numpy(wide)[None, None]
                return setting.finished(residual, deviation)

            assert setting.measured is not None
            caught.measured = setting.measured("cpu")
            plain(planes, seen, replace(setting, finished=finished), options)

        monkeypatch.setattr(Planes, "__init__", watched)
        given = problem or (PROBLEM if task == "inpaint" else SCAN)
        caught.estimate = finish(getattr(posterior, task)(given, options))
        monkeypatch.setattr(Planes, "__init__", plain)
        return caught

    return run


def options(solver: Solver, **changed: object) -> Options:
    return replace(Options(steps=4, published=PublishedOptions(solver=solver)), **changed)  # type: ignore[arg-type]


def off(caught: Caught) -> float:
    return float(caught.measured.misfit(caught.residual).norm())


def unguided(task: str) -> float:
    """Return how far a sample of the three planes that nothing holds to the measurement is off."""
    net = network(7, 0) if task == "inpaint" else network(11, 9)
    free = replace(options("dps"), consistent=False)
    setting = (
        inpainting.setting(PROBLEM, net.multiple, RING)
        if task == "inpaint"
        else thick_scans.setting(SCAN, free, net.multiple)
    )
    assert setting.measured is not None

    made = draw_one(
        lambda planes, view, generator: planes.sample(
            view, planes.mean(view, planes.order), generator, SamplerOptions()
        ),
        Planes(net, setting, free),
    )
    return float(setting.measured("cpu").misfit(made.residual).norm())


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("solver", ["projection", "mcg"])
def test_what_is_projected_is_measured_as_the_scan(solve: Callable[..., Caught], task: str, solver: Solver) -> None:
    caught = solve(task, options(solver))
    assert caught.measured.counts.sum() > 100
    assert off(caught) < 1e-3 < 0.1 * unguided(task)
    free = caught.measured.free(caught.residual)
    assert float(free.norm()) > 0.1


def test_a_sharpened_scan_agrees_with_its_slices(solve: Callable[..., Caught]) -> None:
    made = solve("superres", options("projection")).estimate
    assert np.abs(AXES.measure(made.values) - SCAN.image).max() < 1e-3


@pytest.mark.parametrize("task", TASKS)
def test_gradients_bring_the_sample_nearer_to_the_measurement(solve: Callable[..., Caught], task: str) -> None:
    assert off(solve(task, options("dps"))) < 0.9 * unguided(task)


@pytest.mark.parametrize("task", TASKS)
def test_gradients_and_projection_together_are_neither_alone(solve: Callable[..., Caught], task: str) -> None:
    both, gradient, projection = (solve(task, options(each)).residual for each in ("mcg", "dps", "projection"))
    assert not torch.allclose(both, gradient, atol=1e-3)
    assert not torch.allclose(both, projection, atol=1e-3)


def test_gradients_are_those_of_the_misfit(solve: Callable[..., Caught]) -> None:
    net = network(7, 0)
    setting = inpainting.setting(PROBLEM, net.multiple, RING)
    assert setting.measured is not None
    measured, view = setting.measured("cpu"), setting.views(0)
    planes = Planes(net, setting, options("dps"))
    region = torch.from_numpy(view.region)[None, None]
    noisy = torch.randn(region.shape, generator=torch.Generator().manual_seed(0)) * region
    level = torch.tensor([-1.0])

    def predicted(state: torch.Tensor) -> torch.Tensor:
        return finish(planes.mean(view, planes.order)(state, level))[0] * region

    with torch.inference_mode():
        clean = predicted(noisy)
        shift = posterior._Gradient(planes, view, measured)(noisy, level, clean)
    state = noisy.clone().requires_grad_(True)
    loss = measured.misfit(predicted(state)).square().sum()
    (slope,) = torch.autograd.grad(loss, state)
    alike = torch.nn.functional.cosine_similarity(shift.flatten(), slope.flatten(), dim=0)
    assert float(alike) > 0.999
    noise = math.sqrt(1 - float(level.sigmoid()))
    assert float(shift[region > 0].square().mean().sqrt()) <= 0.5 * noise + 1e-5
    assert measured.misfit(predicted(noisy - 0.1 * shift)).square().sum() < loss


def test_calls_with_gradients_count_twice(solve: Callable[..., Caught]) -> None:
    plain, both = (solve("inpaint", options(each)).estimate.calls for each in ("projection", "mcg"))
    # nothing is left to be moved after the last step
    assert both == plain * (2 * 4 - 1) // 4
    # the mask is three voxels wide, and the ring is widened along all axes alike
    assert plain == 4 * 3 * (3 + 2 * RING)


def test_the_ring_around_a_hole_is_asked_for_and_kept_to(solve: Callable[..., Caught]) -> None:
    setting = inpainting.setting(PROBLEM, 8, RING)
    to_make = setting.views(0).region > 0
    assert to_make[MASK].all() and to_make.sum() > MASK.sum()
    ring = to_make & ~MASK
    assert np.array_equal(np.asarray(setting.views(0).context)[1] > 0, to_make)
    kept = solve("inpaint", options("projection"), PROBLEM)
    assert torch.equal(kept.measured.counts[0, 0] > 0, torch.from_numpy(ring))
    assert kept.residual[0, 0][torch.from_numpy(ring)].abs().max() < 1e-5
    assert np.array_equal(kept.estimate.values != 0, MASK)


def test_spoilt_voxels_are_neither_seen_nor_kept_to(solve: Callable[..., Caught]) -> None:
    good = replace(SCAN, spoilt=SPOILT)
    bad = replace(good, image=np.where(SPOILT, np.float32(9), SCAN.image))
    one, two = (solve("superres", options("projection"), scan) for scan in (good, bad))
    assert np.allclose(one.estimate.values, two.estimate.values, atol=1e-4)
    again = AXES.measure(two.estimate.values)
    assert np.abs(again - SCAN.image)[~SPOILT].max() < 1e-3
    assert np.abs(again - SCAN.image)[SPOILT].max() > 0.05
    assert (two.measured.counts[0, 0].numpy() > 0).tolist() == (~SPOILT).tolist()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("solver", ["projection", "dps", "mcg"])
def test_the_seed_is_the_sample(solve: Callable[..., Caught], task: str, solver: Solver) -> None:
    first, again, other = (solve(task, options(solver, steps=2, seed=seed)).residual for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-3)


@pytest.mark.parametrize("chain", [True, False])
def test_a_chain_goes_on_from_the_last_sample(solve: Callable[..., Caught], chain: bool) -> None:
    slices = Slices()
    options = Options(steps=8, samples=2, published=PublishedOptions(chain=chain))
    caught = solve("inpaint", options, net=slices)
    steps = len(slices.calls) // 3
    assert steps == (8 + 3 if chain else 16)
    first = slices.calls[3 * 8]
    assert first.level == pytest.approx(log_snr(CHAINED if chain else 1.0), abs=1e-3)
    # what was measured of the last sample is not noised; a sample from noise alone has nothing of it
    around = torch.from_numpy(np.flatnonzero(region_box(caught)))
    ring = caught.measured.counts.index_select(4, around) > 0
    known = caught.measured.measured.index_select(4, around)[ring]
    kept = math.sqrt(signal(CHAINED)) * known if chain else 0 * known
    assert torch.allclose(first.noisy[ring], kept, atol=1e-3)


def region_box(caught: Caught) -> NDArray[np.bool_]:
    """Return which axial slices are seen with those of the mask and its ring."""
    touched = (caught.measured.counts[0, 0] > 0).any(dim=0).any(dim=0).numpy()
    return np.asarray(ndimage.binary_dilation(touched, iterations=REACH))
