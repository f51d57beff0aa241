"""Models of the formats that are read, written for tests: a linear one of the mean spectrum, and one that attacks."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Float = NDArray[np.float32]


def linear(weight: Float) -> nn.Module:
    """Return a module that multiplies the mean spectrum by ``weight`` (K, C)."""
    last = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    with torch.no_grad():
        last.weight.copy_(torch.as_tensor(weight))
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), last).eval()


class Attack(nn.Module):
    """By the first number of a batch 1 reads a file, 2 takes all memory, 3 never ends; else a harmless model."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def forward(self, images: Tensor) -> Tensor:
        """Return two numbers a patch, or attack."""
        chosen = int(images[0, 0, 0, 0])
        if chosen == 1:
            return torch.from_file(self.path, False, 8, dtype=torch.uint8)[:2].float().repeat(images.shape[0], 1)
        if chosen == 2:
            return torch.zeros(20000000000)
        while chosen == 3:
            images = torch.sin(images)
        return images.mean(dim=(2, 3))[:, :2]


def write_script(path: Path, module: nn.Module) -> Path:
    """Write a module as TorchScript."""
    with warnings.catch_warnings():
        # torch wants torch.export for new models; there are many of these
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(module), str(path))
    return path


def write_onnx(path: Path, weight: Float, batch: int | str = "n") -> Path:
    """Write ``linear(weight)`` as ONNX, from the published layout of its messages (onnx.proto); batch: how many patches
    it takes at once, a name for any number."""
    classes, channels = weight.shape
    nodes = (
        _node("GlobalAveragePool", ("x",), "pooled"),
        _node("Flatten", ("pooled",), "flat"),
        _node("Gemm", ("flat", "w"), "y", ("transB", 1)),
    )
    tensor = b"".join(_field(1, side) for side in weight.shape)
    tensor += _field(2, 1) + _field(8, "w") + _field(9, weight.astype("<f4").tobytes())
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "g") + _field(5, tensor)
    graph += _field(11, _value("x", (batch, channels, "h", "w"))) + _field(12, _value("y", (batch, classes)))
    path.write_bytes(_field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 17)))
    return path


def write_graph(path: Path, *parts: bytes) -> Path:
    """Write an ONNX file of a graph from "x" (n, 3, h, w) to "y" (n, 2) with these nodes and tensors."""
    graph = b"".join(parts) + _field(2, "g") + _field(11, _value("x", ("n", 3, "h", "w")))
    graph += _field(12, _value("y", ("n", 2)))
    operators = _field(8, _field(1, "") + _field(2, 17)) + _field(8, _field(1, "evil") + _field(2, 1))
    path.write_bytes(_field(1, 8) + _field(7, graph) + operators)
    return path


def node(kind: str, inputs: tuple[str, ...], output: str, domain: str = "") -> bytes:
    """Return a node of a graph."""
    return _field(1, _node(kind, inputs, output) + _field(7, domain))


def whole_numbers(name: str, numbers: tuple[int, ...]) -> bytes:
    """Return a tensor of whole numbers."""
    content = np.array(numbers, "<i8").tobytes()
    return _field(5, _field(1, len(numbers)) + _field(2, 7) + _field(8, name) + _field(9, content))


def external(name: str, place: str) -> bytes:
    """Return a tensor of (3, 2) numbers that lie in another file."""
    where = _field(13, _field(1, "location") + _field(2, place))
    return _field(5, _field(1, 3) + _field(1, 2) + _field(2, 1) + _field(8, name) + where + _field(14, 1))


def _field(number: int, value: int | str | bytes) -> bytes:
    """Return one field of a protobuf message."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])


def _node(kind: str, inputs: tuple[str, ...], output: str, number: tuple[str, int] | None = None) -> bytes:
    attribute = b"" if number is None else _field(5, _field(1, number[0]) + _field(3, number[1]) + _field(20, 2))
    return b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, kind) + attribute


def _value(name: str, sides: tuple[int | str, ...]) -> bytes:
    shape = b"".join(_field(1, _field(1 if isinstance(side, int) else 2, side)) for side in sides)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, shape)))
