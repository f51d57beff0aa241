"""Shipped networks: what the manifest holds, proof that a file is the one it lists, and a cache of loaded networks.

Reading the manifest and verifying a file load no torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.assets import ASSETS
from core.errors import UserError

if TYPE_CHECKING:
    from torch import nn

FOLDER = ASSETS / "weights"
HEADER_LIMIT = 1 << 20  # bytes; the header of a thousand tensors is about 100 kB
DTYPES = ("F16", "BF16", "F32")

Stamp = tuple[int, int, int]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Entry:
    """One weight file as the manifest describes it; ``config`` are the arguments of ``architecture``.

    calibration: what its standard deviations are multiplied by, so that 90 % intervals hold 90 % of voxels; where that
    depends on what is made (the target of a translation), one number for each.
    error_spectrum: how its errors are correlated, as ``ErrorSpectrum.shares``; empty where samples go on from means.
    thick_slices: in scans resampled from thick slices, the share of its residual that counts and what its standard
    deviations are multiplied by besides.
    """

    name: str
    file: str
    sha256: str
    bytes: int
    architecture: str
    config: Mapping[str, Any]
    parameters: int
    licence: str
    data: str
    card: str
    calibration: float | Mapping[str, float] = 1.0
    error_spectrum: tuple[tuple[float, ...], ...] = ()
    thick_slices: tuple[float, float] = (1.0, 1.0)


_verified: dict[Path, tuple[Stamp, str]] = {}
_loaded: dict[tuple[Path, str], tuple[Stamp, str, nn.Module]] = {}
_lock = threading.Lock()


def folder() -> Path:
    """Return the folder of the weight files: COUNTERSCAN_WEIGHTS, or the one that is shipped."""
    chosen = os.environ.get("COUNTERSCAN_WEIGHTS")
    return Path(chosen) if chosen else FOLDER


def entries() -> dict[str, Entry]:
    """Return every entry of the manifest by name, none when there is no manifest; UserError weights_damaged."""
    path = folder() / "manifest.json"
    try:
        listed = json.loads(path.read_bytes())["weights"]
        return {name: _entry(name, fields) for name, fields in listed.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged("The list of networks (manifest.json)") from error


def verify(name: str) -> Path:
    """Return the path of a weight file whose size and sha256 are the manifest's.

    A file is hashed once and again when its size, time or inode changes.
    Raises UserError weights_missing or weights_damaged.
    """
    entry, path = _locate(name)
    stamp = _stamp(path)
    with _lock:
        if _verified.get(path) == (stamp, entry.sha256):
            return path
    _read(entry, path)
    with _lock:
        _verified[path] = (stamp, entry.sha256)
    return path


def load(name: str, device: str = "cpu") -> nn.Module:
    """Return the network ``name`` in float32, in evaluation mode, on ``device``; kept for the next call.

    Tensor names and shapes are compared with the architecture before a value is read.
    Raises UserError weights_missing or weights_damaged.
    """
    entry, path = _locate(name)
    stamp = _stamp(path)
    with _lock:
        kept = _loaded.get((path, device))
        if kept and kept[:2] == (stamp, entry.sha256):
            return kept[2]
        network = _build(entry, _read(entry, path)).to(device)
        _loaded[path, device] = (stamp, entry.sha256, network)
        return network


def calibration(name: str, made: str = "") -> float:
    """Return what the standard deviations of network ``name`` are multiplied by where it makes ``made``; UserError
    weights_missing."""
    factor = _locate(name)[0].calibration
    return factor.get(made, 1.0) if isinstance(factor, Mapping) else factor


def error_spectrum(name: str) -> tuple[tuple[float, ...], ...]:
    """Return ``Entry.error_spectrum`` of network ``name``; UserError weights_missing."""
    return tuple(tuple(row) for row in _locate(name)[0].error_spectrum)


def thick_slices(name: str) -> tuple[float, float]:
    """Return ``Entry.thick_slices`` of network ``name``; UserError weights_missing."""
    share, spread = _locate(name)[0].thick_slices
    return share, spread


def facts_path(name: str) -> Path:
    """Return the JSON file beside the weights of network ``name``: subjects, steps, what was measured."""
    return _locate(name)[1].with_suffix(".json")


def learnt_from(name: str) -> frozenset[str]:
    """Return the subjects that network ``name`` learnt from, as ``core.train.datasets`` names them; UserError
    weights_damaged where no file beside the weights lists them."""
    try:
        return frozenset(map(str, json.loads(facts_path(name).read_bytes())["subjects"]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(f"The list of subjects of the network {name!r}") from error


def calibrate(name: str, factors: Mapping[str, float]) -> None:
    """Write ``factors``, by what is made or one under "" alone, as the calibration of network ``name`` into the
    manifest."""
    path = folder() / "manifest.json"
    listed = json.loads(path.read_bytes())
    rounded = {made: round(factor, 3) for made, factor in factors.items()}
    listed["weights"][name]["calibration"] = rounded.get("", rounded)
    write_facts(path, listed)


def write_facts(path: Path, facts: object) -> None:
    """Replace the JSON file ``path`` at once, so that a crash leaves the old one whole; ``ValueError`` for nan."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(facts, indent=2, allow_nan=False) + "\n")
    temporary.replace(path)


def shapes(data: bytes, what: str = "The file") -> Shapes:
    """Return tensor name -> shape from the header of safetensors ``data``; UserError weights_damaged."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 2 <= size <= min(HEADER_LIMIT, len(data) - 8):
        raise _damaged(what)
    try:
        header = json.loads(data[8 : 8 + size])
        tensors = {name: fields for name, fields in header.items() if name != "__metadata__"}
        if any(fields["dtype"] not in DTYPES for fields in tensors.values()):
            raise _damaged(what)
        return {name: tuple(map(int, fields["shape"])) for name, fields in tensors.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _damaged(what) from error


def _entry(name: str, fields: Mapping[str, Any]) -> Entry:
    return Entry(name=name, **fields)


def _build(entry: Entry, data: bytes) -> nn.Module:
    from safetensors import SafetensorError
    from safetensors.torch import load as decode

    from core.nets import build

    what = f"The network {entry.name!r}"
    found = shapes(data, what)
    try:
        network = build(entry.architecture, entry.config)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(what) from error
    if found != {name: tuple(value.shape) for name, value in network.state_dict().items()}:
        raise _damaged(what)
    try:
        network.load_state_dict(decode(data))
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise _damaged(what) from error
    return _channels_last(network.float().eval().requires_grad_(False))


def _channels_last(network: nn.Module) -> nn.Module:
    """Return ``network`` with the channels of its 2D and 3D kernels side by side: convolutions rearrange nothing."""
    import torch

    layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in network.parameters():
        if parameter.ndim in layouts:
            parameter.data = parameter.data.contiguous(memory_format=layouts[parameter.ndim])
    return network


def _locate(name: str) -> tuple[Entry, Path]:
    entry = entries().get(name)
    if entry is None:
        raise _missing(name)
    if entry.file != Path(entry.file).name:
        raise _damaged(f"The network {name!r}")
    return entry, folder() / entry.file


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError as error:
        raise _missing(path.name) from error
    return status.st_size, status.st_mtime_ns, status.st_ino


def _read(entry: Entry, path: Path) -> bytes:
    """Return the bytes of ``path``; what is checked here is what is used, even if the file is replaced."""
    what = f"The network {entry.name!r}"
    if path.stat().st_size != entry.bytes:
        raise _damaged(what)
    data = path.read_bytes()
    if len(data) != entry.bytes or hashlib.sha256(data).hexdigest() != entry.sha256:
        raise _damaged(what)
    return data


def _missing(name: str) -> UserError:
    return UserError(
        "weights_missing",
        f"The network {name!r} is not installed.",
        "Get assets/weights of the repository again, or choose a method without a network.",
    )


def _damaged(what: str) -> UserError:
    return UserError(
        "weights_damaged",
        f"{what} is not the file that was published.",
        "Get assets/weights of the repository again, or choose a method without a network.",
    )
