from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select, text

from core.errors import UserError
from tests.databases import fresh
from tests.phantom import Phantom
from tests.webapp.fakes import load, wait_for
from tests.webapp.study.sitting import answered, sit, study_of
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.clock import now
from webapp.store.database import connect
from webapp.store.erased import Erased
from webapp.store.erasure import Erasure
from webapp.store.folder_blobs import FolderBlobs
from webapp.store.records import JobRecord, ScanRecord
from webapp.store.schema import dropped_blob, metadata, rating, session, study, study_image
from webapp.store.scrubbing import scrub
from webapp.store.unfinished_work import UnfinishedWork

LONG = timedelta(days=1)


def files(services: Services) -> set[str]:
    """Return the names of all stored files."""
    return {path.name for path in services.blobs.root.rglob("*") if path.is_file()}


def ran(services: Services, head: Phantom, folder: Path, owner: str = "a") -> tuple[ScanRecord, ScanRecord, JobRecord]:
    """Return a scan, its mask and a finished run of ``owner``."""
    folder.mkdir(exist_ok=True)
    scan, mask = load(services, head, folder, owner)
    job_id = services.dispatcher.submit(owner, "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    for _ in services.dispatcher.next_job() or ():
        pass
    return scan, mask, wait_for(services, job_id, owner)


@pytest.fixture
def made(services: Services, head: Phantom, tmp_path: Path) -> tuple[ScanRecord, ScanRecord, JobRecord]:
    """A scan, its mask and a finished run of session a."""
    return ran(services, head, tmp_path / "of-a")


def test_a_run_goes_with_its_files_and_the_scans_stay(
    services: Services, made: tuple[ScanRecord, ScanRecord, JobRecord]
) -> None:
    scan, mask, job = made
    for client in ("client-of-a", "later-of-a"):
        services.repo.add_rating(job.id, "a", client, 3, 3, 3)
    for owner in ("b", "a"):
        if owner == "b":
            with pytest.raises(UserError) as refused:
                services.erasure.delete_job(job.id, owner)
            assert refused.value.code == "not_found"
        else:
            services.erasure.delete_job(job.id, owner)
    assert services.repo.jobs("a") == () and files(services) == {scan.blob, mask.blob}


def test_a_scan_takes_its_masks_and_runs_along_and_nothing_of_others(
    services: Services, made: tuple[ScanRecord, ScanRecord, JobRecord], head: Phantom, tmp_path: Path
) -> None:
    other, others_mask, others_job = ran(services, head, tmp_path / "of-b", "b")
    with pytest.raises(UserError):
        services.erasure.delete_scan(made[0].id, "b")
    services.erasure.delete_scan(made[0].id, "a")
    assert services.repo.scans("a") == () and services.repo.jobs("a") == ()
    assert files(services) == {other.blob, others_mask.blob, *(one.blob for one in others_job.artifacts)}


def test_what_a_job_still_needs_is_not_deleted(services: Services, head: Phantom, tmp_path: Path) -> None:
    scan, mask = load(services, head, tmp_path)
    job_id = services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    for delete, one in ((services.erasure.delete_scan, scan.id), (services.erasure.delete_job, job_id)):
        with pytest.raises(UserError) as refused:
            delete(one, "a")
        assert refused.value.code == "still_running"
    assert services.erasure.delete_old(now() + LONG, now()) == 0
    assert len(services.repo.scans("a")) == 2


def test_what_is_old_goes_unless_it_is_kept(
    services: Services, made: tuple[ScanRecord, ScanRecord, JobRecord], head: Phantom, tmp_path: Path
) -> None:
    scan, mask, job = made
    unkept = ran(services, head, tmp_path / "again")
    moment = now() + LONG
    services.erasure.keep_job(job.id, "a", moment + LONG)
    with pytest.raises(UserError):
        services.erasure.keep_scan(scan.id, "b", moment)
    assert services.erasure.delete_old(moment - LONG - LONG, moment) == 0
    assert services.erasure.delete_old(moment, moment) == len(unkept)
    # the scans that the kept run is about stay with it
    assert {one.id for one in services.repo.scans("a")} == {scan.id, mask.id}
    assert services.erasure.delete_old(moment + 2 * LONG, moment + 2 * LONG) == 3
    assert files(services) == set()


def test_a_kept_mask_keeps_its_scan_but_no_run(
    services: Services, made: tuple[ScanRecord, ScanRecord, JobRecord]
) -> None:
    scan, mask, _ = made
    services.erasure.keep_scan(mask.id, "a", now() + 3 * LONG)
    services.erasure.delete_old(now() + LONG, now() + LONG)
    assert {one.id for one in services.repo.scans("a")} == {scan.id, mask.id} and services.repo.jobs("a") == ()


def test_a_visitor_goes_whole_and_an_account_stays(
    services: Services, made: tuple[ScanRecord, ScanRecord, JobRecord], head: Phantom, tmp_path: Path
) -> None:
    owner = services.accounts.add("ada", "visitor", None).session
    ran(services, head, tmp_path / "of-ada", owner)
    services.owners.claim_page("page", "a")
    folder = services.settings.data / "uploads" / services.owners.begin_upload("a")
    folder.mkdir(parents=True)
    (folder / "t1.nii").write_bytes(b"scan")
    for one in ("a", owner):
        services.erasure.delete_session(one)
    assert files(services) == set() and not folder.exists()
    with services.repo.engine.begin() as connection:
        assert connection.scalars(select(session.c.id)).all() == [owner]
    assert services.accounts.find("ada").session == owner


@pytest.mark.parametrize(("stays", "answers"), [("answers", 1), ("nothing", 0)])
def test_of_a_study_stays_what_its_raters_agreed_to(
    services: Services, tmp_path: Path, stays: str, answers: int
) -> None:
    made = study_of(services, tmp_path / "images", "a", after_deletion=stays)
    _, sitting = sit(services, made, "Dr Label")
    assert ("answers stay" in sitting.state()["consent"]) is bool(answers)
    sitting.save(answered(sitting.showing(1)))
    services.studies.manage(services.studies.renew_key(made), "b")
    services.erasure.delete_session("a")
    # another manages it too
    assert services.studies.study(made.id, "b").closed is None and files(services)
    services.erasure.delete_session("b")
    assert files(services) == set()
    with services.repo.engine.begin() as connection:
        counted = [connection.scalar(select(func.count()).select_from(table)) for table in (study, rating)]
        assert counted == [answers, answers]
        assert bool(connection.scalar(select(func.count()).select_from(study_image))) is bool(answers)
    if answers:
        closed = services.studies.study(made.id, None)
        assert closed.closed and [one.label for one in services.studies.raters(closed)] == [""]


def test_all_goes_but_accounts(
    services: Services, made: tuple[ScanRecord, ScanRecord, JobRecord], tmp_path: Path
) -> None:
    known = services.accounts.add("ada", "visitor", None)
    services.browsers.admit(known)
    services.browsers.admit()
    sit(services, study_of(services, tmp_path / "images", "a"))
    services.erasure.delete_all()
    with services.repo.engine.begin() as connection:
        left = {
            table.name: count
            for table in metadata.sorted_tables
            if (count := connection.scalar(select(func.count()).select_from(table)))
        }
    assert left == {"account": 1, "session": 1, "browser": 1} and files(services) == set()


def test_a_server_that_ended_in_between_deletes_the_files_later(
    services: Services, made: tuple[ScanRecord, ScanRecord, JobRecord], tmp_path: Path
) -> None:
    lost = services.blobs.put(Path.touch)
    with services.repo.engine.begin() as connection:
        connection.execute(insert(dropped_blob).values(blob=lost.name))
    unfinished = UnfinishedWork(services.settings.data / "unfinished")
    erased = Erased(tmp_path / "erased.log")
    Erasure(services.repo.engine, services.blobs, services.settings.data, erased, unfinished).finish()
    assert lost.name not in files(services) and made[0].blob in files(services)
    with services.repo.engine.begin() as connection:
        assert connection.scalars(select(dropped_blob.c.blob)).all() == []


@pytest.fixture
def database(tmp_path: Path) -> Engine:
    """A database whose free pages hold what an earlier version has deleted."""
    engine = connect(f"sqlite:///{tmp_path}/test.db")
    fresh(engine)
    with engine.begin() as connection:
        connection.execute(insert(session).values(id="canary-of-a-session", created=now(), last_seen=now()))
    held = engine.raw_connection()
    for statement in ("PRAGMA secure_delete=OFF", "DELETE FROM session", "PRAGMA secure_delete=ON"):
        held.cursor().execute(statement)
    held.close()
    return engine


def test_nothing_deleted_is_left_in_the_database_file(database: Engine, tmp_path: Path) -> None:
    def left() -> bool:
        return any(b"canary-of-a-session" in path.read_bytes() for path in tmp_path.glob("test.db*"))

    assert left()
    with database.connect() as reader:
        reader.exec_driver_sql("SELECT 1")
        reader.rollback()
    assert scrub(database) and not left()
    with database.begin() as connection:
        assert connection.scalar(text("PRAGMA secure_delete")) == 1


def test_a_reader_puts_the_scrubbing_off(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.store.scrubbing.PATIENCE_MS", 1)
    assert scrub(services.repo.engine)
    with services.repo.engine.connect() as reader:
        reader = reader.execution_options(counterscan_reading=True)
        reader.execute(select(session)).all()
        services.repo.touch("x")
        assert not scrub(services.repo.engine)
    assert scrub(services.repo.engine)


def test_the_names_of_files_stand_in_no_error_of_the_database(settings: Settings, tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/empty.db")
    unfinished = UnfinishedWork(tmp_path / "unfinished")
    erasure = Erasure(engine, FolderBlobs(tmp_path / "blobs"), tmp_path, Erased(tmp_path / "erased.log"), unfinished)
    with pytest.raises(Exception, match="no such table") as failed:
        erasure.keep_scan("canary", "a", now())
    assert "canary" not in str(failed.value)
