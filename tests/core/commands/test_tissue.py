from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.commands.tissue import app
from core.errors import UserError
from core.failure.results_json import schema


def call(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    return done.stdout


def test_simulated_patches_are_written(tmp_path: Path) -> None:
    path = tmp_path / "made.npz"
    assert call("simulate", "--out", str(path), "--preset", "band", "--count", "12", "--seed", "3").strip() == str(path)
    with np.load(path, allow_pickle=False) as made:
        assert {name: made[name].shape for name in made.files} == {
            "ir": (12, 32, 24, 24), "rgb": (12, 3, 24, 24), "y": (12,), "group": (12,), "cue": (12,), "wn": (32,),
            "classes": (4,),
        }  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [("--preset", "nothing"), ("--shift", "sideways"), ("--out", "/no/such/folder/a.npz")]
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, wrong: tuple[str, str]) -> None:
    arguments = {"--out": str(tmp_path / "made.npz"), "--count": "8"} | {wrong[0]: wrong[1]}
    with pytest.raises(UserError) as caught:
        call("simulate", *(part for pair in arguments.items() for part in pair))
    assert caught.value.code in ("bad_parameter", "write_failed")


def test_the_schema_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a" / "schema.json"
    call("schema", "--out", str(path))
    assert json.loads(path.read_text()) == schema()
