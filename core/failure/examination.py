"""One call from Python: judge a model, a function or a file, on data of any kind."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.events import Progress
from core.failure.data.dataset import Dataset, user_dataset
from core.failure.data.labelled_patches import Loaded, patches_of
from core.failure.data.loader import load
from core.failure.data.reading_options import Options
from core.failure.diagnostics.battery import Depth
from core.failure.given_audit import audit_given
from core.failure.models.given_input import GivenInput, Predict
from core.failure.models.given_model import opened_model
from core.failure.results import Results
from core.spectra.patches import PatchSet

Arrays = Mapping[str, NDArray[Any]]


def examine(
    model: Callable[[Any], Any] | str | PathLike[str],
    data: PatchSet | Arrays | str | PathLike[str],
    given: GivenInput | None = None,
    *,
    options: Options | None = None,
    depth: Depth | None = None,
    seed: int = 0,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Results:
    """Return every diagnostic and the verdict of ``model`` on ``data``.

    model: a function of float32 patches (N, C, H, W) that returns (N, K) logits or probabilities, a module of torch, or
    a TorchScript, torch.export or ONNX file. A function runs in this process, a file in a confined one. data: patches,
    named arrays, or a path of any format of docs/failure-lab.md, read by ``options``. given: what the model takes and
    answers. UserError of ``load``, too_few_groups, model_data, and those of the model.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat([0, 1], 40)
    >>> cubes = rng.normal(1, 0.01, (80, 4, 6, 6)) + 0.3 * labels[:, None, None, None]
    >>> bands, slides = np.array([1000.0, 1200, 1400, 1655]), np.arange(80) // 5
    >>> thick = lambda patches: np.eye(2)[(patches.mean(axis=(1, 2, 3)) > 1.15).astype(int)]
    >>> found = examine(thick, {"ir": cubes, "y": labels, "wn": bands, "group": slides}, depth=Depth(50, (1, 3), False))
    >>> found.verdicts["ir"].level
    'red'
    """
    steps = _steps(model, _dataset(data, options, seed), given or GivenInput(), depth or Depth(), seed)
    while True:
        try:
            on_progress(next(steps))
        except StopIteration as end:
            found: Results = end.value
            return found


def _steps(
    model: Callable[[Any], Any] | str | PathLike[str], dataset: Dataset, given: GivenInput, depth: Depth, seed: int
) -> Generator[Progress, None, Results]:
    with _opened(model) as predict:
        return (yield from audit_given(predict, given, dataset, depth, seed))


def _dataset(data: PatchSet | Arrays | str | PathLike[str], options: Options | None, seed: int) -> Dataset:
    if isinstance(data, PatchSet):
        return user_dataset(Loaded(data), seed)
    if isinstance(data, Mapping):
        return user_dataset(patches_of(dict(data), options), seed)
    return user_dataset(of_patches(load(Path(fspath(data)), None, options)), seed)


def of_patches(loaded: object) -> Loaded:
    """Return ``loaded`` where it is of patches or spectra, on which a model can be judged; UserError model_data."""
    if not isinstance(loaded, Loaded):
        raise UserError(
            "model_data",
            "A model is judged on patches or spectra, not on answers or on results.",
            "Give the data that the model sees, with labels.",
        )
    return loaded


@contextmanager
def _opened(model: Callable[[Any], Any] | str | PathLike[str]) -> Iterator[Predict]:
    if callable(model):
        yield _of_function(model)
        return
    with opened_model(Path(fspath(model))) as process:
        yield process.logits


def _of_function(model: Callable[[Any], Any]) -> Predict:
    """Return a function of arrays or a module of torch as a function of arrays."""
    import torch

    if isinstance(model, torch.nn.Module):
        module = model.eval()

        def predict(values: NDArray[np.float32]) -> NDArray[np.float32]:
            with torch.no_grad():
                return np.asarray(module(torch.from_numpy(values)).cpu(), np.float32)

        return predict
    return lambda values: np.asarray(model(values), np.float32)
