"""The results of an earlier run as an input: results.json, or the folder or zip that a run wrote."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import UserError
from core.failure.result_checks import require_consistent
from core.failure.results import Results
from core.failure.results_json import from_json
from core.files.archive import is_litter, open_zip

RESULTS, RECORD = "results.json", "run.json"
# a folder that holds anything else is one of data
WRITTEN = frozenset({RESULTS, RECORD, "table.csv", "report.html"})
MOST_BYTES = 64 << 20


@dataclass(frozen=True, eq=False)
class EarlierRun:
    """results: as they were written, in ``text``. record: the run record beside them, None where there is none or where
    it is of other results."""

    results: Results
    text: bytes
    record: Mapping[str, Any] | None = None

    @property
    def finished(self) -> str:
        """When the run ended, in ISO 8601, "" where that is not known."""
        timing = (self.record or {}).get("timing")
        try:
            return datetime.fromisoformat(timing["finished"]).isoformat() if isinstance(timing, dict) else ""
        except (KeyError, TypeError, ValueError):
            return ""


def read_earlier_run(path: Path) -> EarlierRun | None:
    """Return the run that a results.json, a folder or a zip holds, None where it holds none.

    UserError bad_results for results that do not follow the schema or contradict themselves.
    """
    return earlier_run_of(_files(path))


def earlier_run_of(found: Mapping[str, bytes]) -> EarlierRun | None:
    """Return the run whose files, name -> content, are ``found``, None without results among them."""
    if RESULTS not in found:
        return None
    text = found[RESULTS]
    results = from_json(text.decode("utf-8", "replace"))
    require_consistent(results)
    return EarlierRun(results, text, _record(found.get(RECORD, b""), text))


def write_earlier_run(path: Path, earlier: EarlierRun) -> None:
    """Write results and record into one archive at ``path``, which ``read_earlier_run`` reads."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(RESULTS, earlier.text)
        if earlier.record is not None:
            archive.writestr(RECORD, json.dumps(earlier.record))


def bounded(path: Path) -> bytes:
    """Return the content of a file of a run. UserError bad_results for one that is larger than any run writes."""
    with path.open("rb") as file:
        return _within(file.read(MOST_BYTES + 1))


def _files(path: Path) -> dict[str, bytes]:
    """Return the bytes of results and record, by their names."""
    try:
        if path.is_dir():
            if not {each.name for each in path.iterdir() if not is_litter(each.name)} <= WRITTEN:
                return {}
            return {name: bounded(path / name) for name in (RESULTS, RECORD) if (path / name).is_file()}
        with path.open("rb") as file:
            head = file.read(2)
        if head == b"PK":
            return _members(path)
        if path.suffix.lower() != ".json":
            return {}
        beside = path.with_name(RECORD)
        record = {RECORD: bounded(beside)} if path.name != RECORD and beside.is_file() else {}
        return {RESULTS: bounded(path), **record}
    except OSError:
        return {}


def _members(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with open_zip(path) as archive:
            files = [each for each in archive.infolist() if not each.is_dir() and not is_litter(each.filename)]
            if not {PurePosixPath(each.filename).name for each in files} <= WRITTEN:
                return {}
            for member in files:
                name = PurePosixPath(member.filename).name
                if name in (RESULTS, RECORD):
                    with archive.open(member) as file:
                        found[name] = _within(file.read(MOST_BYTES + 1))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError):
        # whatever it is, the readers of spectra name it
        return {}
    return found


def _within(content: bytes) -> bytes:
    if len(content) > MOST_BYTES:
        raise UserError("bad_results", "The results are larger than any run writes.", "Give a results.json of a run.")
    return content


def _record(content: bytes, results: bytes) -> Mapping[str, Any] | None:
    """Return the run record ``content`` where it is of these ``results``."""
    try:
        record = json.loads(content)
        written = record["outputs"]["results"]["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return record if written == hashlib.sha256(results).hexdigest() else None
