"""What a running server does now and then beside its jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

TICK_SECONDS = 60.0


class Housekeeping:
    """Does every piece of ``work`` (name -> what to do) at the start and then every ``tick`` seconds, in a thread."""

    def __init__(self, work: Mapping[str, Callable[[], object]], tick: float = TICK_SECONDS) -> None:
        self._work = work
        self._tick = tick
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once what is being done is done."""
        self._stopping.set()
        self._thread.join()

    def once(self) -> None:
        """Do every piece of work; one that fails is logged and done again the next time."""
        for name, work in self._work.items():
            try:
                work()
            except Exception:
                log.exception("housekeeping failed; trying again later", extra={"work": name})

    def _run(self) -> None:
        while True:
            self.once()
            if self._stopping.wait(self._tick):
                return
