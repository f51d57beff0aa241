import os
from dataclasses import replace
from pathlib import Path

import pytest

from core.commands import train as command
from core.commands.train import _alone, _cooled, train_command
from core.errors import UserError
from core.train.presets import find
from core.train.smoke import pack_phantoms

TINY = replace(find("superres_net"), config={**find("superres_net").config, "widths": [8, 8], "blocks": [1, 1]})


def test_networks_are_found_by_their_name_and_by_that_of_their_weights() -> None:
    assert find("inpaint-volume") is find("volume_net")
    with pytest.raises(UserError, match="no network"):
        train_command("nothing")


def test_one_run_at_a_time_has_a_folder(tmp_path: Path) -> None:
    with _alone(tmp_path):
        assert (tmp_path / "running").read_text() == f"{os.getpid()}\n"
        with pytest.raises(UserError, match="going on"), _alone(tmp_path):
            pass
    with _alone(tmp_path):
        assert (tmp_path / "running").read_text() == f"{os.getpid()}\n"


def test_a_copy_cools_and_the_run_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no checkpoint"):
        _cooled(tmp_path)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"state")
    folder = _cooled(tmp_path)
    assert folder != tmp_path and (folder / "checkpoint.safetensors").read_bytes() == b"state"


def test_a_run_is_cooled_and_handed_to_the_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find", lambda name: TINY)
    monkeypatch.setattr("core.train.precision.SIDE", 6)
    packed = pack_phantoms(tmp_path / "packed.npz")
    out = tmp_path / "run"
    train_command("superres-volume", packed=packed, out=out, budget="1s", precision="auto", resume=True)
    before = (out / "checkpoint.safetensors").read_bytes()
    judged: list[Path] = []

    def note(preset: object, written: list[Path], data: Path, say: object) -> bool:
        judged.extend(written)
        return False

    monkeypatch.setattr("core.train.judge.publish_if_better", note)
    train_command("superres-volume", packed=packed, out=out, budget="1s", cool=True, better=True)
    assert judged == [out / "cooled/superres-volume.safetensors"]
    assert (out / "checkpoint.safetensors").read_bytes() == before


def test_other_precisions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no precision"):
        train_command("inpaint-volume", source=tmp_path, out=tmp_path, precision="float8")
    assert list(tmp_path.iterdir()) == []
