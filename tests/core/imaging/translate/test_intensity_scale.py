from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contrasts import CONTRASTS
from core.errors import UserError
from core.imaging.translate.intensity_scale import Scale, read_scanner
from core.volume import Volume
from tests.core.brains import brain, grid, write

AFFINE, SHAPE = grid(1.0, (64, 76, 62))


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A stripped scan of each contrast."""
    folder = tmp_path_factory.mktemp("heads")
    return {name: write(folder, name, brain(name, AFFINE, SHAPE, scale=0.45)) for name in CONTRASTS}


@given(mean=st.floats(50, 5000), spread=st.floats(5, 500))
def test_a_translation_gets_mean_and_unit_of_the_scanner(mean: float, spread: float) -> None:
    rng = np.random.default_rng(0)
    where = rng.random((8, 9, 7)) < 0.6
    values = np.where(where, rng.normal(0.4, 0.02, where.shape), 0).astype(np.float32)
    scanner = Scale("t2", mean, spread)
    drawn = scanner.drawn(values, where)
    assert (drawn >= 0).all() and not drawn[~where].any()
    if drawn[where].min() > 0:
        assert float(drawn[where].mean()) == pytest.approx(mean, rel=1e-4)
        assert np.corrcoef(drawn[where], values[where])[0, 1] == pytest.approx(1, abs=1e-5)
        assert float(drawn[where].std() / values[where].std()) == pytest.approx(scanner.gain, rel=1e-3)


def test_gain_and_offset_of_the_scanner_are_found(heads: dict[str, Path], tmp_path: Path) -> None:
    plain = read_scanner(heads["t2"], "t2").scale
    head = brain("t2", AFFINE, SHAPE, scale=0.45)
    inside = head.data > 0
    other = Volume(np.where(inside, 3 * head.data + 50, 0).astype(np.float32), head.affine)
    found = read_scanner(write(tmp_path, "other", other), "t2").scale
    assert found.mean == pytest.approx(3 * plain.mean + 50, rel=1e-3)
    assert found.gain == pytest.approx(3 * plain.gain, rel=1e-2)


def test_a_scan_without_a_brain_is_refused(tmp_path: Path) -> None:
    empty = Volume(np.zeros((20, 20, 20), np.float32), np.eye(4))
    with pytest.raises(UserError) as refused:
        read_scanner(write(tmp_path, "empty", empty), "t2")
    assert refused.value.code in ("no_brain", "constant_image")


def test_another_contrast_is_warned_of(monkeypatch: pytest.MonkeyPatch, heads: dict[str, Path]) -> None:
    monkeypatch.setattr("core.imaging.translate.intensity_scale.recognise", lambda name, volume: "t1")
    kinds = {note.level for note in read_scanner(heads["t2"], "t2").notes}
    assert "warning" in kinds
    assert "warning" not in {note.level for note in read_scanner(heads["t1"], "t1").notes}
