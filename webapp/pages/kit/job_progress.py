"""How far a job is, for the progress bar."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from webapp.pages.kit.text import seconds
from webapp.pages.kit.viewer import Bar
from webapp.store.records import JobRecord


def progress(job: JobRecord | None, preview: bytes | None = None) -> Bar:
    """Return the state of the progress bar; ``preview`` is a PNG of what the result looks like so far."""
    if job is None or job.state not in ("queued", "running"):
        return {"shown": False, "percent": 0, "text": "", "picture": ""}
    if job.state == "queued":
        place = f"Waiting, place {job.position} in the queue" if job.position else "Waiting"
        return {"shown": True, "percent": 0, "text": place, "picture": ""}
    picture = f"data:image/png;base64,{base64.b64encode(preview).decode()}" if preview else ""
    passed = None if job.started is None else (datetime.now(UTC) - job.started).total_seconds()
    text = f"{job.text or 'Starting'} · {seconds(passed)}" if passed is not None else job.text or "Starting"
    return {"shown": True, "percent": min(100, int(100 * job.fraction)), "text": text, "picture": picture}
