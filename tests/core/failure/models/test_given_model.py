"""Models of strangers: read in every format, answered as they are, and kept from files, memory and time."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import UserError
from core.failure.models import given_model, given_worker
from core.failure.models.given_formats import EXPORTED, ONNX, TORCHSCRIPT, model_format
from core.failure.models.given_input import GivenInput, raw_predict
from core.failure.models.given_model import opened_model
from tests.core.failure.models.model_files import (
    Attack,
    external,
    linear,
    node,
    whole_numbers,
    write_graph,
    write_onnx,
    write_script,
)
from tests.hand_clock import HandClock
from tests.waiting import LONGEST

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


NONSENSE = {
    "nothing": b"",
    "a list": b"[]",
    "an empty answer": b"{}",
    "no answer at all": b"null",
    "numbers that do not come": b'{"shape": [3, 2]}',
    "too many": b'{"shape": [3, 1000000000]}',
    "for others": b'{"shape": [4, 2]}',
    "beyond all numbers": b'{"shape": [3, %d]}' % 10**400,
    "beyond the machine's": b'{"shape": [3, %d]}' % 10**30,
    "back to the start": b'{"shape": [3, %d]}' % (2**62 + 1),
    "negative": b'{"shape": [3, -2]}',
    "twice negative": b'{"shape": [-3, -2]}',
    "zero": b'{"shape": [3, 0]}',
    "one side": b'{"shape": [6]}',
    "three sides": b'{"shape": [3, 1, 2]}',
    "truth": b'{"shape": [3, true]}',
    "a fraction": b'{"shape": [3, 2.0]}',
    "infinite": b'{"shape": [3, Infinity]}',
    "no shape": b'{"shape": "32"}',
    "nested": b"[" * 4000,
    "nested shapes": b'{"shape": ' + b"[" * 4000,
    "endless": b"9" * 10_000,
    "no text": b"\xff\xfe",
    "an error that is none": b'{"error": 1}',
    "an error of other parts": b'{"error": ["a", "b"]}',
    "a nested error": b'{"error": [[], {}, null]}',
    "half a character": b'{"error": ["model_output", "\\ud800\\u001b[2J", "\\udfff"]}',
    "another code": b'{"error": ["disk_full", "x", "y"]}',
    "a code of a page": b'{"error": ["<script>", "x", "y"]}',
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=list(NONSENSE))
def test_a_process_that_answers_nonsense_is_no_model(answer: bytes) -> None:
    with answering(answer) as model:
        with pytest.raises(UserError) as caught:
            model.logits(np.zeros((3, 1, 1, 1), np.float32))
        assert caught.value.code in given_model.CODES
        assert f"{caught.value.message}{caught.value.hint}".isprintable()


@contextmanager
def answering(answer: bytes) -> Iterator[given_model.ModelProcess]:
    """A process that gives one answer, whatever it is sent, in place of a model's."""
    script = f"import sys; sys.stdin.buffer.readline(); sys.stdout.buffer.write({answer!r} + b'\\n')"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-S", "-c", script], stdin=pipe, stdout=pipe) as child:
        try:
            yield given_model.ModelProcess(child)
        finally:
            child.kill()


def test_all_answers_together_have_a_time() -> None:
    """A model that sleeps just below the limit of a batch, again and again, holds its job for no longer than that."""
    clock = HandClock()
    script = (
        "import json, sys\n"
        "while line := sys.stdin.buffer.readline():\n"
        "    shape = json.loads(line)['shape']; sys.stdin.buffer.read(4 * shape[0])\n"
        "    sys.stdout.buffer.write(json.dumps({'shape': [shape[0], 1]}).encode() + b'\\n' + bytes(4 * shape[0]))\n"
        "    sys.stdout.buffer.flush()\n"
    )
    patches = np.zeros((3, 1, 1, 1), np.float32)

    def read() -> float:
        clock.forward(given_model.ALL_SECONDS / 4)
        return clock.monotonic()

    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-S", "-c", script], stdin=pipe, stdout=pipe) as child:
        model = given_model.ModelProcess(child, read)
        assert [model.logits(patches).shape for _ in range(4)] == [(3, 1)] * 4
        with pytest.raises(UserError) as caught:
            model.logits(patches)
        assert caught.value.code == "model_timeout" and child.wait(LONGEST) < 0


HOSTILE = {
    "another file": lambda folder: (node("Gemm", ("x", "w"), "y"), external("w", str(folder / "secret"))),
    "a file beside": lambda folder: (node("Gemm", ("x", "w"), "y"), external("w", "secret")),
    "a file above": lambda folder: (node("Gemm", ("x", "w"), "y"), external("w", "../../../../../../../etc/passwd")),
    "a device": lambda folder: (node("Gemm", ("x", "w"), "y"), external("w", "/dev/zero")),
    "a foreign operator": lambda folder: (node("Evil", ("x",), "y", "evil"),),
    "an operator in Python": lambda folder: (node("PyOp", ("x",), "y", "com.microsoft"),),
    "huge": lambda folder: (node("Expand", ("x", "s"), "y"), whole_numbers("s", (1 << 30, 3, 1 << 10, 1 << 10))),
    "more than any": lambda folder: (node("Expand", ("x", "s"), "y"), whole_numbers("s", (1 << 62, 3, 1 << 62, 4))),
    "negative": lambda folder: (node("Expand", ("x", "s"), "y"), whole_numbers("s", (-5, 3, -7, 4))),
    "a circle": lambda folder: (node("Identity", ("y",), "y"),),
    "nothing": lambda folder: (),
}


@pytest.mark.parametrize("parts", HOSTILE.values(), ids=list(HOSTILE))
def test_an_onnx_file_made_to_harm_is_refused(tmp_path: Path, parts: Callable[[Path], tuple[bytes, ...]]) -> None:
    (tmp_path / "secret").write_bytes(np.arange(6, dtype="<f4").tobytes())
    path = write_graph(tmp_path / "model.onnx", *parts(tmp_path))
    with pytest.raises(UserError) as caught, opened_model(path) as model:
        model.logits(PATCHES)
    assert caught.value.code in ("model_failed", "model_output")
    assert str(tmp_path) not in caught.value.message.replace(str(tmp_path / "secret"), "")


class Harm(torch.nn.Module):
    """By the first number of a batch a model whose answers harm whoever computes with them."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return such answers."""
        chosen = int(images[0, 0, 0, 0])
        count = images.shape[0]
        if chosen == 1:
            return torch.full((count, 2), float("nan"))
        if chosen == 2:
            return torch.full((count, 2), 3e38)
        if chosen == 3:
            return torch.zeros(count, 20000)
        if chosen == 4:
            return torch.zeros(count, 0)
        if chosen == 5:
            return torch.zeros(1).expand(count, 5000)[:, :, None]
        if chosen == 6:
            return torch.zeros(count, 2 + count)
        if chosen == 7:
            return torch.zeros(2, 2).to_sparse()
        if chosen == 8:
            return torch.zeros(1).expand(1 << 40, 2)
        raise ValueError("\x1b[2J\x07")


def test_answers_made_to_harm_are_refused(tmp_path: Path) -> None:
    path = write_script(tmp_path / "model.pt", Harm())
    values = np.zeros((70, 3, 2, 2), np.float32)
    with opened_model(path) as model:
        predict = raw_predict(model.logits, GivenInput(), values, (1.0, 2.0, 3.0), ("a", "b"))
        for chosen in range(1, 10):
            values[::64] = chosen
            with pytest.raises(UserError) as caught:
                predict(values)
            assert caught.value.code in ("model_failed", "model_output"), chosen
            assert f"{caught.value.message}{caught.value.hint}".isprintable()
