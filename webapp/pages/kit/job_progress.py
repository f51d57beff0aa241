"""How far a job is, for the progress bar."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

from webapp.pages.kit.text import seconds, span
from webapp.store.records import JobRecord, Standing

# of the work that must be done before what is left can be guessed
ENOUGH = 0.15
# seconds until a page looks again: at a job that runs or is next, and at one that waits behind others
SOON, LATER = 0.7, 2.0


class Bar(TypedDict):
    """The state of the progress bar of a job; picture: the address of what the result looks like so far, "" without.

    again: seconds until the page looks again.
    """

    shown: bool
    job: str
    percent: int
    text: str
    picture: str
    again: float


def progress(job: JobRecord | Standing | None, picture: str = "") -> Bar:
    """Return the state of the progress bar."""
    if job is None or job.over:
        return {"shown": False, "job": "", "percent": 0, "text": "", "picture": "", "again": SOON}
    bar: Bar = {"shown": True, "job": job.id, "percent": 0, "text": "Waiting", "picture": "", "again": SOON}
    if job.state == "queued":
        if job.position:
            bar["text"] = f"Waiting, place {job.position} in the queue"
            bar["again"] = SOON if job.position == 1 else LATER
        return bar
    passed = None if job.started is None else (datetime.now(UTC) - job.started).total_seconds()
    text = job.text or "Starting"
    if passed is not None:
        text = " · ".join((text, seconds(passed), *_left(passed, job.fraction)))
    return {**bar, "percent": min(100, int(100 * job.fraction)), "text": text, "picture": picture}


def _left(passed: float, fraction: float) -> tuple[str, ...]:
    """Return in words how many seconds a job that took ``passed`` for ``fraction`` of its work still needs."""
    if not ENOUGH <= fraction < 1:
        return ()
    left = passed * (1 - fraction) / fraction
    return (f"about {span(left, left)} left",)
