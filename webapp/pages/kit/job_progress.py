"""How far a job is, for the progress bar."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from webapp.pages.kit.text import seconds, span
from webapp.pages.kit.viewer import Bar
from webapp.store.records import JobRecord

# of the work that must be done before what is left can be guessed
ENOUGH = 0.15


def progress(job: JobRecord | None, preview: bytes | None = None) -> Bar:
    """Return the state of the progress bar; ``preview`` is a PNG of what the result looks like so far."""
    if job is None or job.state not in ("queued", "running"):
        return {"shown": False, "percent": 0, "text": "", "picture": ""}
    if job.state == "queued":
        place = f"Waiting, place {job.position} in the queue" if job.position else "Waiting"
        return {"shown": True, "percent": 0, "text": place, "picture": ""}
    picture = f"data:image/png;base64,{base64.b64encode(preview).decode()}" if preview else ""
    passed = None if job.started is None else (datetime.now(UTC) - job.started).total_seconds()
    text = job.text or "Starting"
    if passed is not None:
        text = " · ".join((text, seconds(passed), *_left(passed, job.fraction)))
    return {"shown": True, "percent": min(100, int(100 * job.fraction)), "text": text, "picture": picture}


def _left(passed: float, fraction: float) -> tuple[str, ...]:
    """Return in words how many seconds a job that took ``passed`` for ``fraction`` of its work still needs."""
    if not ENOUGH <= fraction < 1:
        return ()
    left = passed * (1 - fraction) / fraction
    return (f"about {span(left, left)} left",)
