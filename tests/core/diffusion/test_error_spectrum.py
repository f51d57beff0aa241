import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.diffusion.error_spectrum import WIDTHS, ErrorSpectrum, correlation, gaussian_window, smooth_noise, windowed
from core.diffusion.schedule import GRID

WHITE = (1.0, 0.0, 0.0, 0.0, 0.0)
SHAPE = torch.Size((1, 1, 40, 44, 48))


@pytest.mark.parametrize("width", WIDTHS)
def test_noise_through_a_window_keeps_its_variance_and_correlates_as_told(width: float) -> None:
    drawn = smooth_noise(SHAPE, width, torch.Generator().manual_seed(0))
    assert drawn.shape == SHAPE
    # a wide window leaves few independent voxels
    loose = 0.02 + 0.05 * width
    assert drawn.var().item() == pytest.approx(1, abs=loose)
    lags = torch.arange(4)
    for axis in (2, 3, 4):
        length = SHAPE[axis] - 3
        found = [
            (drawn.narrow(axis, 0, length) * drawn.narrow(axis, lag, length)).mean().item() / drawn.var().item()
            for lag in range(4)
        ]
        assert found == pytest.approx(correlation(width, lags).tolist(), abs=loose)


@given(st.floats(0.3, 4), st.integers(0, 2))
def test_a_window_adds_up_its_weights(width: float, axis: int) -> None:
    window = gaussian_window(width)
    assert window.square().sum().item() == pytest.approx(1, abs=1e-5)
    shape = [3, 3, 3]
    shape[axis] = len(window) + 2
    summed = windowed(torch.ones(shape), window, axis)
    assert summed.shape[axis] == 3
    assert summed.numpy() == pytest.approx(window.sum().item(), rel=1e-5)


def test_draws_have_the_variance_of_the_network_and_the_shares_of_their_time() -> None:
    shares = [WHITE] * GRID
    shares[2] = (0.25, 0.25, 0.0, 0.0, 0.0)
    errors = ErrorSpectrum(tuple(shares))
    log_variance = torch.full(SHAPE, 0.7)
    log_variance[..., :20] = -40
    for eighth, factor in ((3, 0.5), (4, 1.0)):
        drawn = errors.drawn(log_variance, eighth / GRID, torch.Generator().manual_seed(1))
        assert drawn[..., 20:].var().item() == pytest.approx(factor * torch.tensor(0.7).exp().item(), rel=0.05)
        assert drawn[..., :20].abs().max() < 1e-6


def test_a_seed_gives_the_same_draw() -> None:
    errors = ErrorSpectrum(((0.5, 0.2, 0.2, 0.1, 0.0),) * GRID)
    one, two, other = (errors.drawn(torch.zeros(SHAPE), 0.5, torch.Generator().manual_seed(n)) for n in (3, 3, 4))
    assert torch.equal(one, two) and not torch.equal(one, other)


@pytest.mark.parametrize(
    "shares", [(WHITE,) * (GRID - 1), ((1.0,),) * GRID, ((-0.1, 0.0, 0.0, 0.0, 0.0),) * GRID], ids=str
)
def test_a_table_of_another_form_is_refused(shares: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(ValueError, match="shares"):
        ErrorSpectrum(shares)
