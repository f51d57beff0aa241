"""Backups made to harm: each is refused in plain words, and nothing is written but in the data folder."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserError
from tests.databases import fresh
from tests.spent import little_work
from webapp.keeping.backup import back_up
from webapp.keeping.restore import restore
from webapp.settings import Settings
from webapp.store.database import connect
from webapp.store.folder_blobs import FolderBlobs

ID, BLOB = "a" * 32, f"{'b' * 40}.nii"
DAY = "2026-01-01 00:00:00"
CONTENT = b"voxels" * 1000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a sound backup of one scan, by their places."""
    folder = tmp_path_factory.mktemp("sound")
    chosen = Settings(data=folder / "data")
    blobs = FolderBlobs(chosen.data / "blobs")
    blobs.path(BLOB).parent.mkdir()
    blobs.path(BLOB).write_bytes(CONTENT)
    engine = connect(chosen.url)
    fresh(engine)
    engine.dispose()
    with closing(sqlite3.connect(chosen.data / "counterscan.db")) as database, database:
        fill(database, "session", id=ID, created=DAY, last_seen=DAY)
        digest = hashlib.sha256(CONTENT).hexdigest()
        fill(database, "scan", id=ID, session=ID, blob=BLOB, sha256=digest, created=DAY, token=ID)
    place, _ = back_up(chosen, folder / "copy")
    return {
        path.relative_to(place).as_posix(): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()
    }


def fill(database: sqlite3.Connection, table: str, **values: object) -> None:
    """Insert a row; what must have a value and is not given one is 1 or []."""
    for _, name, kind, needed, default, _ in database.execute(f"PRAGMA table_info({table})").fetchall():
        if needed and default is None and name not in values:
            values[name] = "[1, 1, 1]" if kind == "JSON" else 1
    names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
    database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608


def packed(path: Path, files: dict[str, bytes], *members: tuple[tarfile.TarInfo, bytes], first: bool = False) -> Path:
    """Write a tar file of a backup and other members."""
    plain = []
    for place, content in files.items():
        member = tarfile.TarInfo(place)
        member.size = len(content)
        plain.append((member, content))
    with tarfile.open(path, "w") as archive:
        for member, content in (*members, *plain) if first else (*plain, *members):
            archive.addfile(member, io.BytesIO(content))
    return path


def described(backup: dict[str, bytes], **values: object) -> dict[str, bytes]:
    """Return a backup with a description that fits it but for ``values``."""
    about = json.loads(backup["backup.json"])
    others = [content for place, content in backup.items() if place != "backup.json"]
    about["database"] = hashlib.sha256(backup["counterscan.db"]).hexdigest()
    about["bytes"], about["files"] = sum(map(len, others)), len(others) - 1
    return {**backup, "backup.json": json.dumps({**about, **values}).encode()}


def refused(tmp_path: Path, backup: Path, **changes: Any) -> UserError:
    """Restore what must be refused; nothing is left of it, and the folders around stay as they were."""
    chosen = Settings(data=tmp_path / "fresh", **changes)
    before = contents(tmp_path)
    with pytest.raises(UserError) as error:
        restore(chosen, backup)
    assert contents(tmp_path) == before
    assert [path.name for path in chosen.data.iterdir()] == ["server.lock"]
    assert error.value.message.endswith(".") and error.value.hint.endswith(".")
    return error.value


def contents(folder: Path) -> dict[str, str]:
    """Return what lies in a folder, but for the one that is restored into."""
    found = (path for path in folder.rglob("*") if "fresh" not in path.parts)
    return {str(path): path.read_text("latin-1") if path.is_file() else "" for path in found}


def special(
    place: str, kind: bytes = tarfile.REGTYPE, link: str = "", headers: dict[str, str] | None = None
) -> tarfile.TarInfo:
    """Return a member of a kind of its own."""
    member = tarfile.TarInfo(place)
    member.type, member.linkname, member.pax_headers = kind, link, headers or {}
    return member


KINDS = {
    "symbolic": special("backup.json", tarfile.SYMTYPE, "/etc/passwd"),
    "dangling": special("backup.json", tarfile.SYMTYPE, "nowhere"),
    "loop": special("backup.json", tarfile.SYMTYPE, "backup.json"),
    "hard": special("backup.json", tarfile.LNKTYPE, "../../outside"),
    "hard loop": special("backup.json", tarfile.LNKTYPE, "backup.json"),
    "device": special("backup.json", tarfile.CHRTYPE),
    "pipe": special("counterscan.db", tarfile.FIFOTYPE),
    "folder": special("blobs", tarfile.DIRTYPE),
    "a folder in a file's place": special("counterscan.db", tarfile.DIRTYPE),
    "upwards": special("../../outside"),
    "within": special("blobs/../backup.json"),
    "absolute": special("/tmp/outside"),
    "other": special("blobs/aa/passwd"),
    "twice": special("backup.json"),
    "sparse": special("x", headers={
        "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": f"blobs/cc/{'c' * 40}.nii",
        "GNU.sparse.size": str(3 << 40), "GNU.sparse.numblocks": "1", "GNU.sparse.map": "0,0",
    }),
    "no number": special("x", headers={"GNU.sparse.map": "a,b", "GNU.sparse.size": "c"}),
    "no size": special("x", headers={"size": "-512"}),
}  # fmt: skip


def test_what_the_others_differ_from_is_restored(tmp_path: Path, sound: dict[str, bytes]) -> None:
    for turn, files in enumerate((sound, described(sound), changed(tmp_path, sound, "PRAGMA user_version = 1"))):
        chosen = Settings(data=tmp_path / f"{turn}")
        assert restore(chosen, packed(tmp_path / "x.tar", files)).about.files == 1
        assert FolderBlobs(chosen.data / "blobs").path(BLOB).read_bytes() == CONTENT


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_tar_of_strange_members(tmp_path: Path, sound: dict[str, bytes], kind: str, first: bool) -> None:
    with little_work():
        error = refused(tmp_path, packed(tmp_path / "x.tar", sound, (KINDS[kind], b""), first=first))
    assert error.code == "backup_damaged"


@pytest.mark.parametrize(
    "size", [b"\x80" + b"\x7f" * 11, b"\xff" * 11 + b"\x00", b"\xff" * 10 + b"\xfe\x00", b"77777777777\0"]
)
@pytest.mark.parametrize("kind", [b"0", b"x", b"g", b"L", b"K", b"S"])
def test_a_header_of_an_impossible_size(tmp_path: Path, sound: dict[str, bytes], size: bytes, kind: bytes) -> None:
    """A negative one led Python before 3.11.14 back to where it was, without end."""
    whole = packed(tmp_path / "whole.tar", sound).read_bytes()
    head = bytearray(special("x").tobuf(tarfile.GNU_FORMAT))
    head[124:136], head[156:157], head[148:156] = size, kind, b" " * 8
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    (tmp_path / "x.tar").write_bytes(bytes(head) + whole)
    with little_work():
        unharmed(tmp_path, tmp_path / "x.tar")


def unharmed(folder: Path, backup: Path) -> None:
    """Restore what must be refused, or be the same backup: headers have bytes that say nothing of the files."""
    chosen = Settings(data=folder / "fresh")
    try:
        restore(chosen, backup)
    except UserError as error:
        assert error.code in ("backup_damaged", "backup_newer", "disk_full", "no_backup")
        assert [path.name for path in chosen.data.iterdir()] == ["server.lock"]
    else:
        assert FolderBlobs(chosen.data / "blobs").path(BLOB).read_bytes() == CONTENT


@pytest.mark.parametrize("change", ["link", "linked folder", "pipe", "huge", "cut", "more", "folder", "none", "other"])
def test_a_folder_of_strange_files(tmp_path: Path, sound: dict[str, bytes], change: str) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)
    folder = tmp_path / "x"
    for place, content in sound.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)
    blob, database = folder / "blobs" / BLOB[:2] / BLOB, folder / "counterscan.db"
    if change == "linked folder":
        (folder / "blobs").rename(tmp_path / "elsewhere")
        (folder / "blobs").symlink_to(tmp_path / "elsewhere")
    elif change == "huge":
        os.truncate(blob, 3 << 40)
    elif change == "cut":
        os.truncate(database, 5000)
    elif change == "more":
        (blob.parent / f"{'b' * 39}c.nii").write_bytes(b"x")
    elif change == "other":
        (blob.parent / "passwd").write_bytes(b"x")
    else:
        blob.unlink()
        makers: dict[str, Callable[[], object]] = {
            "link": lambda: blob.symlink_to(secret), "pipe": lambda: os.mkfifo(blob), "folder": blob.mkdir,
            "none": lambda: None,
        }  # fmt: skip
        makers[change]()
    chosen = Settings(data=tmp_path / "fresh")
    with little_work(), pytest.raises(UserError) as error:
        restore(chosen, folder)
    assert error.value.code == ("no_backup" if change == "folder" else "backup_damaged")
    assert [path.name for path in chosen.data.iterdir()] == ["server.lock"]


@pytest.mark.parametrize(
    "values",
    [
        {"bytes": 1}, {"bytes": -1}, {"bytes": "5"}, {"bytes": 1e30}, {"bytes": True}, {"bytes": 10**400}, {"files": 0},
        {"files": 2}, {"damaged": ["counterscan.db"]}, {"damaged": ["../../x"]}, {"damaged": BLOB}, {"damaged": None},
        {"damaged": [f"{'c' * 40}.nii"]}, {"database": "0" * 64}, {"database": ""}, {"created": "\x1b]0;title\x07"},
        {"version": "\u202e"}, {"schema": "0001"}, {"schema": "'; DROP"}, {"created": None}, {"format": "1"},
    ],
)  # fmt: skip
def test_a_description_that_does_not_fit(tmp_path: Path, sound: dict[str, bytes], values: dict[str, object]) -> None:
    assert refused(tmp_path, packed(tmp_path / "x.tar", described(sound, **values))).code == "backup_damaged"


@pytest.mark.parametrize(
    "text", [b"", b"null", b"[]", b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b"{}", b"NaN", b"9" * 9999]
)
def test_a_description_that_is_none(tmp_path: Path, sound: dict[str, bytes], text: bytes) -> None:
    assert refused(tmp_path, packed(tmp_path / "x.tar", {**sound, "backup.json": text})).code == "backup_damaged"


def test_a_description_larger_than_the_disk(tmp_path: Path, sound: dict[str, bytes]) -> None:
    assert refused(tmp_path, packed(tmp_path / "x.tar", described(sound, bytes=1 << 60))).code == "disk_full"


STATEMENTS = (
    "CREATE TRIGGER t AFTER INSERT ON session BEGIN DELETE FROM account; END",
    "CREATE VIEW v AS SELECT * FROM scan",
    "CREATE VIRTUAL TABLE f USING fts5(x)",
    "CREATE TABLE g (a, b AS (zeroblob(1000000000)))",
    "CREATE INDEX i ON scan (length(zeroblob(1000000000)))",
    "DROP TABLE study_manager",
    "ALTER TABLE scan DROP COLUMN sha256",
    "ALTER TABLE job DROP COLUMN inputs",
    "DELETE FROM alembic_version",
    "DROP TABLE alembic_version",
    "INSERT INTO alembic_version VALUES ('0001')",
    "UPDATE alembic_version SET version_num = '0003'",
    "UPDATE scan SET blob = '../../outside'",
    "UPDATE scan SET blob = x'00ff'",
    "UPDATE scan SET sha256 = ''",
    "UPDATE scan SET shape = 'no json'",
    "UPDATE scan SET created = 'no time'",
    "UPDATE scan SET created = 99999999999",
    "UPDATE scan SET session = 'nobody'",
    "UPDATE scan SET filename = CAST(x'ff' AS TEXT)",
    "INSERT INTO dropped_blob VALUES ('../../../outside')",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_database_that_acts_or_lies(tmp_path: Path, sound: dict[str, bytes], statement: str) -> None:
    with little_work():
        error = refused(tmp_path, packed(tmp_path / "x.tar", changed(tmp_path, sound, statement)), retention_hours=1e6)
    assert error.code == "backup_damaged"


def changed(tmp_path: Path, files: dict[str, bytes], *statements: str) -> dict[str, bytes]:
    """Return a backup whose database was changed, and whose description knows it."""
    path = tmp_path / "fresh.db"
    path.write_bytes(files["counterscan.db"])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA ignore_check_constraints=ON")
        for statement in statements:
            database.execute(statement)
    return described({**files, "counterscan.db": path.read_bytes()})


def test_rows_that_lead_elsewhere_do_no_harm(tmp_path: Path, sound: dict[str, bytes]) -> None:
    """A scan that is its own parent ends; an upload whose folder would be another's is forgotten."""
    victim = tmp_path / "victim"
    victim.mkdir()
    row = f"INSERT INTO upload VALUES ('{victim}', '{ID}', 1, '{DAY}')"  # noqa: S608
    files = changed(tmp_path, sound, "UPDATE scan SET parent = id, keep_until = '2999-01-01 00:00:00'", row)
    chosen = Settings(data=tmp_path / "fresh", retention_hours=1.0)
    assert restore(chosen, packed(tmp_path / "x.tar", files)).deleted == 0
    with closing(sqlite3.connect(chosen.data / "counterscan.db")) as database:
        assert database.execute("SELECT count(*) FROM upload").fetchone() == (0,)
    assert victim.is_dir()


@settings(max_examples=20)
@given(data=st.data())
def test_any_change_of_the_bytes(
    tmp_path_factory: pytest.TempPathFactory, sound: dict[str, bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any")
    content = bytearray(packed(folder / "x.tar", sound).read_bytes())
    # headers are few: half of the changes are in the first ones
    end = data.draw(st.sampled_from([2048, len(content)]))
    for place in data.draw(st.lists(st.integers(0, end - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, len(content))) if data.draw(st.booleans()) else len(content) :]
    (folder / "x.tar").write_bytes(content)
    unharmed(folder, folder / "x.tar")
