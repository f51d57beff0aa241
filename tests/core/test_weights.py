from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from core import weights
from core.errors import UserError
from core.nets import build

CONFIG = {"widths": [8, 8], "blocks": [1, 1]}
NAME = "tiny"


def publish(folder: Path, data: bytes, config: object = CONFIG, architecture: str = "volume_net") -> None:
    (folder / "tiny.safetensors").write_bytes(data)
    entry = {
        "file": "tiny.safetensors",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "architecture": architecture,
        "config": config,
        "parameters": 1,
        "licence": "Apache-2.0",
        "data": "none",
        "card": "tiny.md",
    }
    (folder / "manifest.json").write_text(json.dumps({"weights": {NAME: entry}}))


def tensors(seed: int = 0) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return {name: torch.randn_like(value).half() for name, value in build("volume_net", CONFIG).state_dict().items()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COUNTERSCAN_WEIGHTS", str(tmp_path))
    publish(tmp_path, save(tensors()))
    return tmp_path


def refused(code: str, action: Callable[[str], object] = weights.load) -> None:
    with pytest.raises(UserError) as caught:
        action(NAME)
    assert caught.value.code == code


def test_a_good_file_loads_in_float32_and_is_kept(folder: Path) -> None:
    assert weights.verify(NAME) == folder / "tiny.safetensors"
    network = weights.load(NAME)
    expected = tensors()
    assert {name: value.dtype for name, value in network.state_dict().items()} == dict.fromkeys(expected, torch.float32)
    assert all(torch.equal(value, expected[name].float()) for name, value in network.state_dict().items())
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert weights.load(NAME) is network


def test_a_new_version_is_loaded_anew(folder: Path) -> None:
    first = weights.load(NAME)
    publish(folder, save(tensors(seed=1)))
    second = weights.load(NAME)
    assert second is not first
    assert not torch.equal(*(network.state_dict()["enter.weight"] for network in (first, second)))


@pytest.mark.parametrize("position", [0, 9, 200, -1])
@pytest.mark.parametrize("action", [weights.load, weights.verify])
def test_a_flipped_byte_is_refused(folder: Path, position: int, action: Callable[[str], object]) -> None:
    path = folder / "tiny.safetensors"
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    refused("weights_damaged", action)


@pytest.mark.parametrize("action", [weights.load, weights.verify])
def test_a_byte_flipped_after_the_first_use_is_refused(folder: Path, action: Callable[[str], object]) -> None:
    action(NAME)
    path = folder / "tiny.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(1, 1))
    refused("weights_damaged", action)


@pytest.mark.parametrize("keep", [0, 7, 8, 100, -1])
def test_a_truncated_file_is_refused(folder: Path, keep: int) -> None:
    path = folder / "tiny.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    refused("weights_damaged")


def test_a_missing_file_entry_or_manifest_is_named(folder: Path) -> None:
    (folder / "tiny.safetensors").unlink()
    refused("weights_missing")
    refused("weights_missing", weights.verify)
    (folder / "manifest.json").write_text('{"weights": {}}')
    refused("weights_missing")
    (folder / "manifest.json").unlink()
    assert weights.entries() == {}
    refused("weights_missing")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weights": 3}', '{"weights": {"tiny": {"file": "x"}}}', "\xff"])
def test_a_broken_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text, encoding="latin-1")
    refused("weights_damaged")


# From here on the sha256 is right: what is published must still be what the architecture needs.


@pytest.mark.parametrize("change", ["shape", "missing", "extra", "dtype"])
def test_other_tensors_than_the_architectures_are_refused(folder: Path, change: str) -> None:
    values = tensors()
    if change == "shape":
        values["enter.bias"] = torch.zeros(3).half()
    elif change == "missing":
        del values["enter.bias"]
    elif change == "extra":
        values["more"] = torch.zeros(1).half()
    else:
        values["enter.bias"] = values["enter.bias"].long()
    publish(folder, save(values))
    refused("weights_damaged")


@pytest.mark.parametrize(
    ("architecture", "config"), [("other_net", CONFIG), ("volume_net", {"depth": 3}), ("volume_net", {"widths": [8]})]
)
def test_an_architecture_that_does_not_fit_is_refused(folder: Path, architecture: str, config: object) -> None:
    publish(folder, save(tensors()), config, architecture)
    refused("weights_damaged")


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x95" + bytes(200),  # a pickle
        b"PK\x03\x04" + bytes(200),  # a torch archive
        (1 << 40).to_bytes(8, "little") + b"{}" + bytes(100),  # a header longer than the file
        (2 << 20).to_bytes(8, "little") + b"{" + b" " * (2 << 20) + bytes(100),  # a header over the limit
        (2).to_bytes(8, "little") + b"[]",
        (4).to_bytes(8, "little") + b"{{{{",
        (5000).to_bytes(8, "little") + b"[" * 5000,
        (20).to_bytes(8, "little") + b'{"enter.weight": 3} ',
    ],
)
def test_a_file_that_is_no_safetensors_is_refused(folder: Path, data: bytes) -> None:
    publish(folder, data)
    refused("weights_damaged")


def test_data_offsets_that_lie_are_refused(folder: Path) -> None:
    data = save(tensors())
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["enter.bias"]["data_offsets"] = [0, 1 << 40]
    text = json.dumps(header).encode()
    publish(folder, len(text).to_bytes(8, "little") + text + data[8 + size :])
    refused("weights_damaged")


@pytest.mark.parametrize("name", ["../tiny.safetensors", "/etc/passwd", "a/b"])
def test_a_file_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    listed = json.loads((folder / "manifest.json").read_text())
    listed["weights"][NAME]["file"] = name
    (folder / "manifest.json").write_text(json.dumps(listed))
    refused("weights_damaged")


def test_the_shipped_weights_are_what_the_manifest_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERSCAN_WEIGHTS", raising=False)
    for name, entry in weights.entries().items():
        assert weights.verify(name).stat().st_size <= 16 << 20
        count = sum(value.numel() for value in weights.load(name).state_dict().values())
        assert count == entry.parameters


def test_who_taught_a_network_stands_beside_it(folder: Path) -> None:
    refused("weights_damaged", weights.learnt_from)
    weights.facts_path(NAME).write_text('{"subjects": ["one", "two"], "steps": 3}')
    assert weights.learnt_from(NAME) == {"one", "two"}


def test_a_calibration_is_one_number_or_one_for_each_thing_that_is_made(folder: Path) -> None:
    assert weights.calibration(NAME) == weights.calibration(NAME, "t2") == 1
    weights.calibrate(NAME, {"": 0.98765})
    assert weights.calibration(NAME) == weights.calibration(NAME, "t2") == 0.988
    weights.calibrate(NAME, {"t1": 1.5, "t2": 2.34567})
    assert (weights.calibration(NAME, "t1"), weights.calibration(NAME, "t2")) == (1.5, 2.346)
    # what was never measured keeps the deviations of the network
    assert weights.calibration(NAME, "flair") == 1
