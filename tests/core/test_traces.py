from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest

from core.errors import UserError
from core.traces import JsonLines, name_of, trace_of
from tests.source import ROOT
from tests.waiting import LONGEST

CANARY = "canary-name"


def caught() -> BaseException:
    """Return an exception for two reasons, each with words of a visitor's."""
    try:
        try:
            raise UserError("not_nifti", f"{CANARY}.nii is a PNG.", "Convert it.")
        except UserError as error:
            raise OSError(28, os.strerror(28), f"/home/{CANARY}") from error
    except OSError as error:
        return error


def test_a_trace_has_places_and_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERSCAN_DEBUG", raising=False)
    lines = trace_of(caught()).splitlines()
    assert [line for line in lines if line[0] != " "] == ["UserError: not_nifti", "OSError: No space left on device"]
    assert any("tests/core/test_traces.py:" in line and line.endswith(" caught") for line in lines)
    assert name_of(ValueError(CANARY)) == "ValueError"
    monkeypatch.setenv("COUNTERSCAN_DEBUG", "1")
    assert CANARY in trace_of(caught())


def test_an_exception_raised_from_none_has_no_past() -> None:
    try:
        try:
            raise ValueError
        except ValueError:
            raise KeyError from None
    except KeyError as error:
        assert "ValueError" not in trace_of(error)


def test_a_line_is_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERSCAN_DEBUG", raising=False)
    error = caught()
    record = logging.LogRecord("core", logging.ERROR, "", 1, "job failed", (), (type(error), error, None))
    line = json.loads(JsonLines().format(record))
    assert (line["event"], line["level"], line["process"]) == ("job failed", "error", os.getpid())
    assert line["timestamp"].endswith("Z") and CANARY not in str(line)
    plain = JsonLines().format(logging.LogRecord("core", logging.WARNING, "", 1, "after", (), None))
    assert "exception" not in json.loads(plain)


def test_a_process_that_computes_writes_such_lines() -> None:
    code = f"""
import logging
from core.traces import log_to_stderr
log_to_stderr()
try:
    raise ValueError({CANARY!r})
except ValueError:
    logging.getLogger("core").exception("job failed")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=LONGEST)
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["exception"].endswith("\nValueError") and CANARY not in line
