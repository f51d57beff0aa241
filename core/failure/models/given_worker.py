"""The process that runs a model from a stranger's file: it confines itself, loads the model, and answers patches.

It reads a line of JSON on standard input that names the file, and then frames: a line of JSON with the shape of an
array, and its float32 numbers. It answers each with a frame of logits, or with a line that holds an error.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.failure.models.given_formats import EXPORTED, ONNX, TORCHSCRIPT
from core.files.confinement import can_confine, confine, end_with_parent

Float = NDArray[np.float32]
Predict = Callable[[Float], Any]

# of memory beyond what the libraries take, and of processor time for all answers together
MORE_BYTES = 4 << 30
CPU_SECONDS = 4 * 3600
MOST_CLASSES = 10_000
LOG_BYTES = 1 << 20


def main() -> None:
    """Load the model that standard input names and answer patches until it is closed."""
    end_with_parent()
    given, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # what a library prints is no answer
    os.dup2(2, 1)
    request = json.loads(given.readline())
    try:
        predict = _loaded(request["format"], Path(request["path"]))
    except UserError as error:
        _send(answers, {"error": [error.code, error.message, error.hint]})
        return
    _send(answers, {"ready": True})
    while line := given.readline():
        _answer(predict, _received(given, json.loads(line)["shape"]), answers)


def _loaded(kind: str, path: Path) -> Predict:
    """Return the model as a function of patches; from its first byte on it runs without files and network."""
    if not can_confine():
        raise _not_confined()
    ready = LOADERS[kind]()
    content = path.read_bytes()
    _limit()
    try:
        confine()
    except OSError as error:
        raise _not_confined() from error
    try:
        return ready(content)
    except MemoryError as error:
        raise _too_large() from error
    except Exception as error:
        raise UserError(
            "model_failed", f"The model could not be loaded: {_gist(error)}", "Save it again with this version."
        ) from error


def _torchscript() -> Callable[[bytes], Predict]:
    import torch

    _one_thread()
    # what is loaded when it is first used is loaded while there are files
    warm = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), warm)
    _of_torch(torch.jit.load(io.BytesIO(warm.getvalue())))(np.zeros((1, 1), np.float32))  # type: ignore[no-untyped-call]
    return lambda content: _of_torch(torch.jit.load(io.BytesIO(content), map_location="cpu").eval())  # type: ignore[no-untyped-call]


def _exported() -> Callable[[bytes], Predict]:
    import torch

    # its archives may hold pickles, which run what they like: tensors alone are read
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    vars(sys.modules["pickle"])["loads"] = _no_pickle
    _one_thread()
    warm = io.BytesIO()
    layers = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.BatchNorm2d(1), torch.nn.Flatten())
    torch.export.save(torch.export.export(layers.eval(), (torch.zeros(1, 1, 2, 2),)), warm)
    _of_torch(torch.export.load(io.BytesIO(warm.getvalue())).module())(np.zeros((1, 1, 2, 2), np.float32))

    def ready(content: bytes) -> Predict:
        program = torch.export.load(io.BytesIO(content))
        name = program.graph_signature.user_inputs[0]
        node = next(each for each in program.graph.nodes if each.name == name)
        return _in_batches(_of_torch(program.module()), node.meta["val"].shape[0])

    return ready


def _no_pickle(*given: object, **named: object) -> NoReturn:
    raise ValueError("the archive holds a pickle")


def _onnx() -> Callable[[bytes], Predict]:
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(
            "not_installed", "ONNX models need the package onnxruntime, which is not installed.",
            "Run pip install 'counterscan[onnx]', or save the model as TorchScript.",
        ) from error  # fmt: skip

    def ready(content: bytes) -> Predict:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        given = session.get_inputs()[0]
        return _in_batches(lambda values: session.run(None, {given.name: values})[0], given.shape[0])

    return ready


LOADERS: dict[str, Callable[[], Callable[[bytes], Predict]]] = {
    TORCHSCRIPT: _torchscript,
    EXPORTED: _exported,
    ONNX: _onnx,
}


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)


def _of_torch(model: Any) -> Predict:
    """Return a module of torch as a function of arrays; of several outputs the first is taken."""
    import torch

    def predict(values: Float) -> Any:
        with torch.no_grad():
            found = model(torch.from_numpy(values))
        if isinstance(found, dict):
            found = next(iter(found.values()))
        if isinstance(found, tuple | list):
            found = found[0]
        return found.detach().cpu().numpy()

    return predict


def _in_batches(predict: Predict, size: object) -> Predict:
    """Return ``predict`` for any number of patches, of a model that takes ``size`` at once; as it is where that is no
    fixed number."""
    if not isinstance(size, int):
        return predict

    def each(values: Float) -> Any:
        found = []
        for start in range(0, len(values), size):
            part = values[start : start + size]
            filled = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
            found.append(np.asarray(predict(filled))[: len(part)])
        return np.concatenate(found)

    return each


def _limit() -> None:
    """Bound memory, processor time and files of this process for good."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = {
        resource.RLIMIT_AS: taken + MORE_BYTES,
        resource.RLIMIT_CPU: CPU_SECONDS,
        # of what libraries report
        resource.RLIMIT_FSIZE: LOG_BYTES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, wanted in limits.items():
        _, hard = resource.getrlimit(kind)
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (allowed, allowed))


def _answer(predict: Predict, values: Float, answers: BinaryIO) -> None:
    try:
        logits = np.ascontiguousarray(predict(values), np.float32)
        logits = logits[:, None] if logits.ndim == 1 else logits
    except MemoryError:
        error = _too_large()
    except Exception as caught:  # noqa: BLE001 - whatever a stranger's model raises
        error = UserError(
            "model_failed",
            f"The model refused patches of shape {values.shape}: {_gist(caught)}",
            "Check layout, size and bands of its input.",
        )
    else:
        if logits.ndim == 2 and logits.shape[0] == len(values) and 0 < logits.shape[1] <= MOST_CLASSES:
            _send(answers, {"shape": logits.shape}, logits.tobytes())
            return
        error = UserError(
            "model_output",
            f"The model answers {len(values)} patches by an array of shape {logits.shape}.",
            "Its output has to be one number for each patch and class.",
        )
    _send(answers, {"error": [error.code, error.message, error.hint]})


def _received(given: BinaryIO, shape: list[int]) -> Float:
    content = given.read(4 * int(np.prod(shape)))
    # a copy, as a model may write into its input
    return np.frombuffer(content, np.float32).reshape(shape).copy()


def _send(answers: BinaryIO, head: dict[str, Any], content: bytes = b"") -> None:
    answers.write(json.dumps(head).encode() + b"\n" + content)
    answers.flush()


def _not_confined() -> UserError:
    return UserError(
        "model_not_confined",
        "This machine cannot keep a model from its files and its network, so none is run.",
        "Use Linux on a 64-bit processor, or hand the model to core.failure.examine in Python.",
    )


def _too_large() -> UserError:
    return UserError("model_failed", "The model takes more memory than is allowed.", "Give a smaller model.")


def _gist(error: Exception) -> str:
    """Return what went wrong in one line: of a program of TorchScript the line after its trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in reversed(lines) if line.startswith("RuntimeError: ")), lines[0])[:200]


if __name__ == "__main__":
    main()
