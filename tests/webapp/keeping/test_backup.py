from __future__ import annotations

import hashlib
import io
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from core.errors import UserError
from tests.phantom import Phantom
from tests.webapp.fakes import FakeEngine, load
from webapp import console
from webapp.app import build_services
from webapp.jobs.dispatcher import Dispatcher
from webapp.keeping.backup import back_up
from webapp.keeping.deletion import delete_all_of
from webapp.keeping.restore import restore
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.clock import now
from webapp.store.data_lock import DataLock
from webapp.store.database import configuration, connect
from webapp.store.database_copy import copy_database, schema_of
from webapp.store.records import JobRecord, ScanRecord

Opened = Callable[[Settings], Services]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens a store and closes it at the end of the test."""
    every: list[Services] = []

    def opening(settings: Settings) -> Services:
        every.append(build_services(settings, FakeEngine))
        return every[-1]

    yield opening
    for services in every:
        services.repo.engine.dispose()


@pytest.fixture
def fresh(tmp_path: Path) -> Settings:
    """Settings of a server on another, empty folder."""
    return Settings(data=tmp_path / "fresh", warm=False, disk_reserve_mb=1)


def ran(services: Services, head: Phantom, folder: Path, owner: str = "a") -> tuple[ScanRecord, JobRecord]:
    """Return a scan and a finished run of ``owner``."""
    scan, mask = load(services, head, folder, owner)
    job_id = services.dispatcher.submit(owner, "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    finish(services.dispatcher)
    return scan, services.repo.job(job_id, owner)


def finish(dispatcher: Dispatcher) -> None:
    while (steps := dispatcher.next_job()) is not None:
        for _ in steps:
            pass


def readable(services: Services, owner: str) -> int:
    """Return how many files a visitor has; each is there, as it was stored."""
    names = [scan.blob for scan in services.repo.scans(owner)]
    names += [one.blob for job in services.repo.jobs(owner) for one in job.artifacts]
    with sqlite3.connect(services.settings.data / "counterscan.db") as connection:
        stored = dict(connection.execute("SELECT blob, sha256 FROM scan UNION SELECT blob, sha256 FROM artifact"))
    connection.close()
    for name in names:
        assert hashlib.sha256(services.blobs.path(name).read_bytes()).hexdigest() == stored[name]
    return len(names)


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_restored_store_reads_all(
    services: Services, head: Phantom, fresh: Settings, opened: Opened, tmp_path: Path, name: str
) -> None:
    scan, job = ran(services, head, tmp_path)
    place, about = back_up(services.settings, tmp_path / name)
    assert place == tmp_path / name and (about.files, about.damaged) == (5, ())
    done = restore(fresh, place)
    assert (done.about, done.deleted) == (about, 0)
    again = opened(fresh)
    assert readable(again, "a") == 5
    assert again.repo.job(job.id, "a") == services.repo.job(job.id, "a")
    assert again.blobs.path(scan.blob).read_bytes() == services.blobs.path(scan.blob).read_bytes()
    assert sorted(path.name for path in fresh.data.iterdir() if path.suffix != ".log") == [
        "blobs", "counterscan.db", "counterscan.db-shm", "counterscan.db-wal", "server.lock",
    ]  # fmt: skip
    assert list((services.settings.data / "work").iterdir()) == []


def test_a_backup_is_whole_while_others_write_and_delete(
    services: Services, head: Phantom, fresh: Settings, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three backups while one visitor comes and goes; whatever moment they show, rows and files fit together."""
    over = threading.Event()
    copies: list[int] = []
    ran(services, head, tmp_path, "stays")

    def come_and_go() -> None:
        turn = 0
        while not over.is_set():
            turn += 1
            folder = tmp_path / f"turn-{turn}"
            folder.mkdir()
            ran(services, head, folder, f"guest-{turn}")
            if turn > 1:
                delete_all_of(services, f"guest-{turn - 1}")

    visitor = threading.Thread(target=come_and_go)
    visitor.start()
    try:
        places = []
        for turn in range(3):
            place, about = back_up(services.settings, tmp_path / f"{turn}.tar")
            places.append(place)
            copies.append(about.files)
    finally:
        over.set()
        visitor.join()
    assert min(copies) >= 5
    for turn, place in enumerate(places):
        settings = fresh.model_copy(update={"data": tmp_path / f"fresh-{turn}"})
        restore(settings, place)
        again = opened(settings)
        assert readable(again, "stays") == 5
        assert {path.name for path in again.blobs.root.glob("*/*")} == again.repo.blobs()


def test_what_is_deleted_between_database_and_files_is_not_in_the_backup(
    services: Services, head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(services, head, tmp_path, "stays")
    ran(services, head, tmp_path, "goes")
    copies: list[Path] = []

    def copied_and_deleted(source: Path, target: Path) -> None:
        copy_database(source, target)
        copies.append(target)
        if len(copies) == 1:
            delete_all_of(services, "goes")

    monkeypatch.setattr("webapp.keeping.backup.copy_database", copied_and_deleted)
    assert (back_up(services.settings, tmp_path / "copy")[1].files, len(copies)) == (5, 2)


def test_what_was_deleted_after_the_backup_does_not_come_back(
    services: Services, head: Phantom, fresh: Settings, opened: Opened, tmp_path: Path
) -> None:
    """The list of deletions is enough; an older database that somebody put back by hand is corrected at a start too."""
    scan, _ = ran(services, head, tmp_path, "a")
    _, run = ran(services, head, tmp_path, "b")
    ran(services, head, tmp_path, "c")
    place, _ = back_up(services.settings, tmp_path / "copy.tar")
    services.erasure.delete_scan(scan.id, "a")
    services.erasure.delete_job(run.id, "b")
    listed = services.settings.data / "erased.log"
    assert scan.blob not in listed.read_text() and scan.id not in listed.read_text()
    fresh.data.mkdir()
    shutil.copy(listed, fresh.data)
    assert restore(fresh, place).deleted == 4  # a scan, its mask, the run on them; another run
    again = opened(fresh)
    assert (readable(again, "a"), readable(again, "b"), readable(again, "c")) == (0, 2, 5)
    assert len(list(again.blobs.root.glob("*/*"))) == 7
    assert again.erasure.repeat() == 0
    older = fresh.model_copy(update={"data": tmp_path / "older"})
    restore(older, place)
    shutil.copy(listed, older.data)
    by_hand = opened(older)
    assert readable(by_hand, "a") == 5
    assert by_hand.erasure.repeat() == 4 and readable(by_hand, "a") == 0


def test_what_is_too_old_does_not_come_back(
    services: Services, head: Phantom, fresh: Settings, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(services, head, tmp_path)
    place, _ = back_up(services.settings, None)
    assert place.parent == services.settings.data / "backups"
    monkeypatch.setattr("webapp.keeping.restore.now", lambda: now() + timedelta(hours=2))
    demo = fresh.model_copy(update={"retention_hours": 1.0})
    assert restore(demo, place).deleted == 3
    assert opened(demo).repo.scans("a") == ()


def test_a_backup_of_an_earlier_version_is_brought_up_to_date(fresh: Settings, opened: Opened, tmp_path: Path) -> None:
    older = Settings(data=tmp_path / "older")
    older.data.mkdir()
    database = connect(older.url)
    with database.begin() as connection:
        command.upgrade(configuration(connection), "0004")
        connection.execute(
            text("INSERT INTO session (id, created, last_seen) VALUES ('a', '2026-01-01', '2026-01-01')")
        )
    database.dispose()
    place, about = back_up(older, tmp_path / "copy")
    assert about.schema == "0004"
    restore(fresh, place)
    assert schema_of(fresh.data / "counterscan.db") > "0004"
    assert opened(fresh).overview.visitor("a").scans == 0


def test_visits_of_accounts_and_links_end_and_other_visits_stay(
    services: Services, head: Phantom, fresh: Settings, opened: Opened, tmp_path: Path
) -> None:
    """They may have been ended since the backup."""
    job = ran(services, head, tmp_path)[1]
    services.shares.add(job.id, "a", now() + timedelta(hours=1))
    _, token = services.tokens.add("a", None, "", now() + timedelta(hours=1))
    account = services.accounts.add("ann", "visitor", "correct horse")
    cookies = [services.browsers.admit(who)[1] for who in (account, None)]
    restore(fresh, back_up(services.settings, tmp_path / "copy")[0])
    again = opened(fresh)
    assert [again.browsers.find(cookie) is not None for cookie in cookies] == [False, True]
    assert again.shares.of("a") == () and len(services.shares.of("a")) == 1
    assert again.tokens.find(token) is None and services.tokens.find(token) is not None
    assert again.accounts.sign_in("ann", "correct horse").session == account.session


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(
    services: Services, head: Phantom, fresh: Settings, tmp_path: Path, name: str
) -> None:
    scan, _ = ran(services, head, tmp_path)
    place, _ = back_up(services.settings, tmp_path / name)
    damaged = place / "blobs" / scan.blob[:2] / scan.blob if place.is_dir() else place
    content = bytearray(damaged.read_bytes())
    content[-len(content) // 3] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(UserError) as refused:
        restore(fresh, place)
    assert refused.value.code == "backup_damaged"
    assert [path.name for path in fresh.data.iterdir()] == ["server.lock"]


def hostile(path: Path, place: str) -> Path:
    """A tar file with one member at a place of its own."""
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo(place)
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    return path


def test_what_is_no_backup_is_refused(services: Services, fresh: Settings, tmp_path: Path) -> None:
    services.repo.touch("a")
    cut = tmp_path / "cut.tar"
    cut.write_bytes(back_up(services.settings, tmp_path / "whole.tar")[0].read_bytes()[:3000])
    newer = tmp_path / "newer"
    shutil.copytree(back_up(services.settings, tmp_path / "folder")[0], newer)
    told = (newer / "backup.json").read_text()
    (newer / "backup.json").write_text(told.replace('"schema": "', '"schema": "9'))
    wrong = tmp_path / "wrong.tar"
    wrong.write_bytes(b"no archive")
    given = {
        cut: "backup_damaged", newer: "backup_newer", wrong: "backup_damaged", tmp_path / "none": "no_backup",
        hostile(tmp_path / "up.tar", "../evil"): "backup_damaged",
        hostile(tmp_path / "a.tar", "/evil"): "backup_damaged",
    }  # fmt: skip
    for place, code in given.items():
        with pytest.raises(UserError) as refused:
            restore(fresh, place)
        assert refused.value.code == code, place
    assert [path.name for path in fresh.data.iterdir()] == ["server.lock"]


def test_a_restore_replaces_nothing(services: Services, head: Phantom, fresh: Settings, tmp_path: Path) -> None:
    ran(services, head, tmp_path)
    place, _ = back_up(services.settings, tmp_path / "copy")
    for code, settings in (("store_there", services.settings), ("data_in_use", fresh)):
        with DataLock(fresh.data), pytest.raises(UserError) as refused:
            restore(settings, place)
        assert refused.value.code == code
    with pytest.raises(UserError) as refused:
        back_up(services.settings, place)
    assert refused.value.code == "backup_there"


def test_files_that_the_store_lost_are_named(
    services: Services, head: Phantom, fresh: Settings, opened: Opened, tmp_path: Path
) -> None:
    scan, job = ran(services, head, tmp_path)
    services.blobs.path(scan.blob).unlink()
    changed = job.artifacts[1].blob
    services.blobs.path(changed).write_bytes(b"other")
    with pytest.raises(UserError) as told:
        back_up(services.settings, tmp_path / "copy.tar")
    assert told.value.code == "backup_incomplete" and "2 of its files" in told.value.message
    assert set(restore(fresh, tmp_path / "copy.tar").about.damaged) == {scan.blob, changed}
    assert opened(fresh).repo.scan(scan.id, "a").blob == scan.blob


def test_other_databases_have_tools_of_their_own(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, database_url="postgresql+psycopg://there/counterscan")
    for act in (lambda: back_up(settings, tmp_path / "copy"), lambda: restore(settings, tmp_path / "copy")):
        with pytest.raises(UserError) as refused:
            act()
        assert refused.value.code == "backup_elsewhere" and "pg_dump" in refused.value.hint


def test_both_are_commands(
    services: Services,
    head: Phantom,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ran(services, head, tmp_path)
    monkeypatch.setenv("COUNTERSCAN_DATA", str(services.settings.data))
    assert console.main(["backup", str(tmp_path / "copy.tar")]) == 0
    assert "5 files" in capsys.readouterr().out and (tmp_path / "copy.tar").stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("COUNTERSCAN_DATA", str(tmp_path / "fresh"))
    assert console.main(["restore", str(tmp_path / "copy.tar")]) == 0
    assert "5 files" in capsys.readouterr().out
    assert console.main(["backup", str(tmp_path / "copy.tar")]) == 2
    monkeypatch.setenv("COUNTERSCAN_DATA", str(tmp_path / "nothing"))
    assert console.main(["backup"]) == 2
    assert "[no_store]" in capsys.readouterr().err
