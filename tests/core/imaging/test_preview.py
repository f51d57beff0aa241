from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from core.events import Progress
from core.imaging import preview
from core.imaging.inpaint import network as inpaint
from core.imaging.options import Options
from core.imaging.preview import Float, Previews
from core.imaging.problem import Problem
from core.imaging.volume_sampler import View, direct, draw


class Clock:
    """A clock that moves on call."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(preview, "time", made)
    return made


@pytest.mark.parametrize(("cost", "pause"), [(0.001, 1.0), (0.05, 5.0)])
def test_pictures_are_a_second_apart_and_take_a_hundredth_of_the_time(clock: Clock, cost: float, pause: float) -> None:
    def picture(residual: Float) -> bytes:
        clock.now += cost
        return b"png"

    previews = Previews(picture)
    made = []
    for _ in range(2000):
        clock.now += 0.01
        if previews.show(lambda: np.zeros((1, 1, 1), np.float32)):
            made.append(clock.now)
    assert made[0] == pytest.approx(101, abs=0.1)
    gaps = np.diff(made)
    assert len(gaps) >= 3
    assert gaps == pytest.approx(np.full(gaps.shape, pause + cost), abs=0.02)


def test_nothing_is_computed_for_a_picture_that_is_not_due() -> None:
    def residual() -> Float:
        raise AssertionError

    assert Previews(lambda values: b"png").show(residual) == b""
    assert Previews(None).show(residual) == b""


class Counter(nn.Module):
    """Its n-th call answers n everywhere."""

    multiple = 1
    calls = 0

    def forward(self, noisy: Tensor, *inputs: object) -> tuple[Tensor, Tensor]:
        self.calls += 1
        return torch.full_like(noisy, self.calls), torch.zeros_like(noisy)


def seen(options: Options, picture: Callable[[Float], bytes] | None) -> list[bytes]:
    """Draw a volume of 2 x 3 x 4 voxels and return the previews that came on the way."""
    view = View(np.zeros((1, 2, 3, 4), np.float32), np.ones((2, 3, 4), np.float32), (2, 3, 4))
    return [event.preview for event in draw(direct(Counter(), options), lambda index: view, options, picture=picture)]


def drawn_as(residual: Float) -> bytes:
    assert residual.shape == (2, 3, 4)
    return str(float(residual.mean())).encode()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # two samples end at 2 and 4: their mean is shown while the second is under way
        (Options(samples=2, steps=2), [b"1.0", b"2.0", b"2.5", b"3.0"]),
        (Options("realistic", samples=2, steps=2), [b"1.0", b"2.0", b"2.0", b"2.0"]),
        (Options(samples=3), [b"1.0", b"1.5", b"2.0"]),
        (Options(), [b""]),
    ],
)
def test_what_is_shown_is_what_the_result_would_be_now(
    monkeypatch: pytest.MonkeyPatch, options: Options, expected: list[bytes]
) -> None:
    monkeypatch.setattr(preview, "SECONDS", 0.0)
    monkeypatch.setattr(preview, "SHARE", 1e9)
    assert seen(options, drawn_as) == expected
    assert set(seen(options, None)) == {b""}


def test_an_unfinished_fill_is_shown_as_a_small_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inpaint, "load", lambda name, device: Counter())
    monkeypatch.setattr(inpaint, "calibration", lambda name: 1.0)
    monkeypatch.setattr(preview, "SECONDS", 0.0)
    image = np.random.default_rng(0).normal(500, 20, (40, 44, 36)).astype(np.float32)
    mask = np.zeros(image.shape, bool)
    mask[15:25, 15:25, 12:20] = True
    problem = Problem(np.where(mask, 0, image), mask, np.ones_like(mask), (1.0, 1.0, 1.0))
    events: list[Progress] = list(inpaint.volume(problem, Options(samples=3)))
    shown = [event.preview for event in events if event.preview]
    assert shown
    with Image.open(BytesIO(shown[0])) as made:
        assert made.format == "PNG"
        assert 300 < made.width < 700
        assert max(made.getextrema()) == 255
    assert len(shown[0]) < 150_000
