"""The rows of a long run's CSV file, and its stop on a signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from core.train.checkpoint import Clock


class Curve:
    """A CSV file that grows row by row, its first column the step.

    clock: where the run goes on; rows of later steps, which a crash left behind, are dropped.
    """

    def __init__(self, path: Path, columns: Sequence[str], clock: Clock) -> None:
        self._path = path
        head = ",".join(columns)
        text = path.read_text() if path.is_file() else ""
        # a row that was being written ends without a line break
        lines = text[: text.rfind("\n") + 1].splitlines()[1:]
        kept = [line for line in lines if int(line.partition(",")[0]) <= clock.step]
        temporary = path.with_name(path.name + ".part")
        temporary.write_text("\n".join([head, *kept]) + "\n")
        temporary.replace(path)

    def add(self, *values: float) -> None:
        """Append one row."""
        with self._path.open("a") as opened:
            opened.write(",".join(f"{value:.6g}" if isinstance(value, float) else str(value) for value in values))
            opened.write("\n")


class Stop:
    """Notes SIGTERM and SIGINT while it is entered, so that the step in hand ends and the state is saved."""

    def __init__(self) -> None:
        self.wanted = False

    def __enter__(self) -> Self:
        # only the main thread may set handlers; elsewhere the plan alone ends a run
        self._former = {}
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.wanted = True
