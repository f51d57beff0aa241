"""run.json: everything needed to repeat a run and to know what made a file."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import secrets
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from core import __version__, device, weights
from core.declaration import Context, Task, Value
from core.provenance import Identity, RunRecord
from core.result import RUN, Artifact, Result, artifact_in

PROGRAM = "Counterscan"
SECONDS = "seconds"


def describe(
    task: Task, context: Context, inputs: Mapping[str, Path], params: Mapping[str, Value], result: Result
) -> RunRecord:
    """Return what was run on what, with what, and what came out; the same for two runs of the same job."""
    return RunRecord(
        task=task.name,
        params=dict(params),
        inputs={name: identity(path) for name, path in inputs.items()},
        weights={name: weights.entries()[name].sha256 for name in result.weights},
        outputs={artifact.name: identity(Path(artifact.path)) for artifact in result.artifacts},
        device=context.device,
        threads=device.threads(),
        versions=_versions(),
        result=result,
    )


def with_file(record: RunRecord, artifact: Artifact) -> RunRecord:
    """Return ``record`` with one more file that came out."""
    return replace(record, outputs={**record.outputs, artifact.name: identity(Path(artifact.path))})


def write_record(out: Path, record: RunRecord, result: Result, seconds: float) -> Artifact:
    """Write ``run.json`` into ``out`` and return it: what ``describe`` found, and the timing of this run."""
    artifact = artifact_in(out, RUN, ".json")
    timing = {
        "seconds": round(seconds, 3),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "peak_memory_bytes": device.peak_memory(),
        "summary": {row.method: row.values[SECONDS] for row in result.table if SECONDS in row.values},
    }
    write_json(Path(artifact.path), {**_content(record), "timing": timing})
    return artifact


def _content(record: RunRecord) -> dict[str, object]:
    """Return the record as it stands in the file."""
    return {
        "program": PROGRAM,
        "task": record.task,
        "method": record.params.get("method"),
        "params": record.params,
        "seed": record.seed,
        "inputs": {name: asdict(one) for name, one in record.inputs.items()},
        "weights": record.weights,
        "outputs": {name: asdict(one) for name, one in record.outputs.items()},
        "device": record.device,
        "threads": record.threads,
        "versions": record.versions,
        "summary": summary_of(record.result),
    }


def summary_of(result: Result) -> dict[str, object]:
    """Return what was found, less what differs between two runs of the same job: seconds, and where files are."""
    return {
        "table": [
            {"method": row.method, "title": row.title}
            | {name: value for name, value in row.values.items() if name != SECONDS}
            for row in result.table
        ],
        "notes": [asdict(note) for note in result.notes],
        "findings": {finding.name: finding.value for finding in result.findings},
        "verdicts": {verdict.subject: asdict(verdict) for verdict in result.verdicts},
        "weights": result.weights,
    }


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as indented JSON, durable before the name appears; NaN and infinity become null.

    OSError, and nothing is left.
    """
    text = json.dumps(_finite(value), indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    # a name of its own: several commands may write one description at once
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def identity(path: Path) -> Identity:
    """Return the sha256 and the number of bytes of a file; of a folder those of the names and files in it."""
    if path.is_dir():
        return _folder_identity(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Identity(digest, path.stat().st_size)


def _folder_identity(folder: Path) -> Identity:
    digest, size = hashlib.sha256(), 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            own = identity(path)
            digest.update(f"{path.relative_to(folder).as_posix()}\0{own.sha256}\n".encode())
            size += own.bytes
    return Identity(digest.hexdigest(), size)


def _versions() -> dict[str, str]:
    versions = {"counterscan": __version__, "python": platform.python_version(), "numpy": np.__version__}
    for name in ("scipy", "torch"):
        if name in sys.modules:
            versions[name] = str(sys.modules[name].__version__)
    return versions


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
