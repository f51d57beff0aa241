"""A store at work until it is killed: ``python -m tests.fault.keeper DATA HEADS``.

Each line on its input starts it anew once the one before has died; the first line it writes names the process. It takes
scans in, runs jobs on them and deletes, and writes what it has done, a line each, once it is done. HEADS: a folder with
a scan and its mask.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from core.errors import UserError
from tests.webapp.fakes import FakeEngine
from webapp.app import build_services
from webapp.intake.scans import accept
from webapp.settings import Settings

OWNER = "a"


def work(data: Path, heads: Path) -> None:
    """Work until killed."""
    # jobs of those that were killed hold no place
    settings = Settings(
        data=data, warm=False, disk_reserve_mb=1,
        queue_per_session=10_000, queue_total=10_000, running_per_session=10_000, jobs_per_day=100_000,
    )  # fmt: skip
    services = build_services(settings, FakeEngine)
    came = data / "came"
    came.mkdir(exist_ok=True)

    def taken(name: str, role: str, scan: str | None = None) -> str:
        shutil.copy(heads / name, came / name)
        return accept(services, came / name, name, OWNER, role, scan).id  # type: ignore[arg-type]

    while True:
        scan = taken("T1.nii.gz", "volume")
        told(f"scan {scan}")
        mask = taken("mask.nii.gz", "mask", scan)
        told(f"scan {mask}")
        job = services.dispatcher.submit(OWNER, "inpaint", {"t1": scan, "mask": mask}, {})
        told(f"job {job}")
        while (steps := services.dispatcher.next_job()) is not None:
            for _ in steps:
                pass
        told(f"done {job}")
        oldest = services.repo.scans(OWNER)[-1].id
        if len(services.repo.scans(OWNER)) > 8:
            told(f"deleting {oldest}")
            # a run on it that died with the server before counts as running until its lease is over
            with suppress(UserError):
                services.erasure.delete_scan(oldest, OWNER)
                told(f"deleted {oldest}")


def told(line: str) -> None:
    """Write a line at once."""
    os.write(1, f"{line}\n".encode())


def main(data: Path, heads: Path) -> None:
    """Start the work for each line that is read, one after the other."""
    for _ in sys.stdin:
        worker = os.fork()
        if worker == 0:
            told(f"pid {os.getpid()}")
            work(data, heads)
        os.waitpid(worker, 0)
        told("over")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
