"""What a command writes while it works: one line an event, and how long a long run will still take."""

from __future__ import annotations

import pytest

from core.commands.terminal import ProgressLines
from core.events import Progress, Started


def test_a_long_run_has_the_time_that_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moment = 100.0
    monkeypatch.setattr("core.commands.terminal.time.monotonic", lambda: moment)
    lines = ProgressLines()
    lines(Started("cpu"))
    moment += 5
    lines(Progress(0.5, 1, 2, "Early"))
    moment += 55
    lines(Progress(0.01, 1, 2, "Hardly begun"))
    lines(Progress(0.2, 1, 2, "Minutes"))
    lines(Progress(0.75, 1, 2, "Seconds"))
    lines(Progress(1.0, 2, 2, "Done"))
    assert capsys.readouterr().err.splitlines() == [
        "Running on cpu",
        " 50%  Early 1/2",
        "  1%  Hardly begun 1/2",
        " 20%  Minutes 1/2, about 4 min left",
        " 75%  Seconds 1/2, about 20 s left",
        "100%  Done 2/2",
    ]
