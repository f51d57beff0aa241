from __future__ import annotations

import numpy as np
import pytest

from core.errors import UserError
from core.spectra.patches import PatchSet


def some(count: int = 6) -> PatchSet:
    rng = np.random.default_rng(0)
    return PatchSet(
        rng.random((count, 5, 4, 4), dtype=np.float32),
        np.linspace(900, 1800, 5),
        np.arange(count) % 2,
        ("a", "b"),
        groups=np.arange(count),
    )


def test_taking_keeps_rows_together() -> None:
    every = some()
    part = every.take(np.array([4, 1]))
    assert len(part) == 2
    np.testing.assert_array_equal(part.ir, every.ir[[4, 1]])
    assert part.groups is not None
    np.testing.assert_array_equal(part.groups, [4, 1])
    assert part.rgb is None
    np.testing.assert_allclose(part.spectra(), every.ir[[4, 1]].mean(axis=(2, 3)))


@pytest.mark.parametrize(
    "change", [{"labels": np.zeros(5, int)}, {"wavenumbers": np.arange(4.0)}, {"labels": np.full(6, 2)}]
)
def test_arrays_that_do_not_belong_together_are_refused(change: dict[str, np.ndarray]) -> None:
    one = some()
    values = {"ir": one.ir, "wavenumbers": one.wavenumbers, "labels": one.labels, "classes": one.classes} | change
    with pytest.raises(UserError) as caught:
        PatchSet(**values)  # type: ignore[arg-type]
    assert caught.value.code == "patches_mismatch"
