from __future__ import annotations

import hashlib
import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.declaration import Context
from core.engine.run_record import describe, write_json, write_record
from core.result import Artifact, Finding, Note, Result, Row, Verdict
from core.tasks import TASKS


def test_the_record_names_what_was_used_and_nothing_of_the_user(tmp_path: Path) -> None:
    scan = tmp_path / "Jane Doe 1961.nii.gz"
    scan.write_bytes(b"scan")
    result = tmp_path / "result.nii.gz"
    result.write_bytes(b"result")
    task = TASKS[0]
    made = Result(
        (Artifact("result", str(result)),),
        (Row("shell", "Shell mean", {"seconds": 1.5, "seam": math.nan, "consistency": (1.0, None)}),),
        (Note("warning", "The mask touches the border"),),
        (Finding("mask_ml", "Mask", 2.5, "ml"),),
        (Verdict("ir", "IR", "amber", "Perhaps.", ("because",)),),
        seconds=2.0,
    )
    params = task.parse({"method": "shell", "seed": 4})
    described = describe(task, Context("cpu", tmp_path), {"t1": scan}, params, made)
    artifact = write_record(tmp_path, described, made, 2.5)
    assert artifact == Artifact("run", str(tmp_path / "run.json"))
    text = (tmp_path / "run.json").read_text()
    record = json.loads(text)
    assert "Jane" not in text
    assert str(tmp_path) not in text
    assert record["inputs"] == {"t1": {"sha256": hashlib.sha256(b"scan").hexdigest(), "bytes": 4}}
    assert record["outputs"]["result"]["sha256"] == hashlib.sha256(b"result").hexdigest()
    assert (record["task"], record["method"], record["seed"], record["device"]) == ("inpaint", "shell", 4, "cpu")
    assert {"counterscan", "python", "numpy"} <= record["versions"].keys()
    assert record["threads"] >= 1
    assert record["timing"]["seconds"] == 2.5
    assert record["timing"]["summary"] == {"shell": 1.5}
    assert record["timing"]["peak_memory_bytes"] > 1 << 20
    assert record["summary"] == {
        "table": [{"method": "shell", "title": "Shell mean", "seam": None, "consistency": [1.0, None]}],
        "notes": [{"level": "warning", "text": "The mask touches the border"}],
        "findings": {"mask_ml": 2.5},
        "verdicts": {
            "ir": {
                "subject": "ir", "title": "IR", "level": "amber", "text": "Perhaps.", "reasons": ["because"],
                "not_tested": [],
            }
        },
        "weights": [],
    }  # fmt: skip


def test_json_is_sorted_and_finite_and_leaves_no_part(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"b": [math.inf, 1.5], "a": (None, "\u00e9")})
    assert path.read_text(encoding="utf-8") == (
        '{\n  "a": [\n    null,\n    "\u00e9"\n  ],\n  "b": [\n    null,\n    1.5\n  ]\n}\n'
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_json_that_cannot_take_its_place_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OSError):
        write_json(tmp_path / "a.json", {})
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_several_may_write_one_json_at_once(tmp_path: Path) -> None:
    path, long = tmp_path / "a.json", {str(n): n for n in range(2000)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: write_json(path, long), range(40)))
    assert json.loads(path.read_text(encoding="utf-8")) == long
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
