"""Noise levels of a variance-preserving diffusion: x_t = sqrt(abar) x_0 + sqrt(1 - abar) noise."""

from __future__ import annotations

import math

# networks are trained on these eighths of the time axis only, and sampled on nothing else
GRID = 8
FLOOR = 1e-4


def times(steps: int) -> tuple[float, ...]:
    """Return the times visited by ``steps`` network calls, from 1 (noise) down, all on eighths.

    1, 2, 4 and 8 steps are evenly spaced; other counts take the next eighth up. ``ValueError`` for other counts.

    >>> times(4)
    (1.0, 0.75, 0.5, 0.25)
    """
    if not 1 <= steps <= GRID:
        raise ValueError(f"steps must be 1 to {GRID}, not {steps}")
    return tuple(math.ceil(GRID * index / steps) / GRID for index in range(steps, 0, -1))


def times_from(begin: float, steps: int) -> tuple[float, ...]:
    """Return the times of ``times`` that are no later than ``begin``, at least the one nearest to it on the grid."""
    nearest = max(1, round(GRID * begin)) / GRID
    return tuple(time for time in times(steps) if time <= nearest) or (nearest,)


def signal(time: float) -> float:
    """Return abar, the share of signal variance left at ``time`` in [0, 1] (cosine, Nichol & Dhariwal 2021, eq. 17)."""
    return min(1.0, max(FLOOR, math.cos(0.5 * math.pi * time) ** 2))


def log_snr(time: float) -> float:
    """Return ln(abar / (1 - abar)) at ``time`` in (0, 1]: what networks get in place of a step index."""
    abar = signal(time)
    return math.log(abar / (1 - abar))
