from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.diffusion.schedule import GRID, log_snr, signal, times


@pytest.mark.parametrize(
    ("steps", "expected"),
    [(1, (1.0,)), (2, (1.0, 0.5)), (4, (1.0, 0.75, 0.5, 0.25)), (8, tuple(i / 8 for i in range(8, 0, -1)))],
)
def test_even_step_counts(steps: int, expected: tuple[float, ...]) -> None:
    assert times(steps) == expected


@given(st.integers(1, GRID))
def test_every_time_was_trained_on(steps: int) -> None:
    visited = times(steps)
    assert len(visited) == steps
    assert visited[0] == 1
    assert all(before > after > 0 for before, after in pairwise(visited))
    assert all((time * GRID).is_integer() for time in visited)


@pytest.mark.parametrize("steps", [0, -1, 9])
def test_step_counts_beyond_the_grid_are_refused(steps: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        times(steps)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_more_time_means_less_signal(a: float, b: float) -> None:
    assert (signal(a) >= signal(b)) == (a <= b) or signal(a) == signal(b)
    assert (log_snr(a) >= log_snr(b)) == (a <= b) or log_snr(a) == log_snr(b)


def test_the_start_is_almost_pure_noise() -> None:
    assert signal(1) < 1e-3
    assert signal(0) == 1
