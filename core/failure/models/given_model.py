"""A model from a user's file, run in a process of its own that has neither files nor a network."""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.failure.models.given_formats import model_format
from core.failure.models.given_worker import MOST_CLASSES
from core.files.convert import child_environment, end_child

log = logging.getLogger(__name__)

Float = NDArray[np.float32]

BATCH = 64
LOAD_SECONDS, BATCH_SECONDS = 300, 300
# for all answers of a model together; one that sleeps takes no processor time
ALL_SECONDS = 2 * 3600
HEAD_BYTES = 4096
CODES = ("not_installed", "model_not_confined", "model_failed", "model_output")


class ModelProcess:
    """The process of one model; ``opened_model`` starts and ends it. clock: seconds that only go forwards."""

    def __init__(self, child: subprocess.Popen[bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self._child = child
        self._clock = clock
        self._left = float(ALL_SECONDS)
        self._late = False

    def logits(self, values: Float) -> Float:
        """Return the model's answers (N, K) to prepared patches (N, ...), a batch at a time. UserError model_failed,
        model_output, model_timeout."""
        batches = [self._batch(values[start : start + BATCH]) for start in range(0, len(values), BATCH)]
        if len({batch.shape[1] for batch in batches}) != 1:
            raise _broken()
        return np.concatenate(batches)

    def ask(self, head: Mapping[str, object], content: bytes, seconds: float) -> tuple[dict[str, Any], IO[bytes]]:
        """Send one frame and return the head of the answer and where its numbers come from."""
        pipe, answers = self._child.stdin, self._child.stdout
        if pipe is None or answers is None:
            raise _broken()
        if self._left <= 0:
            self._stop()
            raise self._reason()
        begun = self._clock()
        timer = threading.Timer(min(seconds, self._left), self._stop)
        timer.start()
        try:
            pipe.write(json.dumps(head).encode() + b"\n" + content)
            pipe.flush()
            found = json.loads(answers.readline(HEAD_BYTES))
            if not isinstance(found, dict):
                raise TypeError("no answer")
            if "shape" in found:
                found["content"] = answers.read(4 * _size(found["shape"]))
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise self._reason() from error
        finally:
            timer.cancel()
            self._left -= self._clock() - begun
        if "error" in found:
            raise _told(found["error"])
        return found, answers

    def _batch(self, values: Float) -> Float:
        content = np.ascontiguousarray(values, np.float32)
        found, _ = self.ask({"shape": content.shape}, content.tobytes(), BATCH_SECONDS)
        shape, numbers = found.get("shape", [0]), found.get("content", b"")
        if shape[0] != len(values) or len(numbers) != 4 * _size(shape):
            raise self._reason()
        return np.frombuffer(numbers, np.float32).reshape(shape)

    def _stop(self) -> None:
        self._late = True
        self._child.kill()

    def _reason(self) -> UserError:
        if self._late:
            return UserError("model_timeout", "The model took too long and was stopped.", "Give a smaller model.")
        return _broken()


@contextmanager
def opened_model(path: Path) -> Iterator[ModelProcess]:
    """Give the model of a TorchScript, torch.export or ONNX file, loaded in a process that ends with the block.

    The process is confined before it reads the model: no file, no network, no other process; 4 GiB, one thread.
    UserError of ``model_format``, not_installed, model_not_confined, model_failed, model_timeout.
    """
    kind = model_format(path)
    with tempfile.TemporaryDirectory(prefix=".model-") as folder:
        work = Path(folder)
        with (work / "log").open("wb") as written:
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", "core.failure.models.given_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=written,
                cwd=work,
                env={**child_environment(work), "CUDA_VISIBLE_DEVICES": ""},
                start_new_session=True,
            )
        model = ModelProcess(child)
        try:
            model.ask({"format": kind, "path": str(path.absolute())}, b"", LOAD_SECONDS)
            yield model
        finally:
            end_child(child)
            if child.stdout is not None:
                child.stdout.close()
            log.debug("%s", (work / "log").read_bytes()[-HEAD_BYTES:].decode("utf-8", "replace"))


def _size(shape: object) -> int:
    """Return how many numbers an answer of ``shape`` has; ``ValueError`` for what no model can mean."""
    whole = isinstance(shape, list) and all(type(side) is int and side > 0 for side in shape)
    if not isinstance(shape, list) or not whole or len(shape) != 2 or math.prod(shape) > BATCH * MOST_CLASSES:
        raise ValueError("no shape")
    return math.prod(shape)


def _told(error: object) -> UserError:
    """Return the error that the process sent; its texts may be a stranger's."""
    with suppress(TypeError, ValueError):
        code, message, hint = map(_plain, error)  # type: ignore[call-overload]
        return UserError(code if code in CODES else "model_failed", message[:500], hint[:300])
    return _broken()


def _plain(text: object) -> str:
    """Return a text without what no page, terminal or database takes: control characters and halves of characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(text))


def _broken() -> UserError:
    return UserError(
        "model_failed",
        "The process that runs the model broke off.",
        "Try the model on one patch in Python; COUNTERSCAN_DEBUG=1 logs the cause.",
    )
