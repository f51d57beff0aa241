from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.anatomy.brain import Brain
from core.anatomy.head import find_head
from core.contrasts import CONTRASTS
from core.errors import UserError
from core.files.nifti import read_volume
from core.imaging.translate import intensity_scale
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


def test_of_a_whole_head_the_brain_counts_and_what_found_it_is_kept(
    heads: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripped = read_scanner(heads["t2"], "t2")
    truth = read_volume(heads["t2"]).data > 0
    whole = write(tmp_path, "whole", brain("t2", AFFINE, SHAPE, whole=True, scale=0.45))
    # the bone alone parts a head this small from a stripped brain
    monkeypatch.setattr(intensity_scale, "find_head", lambda volume: replace(find_head(volume), kind="head"))
    monkeypatch.setattr(intensity_scale, "find_brain", lambda volume: Brain(truth, ("brain",)))
    found = read_scanner(whole, "t2")
    assert found.scale.mean == pytest.approx(stripped.scale.mean, rel=0.01)
    assert found.scale.gain == pytest.approx(stripped.scale.gain, rel=0.05)
    assert (stripped.weights, found.weights) == ((), ("brain",))


def test_a_scan_without_a_brain_is_refused(tmp_path: Path) -> None:
    empty = Volume(np.zeros((20, 20, 20), np.float32), np.eye(4))
    with pytest.raises(UserError) as refused:
        read_scanner(write(tmp_path, "empty", empty), "t2")
    assert refused.value.code in ("no_brain", "constant_image")


@pytest.mark.parametrize("shift", [-1024.0, "z-scores"])
def test_a_scan_that_is_not_in_units_of_a_scanner_is_refused(shift: float | str, tmp_path: Path) -> None:
    head = brain("t2", AFFINE, SHAPE, scale=0.45)
    inside = head.data > 0
    tissue = head.data[inside]
    moved = head.data + shift if isinstance(shift, float) else (head.data - tissue.mean()) / tissue.std()
    given_scan = Volume(np.where(inside, moved, 0).astype(np.float32), head.affine)
    with pytest.raises(UserError) as refused:
        read_scanner(write(tmp_path, "moved", given_scan), "t2")
    # where most of it is below zero no brain may be found either
    assert refused.value.code in ("scanner_negative", "no_brain")


def test_a_crumb_of_a_brain_is_warned_of(tmp_path: Path) -> None:
    crumb = np.zeros((60, 60, 60), np.float32)
    crumb[27:31, 27:31, 27:31] = np.random.default_rng(0).uniform(50, 150, (4, 4, 4))
    notes = read_scanner(write(tmp_path, "crumb", Volume(crumb, np.diag([2.0, 2, 2, 1]))), "t2").notes
    assert any("ml of brain" in note.text and note.level == "warning" for note in notes)


def test_a_name_of_another_contrast_is_warned_of(heads: dict[str, Path], tmp_path: Path) -> None:
    misnamed = tmp_path / "sub-01_T1w.nii.gz"
    misnamed.write_bytes(heads["t2"].read_bytes())
    assert any("T1 by its name" in note.text for note in read_scanner(misnamed, "t2").notes)


def test_another_contrast_is_warned_of(monkeypatch: pytest.MonkeyPatch, heads: dict[str, Path]) -> None:
    monkeypatch.setattr("core.imaging.translate.intensity_scale.recognise", lambda name, volume: "t1")
    kinds = {note.level for note in read_scanner(heads["t2"], "t2").notes}
    assert "warning" in kinds
    assert "warning" not in {note.level for note in read_scanner(heads["t1"], "t1").notes}
