"""The states of a job: every step from one to the next, and who may write it.

``Queue`` writes nothing but these steps; docs/architecture.md has the same table, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["queued", "running", "done", "failed", "cancelled"]
# visitor: the session that owns the job; slot: whatever takes jobs to run them; holder: the slot whose claim holds;
# server: any server on this database
Writer = Literal["visitor", "slot", "holder", "server"]

OVER: tuple[State, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Step:
    """One kind of write: the states it may find, the states it may leave, and its writer."""

    name: str
    before: tuple[State, ...]
    after: tuple[State, ...]
    writer: Writer

    def require(self, writer: Writer, after: State) -> None:
        """Raise ValueError for a writer or a state that the table does not allow."""
        if writer != self.writer or after not in self.after:
            raise ValueError(f"{self.name}: not for {writer}, or not to {after}")


SUBMIT = Step("submit", (), ("queued",), "visitor")
CANCEL = Step("cancel", ("queued", "running"), ("cancelled",), "visitor")
CLAIM = Step("claim", ("queued",), ("running",), "slot")
RENEW = Step("renew", ("running",), ("running",), "holder")
FINISH = Step("finish", ("running",), ("done",), "holder")
FAIL = Step("fail", ("running",), ("failed", "queued"), "holder")
LOSE = Step("lose", ("running",), ("queued", "failed"), "holder")
RELEASE = Step("release", ("running",), ("queued",), "holder")
RECLAIM = Step("reclaim", ("running",), ("queued", "failed"), "server")
