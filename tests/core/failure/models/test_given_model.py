"""Models of strangers: read in every format, answered as they are, and kept from files, memory and time."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import UserError
from core.failure.models import given_model, given_worker
from core.failure.models.given_formats import EXPORTED, ONNX, TORCHSCRIPT, model_format
from core.failure.models.given_model import opened_model
from tests.core.failure.models.model_files import Attack, linear, write_onnx, write_script

WEIGHT = np.array([[1, 2, 0], [0, -1, 1]], np.float32)
PATCHES = np.random.default_rng(0).standard_normal((130, 3, 5, 4)).astype(np.float32)
EXPECTED = PATCHES.mean(axis=(2, 3)) @ WEIGHT.T


def test_onnx_answers_are_those_of_the_model(tmp_path: Path) -> None:
    for batch in ("n", 50):
        path = write_onnx(tmp_path / "model.onnx", WEIGHT, batch)
        assert model_format(path) == ONNX
        with opened_model(path) as model:
            np.testing.assert_allclose(model.logits(PATCHES), EXPECTED, atol=1e-5)


def test_torchscript_answers_and_its_attacks_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"ABCDEFGH")
    path = write_script(tmp_path / "model.pt", Attack(str(secret)))
    assert model_format(path) == TORCHSCRIPT
    with opened_model(path) as model:
        harmless = (np.abs(PATCHES) / 100).astype(np.float32)
        np.testing.assert_allclose(model.logits(harmless), harmless.mean(axis=(2, 3))[:, :2], atol=1e-6)
        for number in (1, 2):
            with pytest.raises(UserError) as caught:
                model.logits(np.full((4, 3, 2, 2), number, np.float32))
            assert caught.value.code == "model_failed" and "ABC" not in caught.value.message
            if number == 1:
                assert "unable to open file" in caught.value.message
        # what refuses one batch still answers the next
        assert model.logits(harmless).shape == (130, 2)
        monkeypatch.setattr(given_model, "BATCH_SECONDS", 0.5)
        with pytest.raises(UserError) as caught:
            model.logits(np.full((4, 3, 2, 2), 3, np.float32))
        assert caught.value.code == "model_timeout"


@pytest.mark.slow
def test_an_exported_program_of_a_fixed_batch_answers(tmp_path: Path) -> None:
    program = torch.export.export(linear(WEIGHT), (torch.zeros(8, 3, 5, 4),))
    torch.export.save(program, tmp_path / "model.pt2")
    assert model_format(tmp_path / "model.pt2") == EXPORTED
    with opened_model(tmp_path / "model.pt2") as model:
        np.testing.assert_allclose(model.logits(PATCHES), EXPECTED, atol=1e-5)


def test_what_is_no_program_is_named_and_never_opened(tmp_path: Path) -> None:
    torch.save(linear(WEIGHT).state_dict(), tmp_path / "weights.pt")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("notes.txt", "")
    files = {
        "weights.pt": "model_pickled",
        "other.zip": "model_unknown",
        "old.pt": "model_pickled",
        "keras.h5": "model_unknown",
        "empty.pt": "file_empty",
        "cut.pt": "model_unknown",
        "none.pt": "file_unreadable",
    }
    contents = {"old.pt": b"\x80\x02", "keras.h5": b"\x89HDF\r\n", "empty.pt": b"", "cut.pt": b"PK\x03\x04"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for name, code in files.items():
        with pytest.raises(UserError) as caught:
            model_format(tmp_path / name)
        assert caught.value.code == code, name


def test_a_file_that_only_looks_like_onnx_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\x08\x08" + bytes(100))
    with pytest.raises(UserError) as caught, opened_model(tmp_path / "model.onnx"):
        pass
    assert caught.value.code == "model_failed"


def test_onnx_without_its_package_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(UserError) as caught:
        given_worker.LOADERS[ONNX]()
    assert caught.value.code == "not_installed" and "counterscan[onnx]" in caught.value.hint


@pytest.mark.parametrize("answer", ["", "[]", "{}", '{"shape": [3, 1000000000]}', '{"shape": [4, 2]}', '{"error": 1}'])
def test_a_process_that_answers_nonsense_is_no_model(answer: str, tmp_path: Path) -> None:
    import subprocess
    import sys

    script = f"import sys; sys.stdin.buffer.readline(); sys.stdout.write({answer!r} + chr(10)); sys.stdout.flush()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe) as child:
        model = given_model.ModelProcess(child)
        with pytest.raises(UserError) as caught:
            model.logits(np.zeros((3, 1, 1, 1), np.float32))
        assert caught.value.code == "model_failed"
        child.kill()
