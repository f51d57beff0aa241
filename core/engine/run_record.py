"""run.json: everything needed to repeat a run and to know what made a file."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from core import __version__, device, weights
from core.declaration import Context, Task
from core.events import Finished

TIMING_KEY = "seconds"


def describe(
    task: Task, context: Context, inputs: Mapping[str, Path], params: Mapping[str, Any], finished: Finished
) -> dict[str, Any]:
    """Return what was run on what, with what, and what came out; the same for two runs of the same job.

    It holds no file name of the user.
    """
    used = finished.summary.get("weights", ())
    return {
        "program": "Counterscan",
        "task": task.name,
        "method": params.get("method"),
        "params": dict(params),
        "seed": params.get("seed"),
        "inputs": {name: identity(path) for name, path in inputs.items()},
        "weights": {name: weights.entries()[name].sha256 for name in used},
        "outputs": {name: identity(Path(path)) for name, path in finished.files.items()},
        "device": context.device,
        "threads": device.threads(),
        "versions": _versions(),
        "summary": _without_times(finished.summary),
    }


def write_record(out: Path, described: Mapping[str, Any], finished: Finished, seconds: float) -> Path:
    """Write ``run.json`` into ``out`` and return its path: what ``describe`` said, and the timing of this run."""
    timing = {
        "seconds": round(seconds, 3),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "peak_memory_bytes": device.peak_memory(),
        "summary": _times(finished.summary),
    }
    path = out / "run.json"
    write_json(path, {**described, "timing": timing})
    return path


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as indented JSON, durable before the name appears; NaN and infinity become null."""
    text = json.dumps(_finite(value), indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def identity(path: Path) -> dict[str, object]:
    """Return the sha256 and the number of bytes of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def _versions() -> dict[str, str]:
    versions = {"counterscan": __version__, "python": platform.python_version(), "numpy": np.__version__}
    for name in ("scipy", "torch"):
        if name in sys.modules:
            versions[name] = str(sys.modules[name].__version__)
    return versions


def _without_times(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _without_times(item) for key, item in value.items() if key != TIMING_KEY}
    if isinstance(value, list | tuple):
        return [_without_times(item) for item in value]
    return value


def _times(summary: Mapping[str, Any]) -> dict[str, float]:
    """Return the seconds of each method in the summary's table."""
    return {row["method"]: row[TIMING_KEY] for row in summary.get("table", ()) if TIMING_KEY in row}


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
