from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.commands.tissue import write
from core.errors import UserError
from core.failure.data import predictions
from core.failure.data.labelled_patches import Loaded
from core.failure.data.loader import load
from core.failure.data.predictions import MOST_CLASSES, Predictions
from core.files.spectra import read_safely
from core.spectra.simulated_tissue import simulate

MADE = simulate("density", 60, 0)


def answers(path: Path, **change: Any) -> Path:
    arrays = {
        "logits": np.eye(4)[MADE.labels], "y": MADE.labels, "spectra": MADE.spectra(), "wn": MADE.wavenumbers,
        "patient": np.array([f"p{number % 7}" for number in range(60)]), "classes": np.array(MADE.classes),
    } | change  # fmt: skip
    kept: dict[str, Any] = {name: each for name, each in arrays.items() if each is not None}
    np.savez(path, allow_pickle=False, **kept)
    return path


def test_simulated_patches_come_back(tmp_path: Path) -> None:
    path = tmp_path / "patches.npz"
    write(path, MADE)
    found = load(path)
    assert isinstance(found, Loaded)
    np.testing.assert_allclose(found.patches.ir, MADE.ir, rtol=1e-6)
    np.testing.assert_array_equal(found.patches.labels, MADE.labels)
    assert found.patches.classes == MADE.classes and found.patches.rgb is not None


def test_answers_are_told_from_patches(tmp_path: Path) -> None:
    found = load(answers(tmp_path / "answers.npz"))
    assert isinstance(found, Predictions)
    assert found.classes == MADE.classes
    assert found.groups is not None and len(np.unique(found.groups)) == 7
    np.testing.assert_allclose(found.wavenumbers, MADE.wavenumbers, rtol=1e-6)


def test_answers_need_neither_names_nor_groups(tmp_path: Path) -> None:
    found = load(answers(tmp_path / "answers.npz", patient=None, classes=None, wn=None))
    assert isinstance(found, Predictions)
    assert found.classes == ("class 0", "class 1", "class 2", "class 3") and found.groups is None
    np.testing.assert_array_equal(found.wavenumbers, np.arange(32))


@pytest.mark.parametrize(
    "change",
    [
        {"y": None},
        {"spectra": None},
        {"y": np.zeros((60, 2), np.int64)},
        {"y": np.linspace(0, 1, 60)},
        {"spectra": np.array(["x"] * 60)},
        {"logits": np.float64(3)},
        {"logits": np.zeros(60)},
        {"patient": np.zeros((60, 2), np.int64)},
        {"wn": np.zeros((32, 2))},
    ],
)
def test_answers_that_are_none_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(UserError) as caught:
        load(answers(tmp_path / "answers.npz", **change))
    assert caught.value.code in ("cube_unreadable", "patches_mismatch")


def test_answers_that_are_decoded_for_too_long_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "read_safely", partial(read_safely, seconds=0))
    with pytest.raises(UserError, match="import_timeout"):
        load(answers(tmp_path / "answers.npz"))


def test_answers_of_countless_classes_are_refused(tmp_path: Path) -> None:
    most = load(answers(tmp_path / "most.npz", logits=np.eye(60, MOST_CLASSES, dtype=np.uint8), classes=None))
    assert isinstance(most, Predictions) and len(most.classes) == MOST_CLASSES
    with pytest.raises(UserError, match="cube_too_large"):
        load(answers(tmp_path / "more.npz", logits=np.eye(60, MOST_CLASSES + 1, dtype=np.uint8)))


def test_answers_that_grow_beyond_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = answers(tmp_path / "answers.npz", spectra=np.ones((60, 32), np.uint8), logits=np.eye(60, 4, dtype=np.uint8))
    monkeypatch.setattr(predictions, "MAX_BYTES", 4 * 60 * 36)
    assert isinstance(load(path), Predictions)
    monkeypatch.setattr(predictions, "MAX_BYTES", 4 * 60 * 36 - 1)
    with pytest.raises(UserError, match="cube_too_large"):
        load(path)


def test_code_in_an_array_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "answers.npz"
    np.savez(path, allow_pickle=True, logits=np.array([{"a": 1}], dtype=object), y=MADE.labels, spectra=MADE.spectra())
    with pytest.raises(UserError):
        load(path)


def test_an_envi_image_is_read_by_its_header_with_its_label_picture(tmp_path: Path) -> None:
    from PIL import Image

    rows = MADE.ir[:6].transpose(0, 2, 3, 1).reshape(6 * 24, 24, 32)
    (tmp_path / "map.dat").write_bytes(np.ascontiguousarray(rows, "<f4").tobytes())
    waves = ", ".join(f"{each:.2f}" for each in MADE.wavenumbers)
    (tmp_path / "map.hdr").write_text(
        f"ENVI\nsamples = 24\nlines = 144\nbands = 32\ndata type = 4\ninterleave = bip\nwavelength = {{{waves}}}\n"
    )
    picture = np.repeat(1 + MADE.labels[:6] % 2, 24)[:, None] * np.ones(24)
    Image.fromarray(picture.astype(np.uint8)).save(tmp_path / "labels.png")
    found = load(tmp_path / "map.hdr", tmp_path / "labels.png")
    assert isinstance(found, Loaded)
    assert len(found.patches) > 0 and len(found.patches.classes) == 2
    assert found.patches.ir.shape[1] == 32
