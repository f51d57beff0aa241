from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.diffusion.schedule import GRID, log_snr, signal, times, times_from


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


@given(st.floats(0.0, 1.0), st.integers(1, GRID))
def test_a_later_start_takes_the_steps_that_are_left(begin: float, steps: int) -> None:
    visited = times_from(begin, steps)
    nearest = max(1, round(GRID * begin)) / GRID
    assert visited == tuple(time for time in times(steps) if time <= nearest) or visited == (nearest,)
    assert max(visited) <= nearest
    assert abs(nearest - begin) <= max(0.5 / GRID, 1 / GRID - begin)
    assert times_from(1.0, steps) == times(steps)


@pytest.mark.parametrize(
    ("begin", "steps", "visited"),
    [(0.5, 8, (0.5, 0.375, 0.25, 0.125)), (0.5, 2, (0.5,)), (0.5, 1, (0.5,)), (0.3, 4, (0.25,)), (0.0, 8, (0.125,))],
)
def test_starts_on_the_way(begin: float, steps: int, visited: tuple[float, ...]) -> None:
    assert times_from(begin, steps) == visited
