from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator

import pytest
from structlog.contextvars import bound_contextvars

from core.errors import UserError
from webapp.telemetry import log as lines
from webapp.telemetry.recent_errors import KEPT, RecentErrors

CANARY = "canary-name"
UPLOAD = f"/data/uploads/{'a' * 32}/{'b' * 64}/{CANARY}.nii.gz"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the log writes."""
    root, stream = logging.getLogger(), io.StringIO()
    kept, level = list(root.handlers), root.level
    lines.set_up(stream)
    yield stream
    root.handlers[:] = kept
    root.setLevel(level)


def fail() -> None:
    """Fail for three reasons, each with words of a visitor's."""
    try:
        try:
            raise UserError("not_nifti", f"{CANARY}.nii is a PNG.", "Convert it.")
        except UserError as error:
            raise FileNotFoundError(2, os.strerror(2), f"/home/{CANARY}") from error
    except OSError:
        raise ValueError(f"could not convert {CANARY}")  # noqa: B904 - so that it has a context, no cause


def test_a_line_is_an_object_with_ids_alone(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERSCAN_DEBUG", raising=False)
    log = logging.getLogger("webapp.some")
    with bound_contextvars(request="r1"):
        try:
            fail()
        except ValueError:
            log.exception("job %s broke at %s", "j1", UPLOAD, extra={"session": "s1"})
    log.info("after")
    first, second = map(json.loads, written.getvalue().splitlines())
    assert CANARY not in written.getvalue()
    assert first["event"] == f"job j1 broke at /data/uploads/{'a' * 32}/*"
    assert (first["level"], first["logger"], first["request"], first["session"]) == ("error", "webapp.some", "r1", "s1")
    assert first["timestamp"].endswith("Z")
    trace = first["exception"].splitlines()
    named = [line for line in trace if not line.startswith(" ")]
    assert named == ["UserError: not_nifti", "FileNotFoundError: No such file or directory", "ValueError"]
    assert any(line.startswith("  webapp/telemetry/test_log.py:") and line.endswith(" fail") for line in trace)
    assert (second["event"], "request" in second) == ("after", False)


def test_debugging_shows_the_sentences(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSCAN_DEBUG", "1")
    try:
        fail()
    except ValueError:
        logging.getLogger("webapp").exception("broke")
    assert json.loads(written.getvalue())["exception"].endswith(f"ValueError: could not convert {CANARY}")


def test_a_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("webapp", logging.INFO, "", 1, "at %s", (UPLOAD,), None)
    line = lines.formatter(json=False).format(record)
    assert "info" in line and CANARY not in line and not line.startswith("{")


def test_the_newest_errors_are_kept_by_name() -> None:
    errors, log = RecentErrors(), logging.getLogger("webapp.other")
    errors.begin()
    try:
        log.warning("no error")
        for turn in range(KEPT + 5):
            log.error("error %d", turn, extra={"job": f"j{turn}"})
        with bound_contextvars(request="r2"):
            try:
                fail()
            except ValueError:
                log.exception("read %s", UPLOAD)
    finally:
        errors.end()
    log.error("unheard")
    newest = errors.newest()
    assert len(newest) == KEPT and (newest[0].exception, newest[0].id) == ("ValueError", "r2")
    assert newest[1].text == f"error {KEPT + 4}"
    assert (newest[1].module, newest[1].id) == ("webapp.other", f"j{KEPT + 4}")
    assert not any(CANARY in str(one) for one in newest)
