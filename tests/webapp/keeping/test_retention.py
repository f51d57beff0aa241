from __future__ import annotations

import logging
import os
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.phantom import Phantom
from tests.webapp.door.visits import session_in, upload, visit
from tests.webapp.fakes import ORIGIN, FakeEngine, services_of, stub_page, wait_for
from webapp.app import create_app
from webapp.door.uploads import Uploads
from webapp.intake.scans import accept
from webapp.keeping.retention import Retention
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.clock import now
from webapp.telemetry.log import formatter

CANARY = "canary-7f3a"
MINUTE = timedelta(minutes=1)


def traces(folder: Path, needles: list[bytes]) -> list[str]:
    """Return the files below ``folder`` whose names or bytes have one of ``needles``."""
    return [
        path.name
        for path in folder.rglob("*")
        if any(needle in (bytes(path) + path.read_bytes() if path.is_file() else bytes(path)) for needle in needles)
    ]


def test_no_byte_of_a_scan_is_left_after_its_time(
    tmp_path: Path, head: Phantom, caplog: pytest.LogCaptureFixture
) -> None:
    """A demo with a retention of a minute: rows, files, uploads, the write-ahead log and the log of the server."""
    caplog.set_level(logging.DEBUG)
    caplog.handler.setFormatter(formatter(json=True))
    data = tmp_path / "data"
    settings = Settings(data=data, warm=False, disk_reserve_mb=1, public_demo=True, retention_hours=1 / 60)
    server = create_app(settings, page=stub_page, engine=FakeEngine)
    services = services_of(server)
    with TestClient(server, base_url=ORIGIN):
        client = visit(lambda: TestClient(server, base_url=ORIGIN, headers={"origin": ORIGIN}))
        session = session_in(services, client)
        t1, lesion = head.write(tmp_path)
        unused = Path(upload(client, CANARY.encode(), f"{CANARY}.nii"))
        scan = accept(services, t1, f"{CANARY}.nii.gz", session)
        mask = accept(services, lesion, f"{CANARY}-mask.nii.gz", session, "mask", scan.id)
        job_id = services.dispatcher.submit(session, "inpaint", {"t1": scan.id, "mask": mask.id}, {})
        job = wait_for(services, job_id, session)
        files = [services.blobs.path(one).read_bytes() for one in (scan.blob, mask.blob, job.artifacts[0].blob)]
        needles = [CANARY.encode(), scan.blob.encode(), scan.id.encode(), *(file[100:132] for file in files)]
        (data / "backups" / "daily").mkdir(parents=True)
        (data / "backups" / "daily" / "copy.db").write_bytes(b"x" + needles[0])
        (data / "incoming" / "half.nii").write_bytes(needles[0])
        assert len(traces(data, needles)) >= 6
        logging.getLogger("webapp").error("unreadable: %s", unused)
        swept(services, data, timedelta(seconds=30))
        assert services.repo.jobs(session) and unused.exists()
        age(data, unused.parents[1], data / "incoming", data / "backups")
        swept(services, data, 2 * MINUTE)
        assert services.repo.jobs(session) == () and traces(data, needles) == []
        assert list((data / "backups").iterdir()) == []
    assert traces(data, needles) == []
    assert CANARY not in caplog.text and unused.parents[1].name in caplog.text


def swept(services: Services, data: Path, by: timedelta) -> None:
    """Sweep as the server does, so much later."""
    retention = Retention(services, lambda: now() + by)
    uploads = Uploads(
        (data / "uploads").resolve(), services.owners, retention.life_of_uploads, lambda: (now() + by).timestamp()
    )
    uploads.sweep()
    retention.sweep()


def age(data: Path, *folders: Path) -> None:
    """Make what lies in folders two hours old."""
    old = (now() - timedelta(hours=2)).timestamp()
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.utime(path, (old, old))


def test_nothing_is_deleted_by_age_on_a_machine_of_ones_own(services: Services, tmp_path: Path) -> None:
    backup = services.settings.data / "backups" / "copy.db"
    backup.parent.mkdir()
    backup.write_bytes(b"x")
    os.utime(backup, (0, 0))
    scan = services.blobs.put(Path.touch)
    retention = Retention(services, lambda: now() + timedelta(days=3650))
    retention.sweep()
    assert backup.exists() and services.blobs.path(scan.name).exists()
    assert (retention.tick, retention.life_of_uploads) == (60.0, 3600.0)


@pytest.mark.parametrize(
    ("given", "age", "backups"),
    [
        ({}, None, None),
        ({"public_demo": True}, timedelta(hours=24), timedelta(hours=24)),
        ({"public_demo": True, "retention_hours": 0}, None, None),
        ({"retention_hours": 2, "backup_hours": 1}, timedelta(hours=2), timedelta(hours=1)),
        ({"retention_hours": 2, "backup_hours": 0}, timedelta(hours=2), None),
    ],
)
def test_a_demo_deletes_after_a_day_unless_told_otherwise(
    given: dict[str, float], age: timedelta | None, backups: timedelta | None
) -> None:
    settings = Settings.model_validate(given)
    assert (settings.retention, settings.backup_life) == (age, backups)
