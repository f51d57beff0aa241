"""Turns at the one write lock of an SQLite file: the threads of a process write in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque


class WriteTurns:
    """A lock that is handed over in order of arrival.

    SQLite itself has no queue: whoever happens to look when the lock is free gets it, and a thread that writes without
    pauses can keep others away for as long as they wait. It counts for one process; between processes SQLite decides.
    patience: seconds that a turn is waited for.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    def take(self) -> bool:
        """Wait for a turn, which lasts until ``give``; False when it did not come in time."""
        turn = threading.Event()
        with self._mutex:
            if not self._taken:
                self._taken = True
                return True
            self._waiting.append(turn)
        if turn.wait(self._patience):
            return True
        with self._mutex:
            if turn.is_set():
                # it came while this thread gave up
                return True
            self._waiting.remove(turn)
            return False

    def give(self) -> None:
        """End a turn: the next is that of the thread that waits longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
