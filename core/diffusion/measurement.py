"""What was measured of a residual, and how solvers without training keep to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# rounds of conjugate gradients, and the share of the misfit at which they end
ROUNDS, ENOUGH = 30, 1e-5


@dataclass(frozen=True, eq=False)
class Measurement:
    """y = K A x: a separable measurement A of a residual (1, 1, X, Y, Z), of which some voxels K count.

    matrices: A of each axis, (n, N), None where every voxel was measured. counts: (1, 1, x, y, z), 1 where a measured
    voxel counts, else 0. measured: (1, 1, x, y, z), y, 0 where it does not count. All float32.
    """

    matrices: tuple[Tensor | None, Tensor | None, Tensor | None]
    counts: Tensor
    measured: Tensor

    def misfit(self, residual: Tensor) -> Tensor:
        """Return K A x - y, (1, 1, x, y, z)."""
        return self.counts * _applied(self.matrices, residual) - self.measured

    def adjoint(self, misfit: Tensor) -> Tensor:
        """Return A^T K m, (1, 1, X, Y, Z)."""
        turned = [None if matrix is None else matrix.T for matrix in self.matrices]
        return _applied(turned, self.counts * misfit)

    def project(self, residual: Tensor) -> Tensor:
        """Return the residual nearest to ``residual`` that was measured as y (Wang et al. 2023, DDNM, eq. 8)."""
        return residual - self._explained(self.misfit(residual))

    def free(self, residual: Tensor) -> Tensor:
        """Return the part of ``residual`` that was not measured."""
        return residual - self._explained(self.counts * _applied(self.matrices, residual))

    def _explained(self, misfit: Tensor) -> Tensor:
        """Return the smallest residual that is measured as ``misfit``: A^T K u with K A A^T K u = ``misfit``, by
        conjugate gradients (Hestenes & Stiefel 1952), for with voxels left out A+ is no longer separable."""
        solution = torch.zeros_like(misfit)
        left = direction = misfit
        energy = first = float((left * left).sum())
        for _ in range(ROUNDS):
            if energy <= ENOUGH**2 * first or energy == 0:
                break
            applied = self.counts * _applied(self.matrices, self.adjoint(direction))
            length = energy / float((direction * applied).sum())
            solution = solution + length * direction
            left = left - length * applied
            before, energy = energy, float((left * left).sum())
            direction = left + energy / before * direction
        return self.adjoint(solution)


def _applied(matrices: Sequence[Tensor | None], volume: Tensor) -> Tensor:
    for axis, matrix in enumerate(matrices):
        if matrix is not None:
            volume = torch.movedim(torch.tensordot(matrix, volume, dims=([1], [2 + axis])), 0, 2 + axis)
    return volume
