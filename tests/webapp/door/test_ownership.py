from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from tests.databases import fresh
from tests.webapp.door.asgi import Answer, Inner, ask
from webapp.door.ownership import Ownership
from webapp.door.uploads import Uploads
from webapp.store.database import connect
from webapp.store.owners import Owners

JOIN = "/gradio_api/queue/join"
HASH = "2" * 64
ADDRESS = "http://127.0.0.1:7860/gradio_api/file="

Door = Callable[[Inner], Ownership]


@dataclass(frozen=True)
class Places:
    """Where an upload of session a lies, and one of session b."""

    mine: str
    other: str


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A database for all tests of this file."""
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('owners')}/test.db")
    fresh(engine)
    return engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of uploads."""
    return tmp_path


@pytest.fixture
def door(database: Engine, folder: Path) -> Door:
    """Makes the middleware around an application; pages of earlier tests are forgotten."""
    with database.begin() as connection:
        connection.execute(text("DELETE FROM open_page"))
    owners = Owners(database)
    return lambda inner: Ownership(inner, Uploads(folder, owners), owners)


@pytest.fixture
def places(database: Engine, folder: Path) -> Places:
    """An upload each of two sessions."""
    uploads = Uploads(folder, Owners(database))
    mine, other = (f"{uploads.begin(session)}/{HASH}/t1.nii.gz" for session in "ab")
    return Places(mine, other)


def join(door: Ownership, session: str, *data: object, page: str = "page") -> Answer:
    body = json.dumps({"session_hash": page, "data": data}).encode()
    return ask(door, JOIN, "POST", body=[body], session=session)


def file(path: object, **more: object) -> dict[str, object]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}


def test_a_page_belongs_to_the_first_that_names_it(door: Door) -> None:
    inner = Inner()
    made = door(inner)
    assert join(made, "a").status == 200
    assert json.loads(inner.seen[0][1]) == {"session_hash": "page", "data": []}
    assert join(made, "b").code == "closed"
    for session, status in (("a", 200), ("b", 403), (None, 403)):
        assert ask(made, "/gradio_api/queue/data", query="session_hash=page", session=session).status == status
        assert ask(made, "/gradio_api/heartbeat/page", session=session).status == status


def test_every_page_that_an_address_names_must_be_owned(door: Door) -> None:
    made = door(Inner())
    assert join(made, "a").status == 200
    for query in ("session_hash=page&session_hash=own", "session_hash=own&session_hash=page", "session%5Fhash=page"):
        assert ask(made, "/gradio_api/queue/data", query=query, session="b").status == 403


def test_the_progress_of_an_upload_belongs_to_its_visitor(door: Door) -> None:
    made = door(Inner())
    assert ask(made, "/gradio_api/upload", "POST", query="upload_id=x", session="a").status == 200
    for session, status in (("a", 200), ("b", 403)):
        assert ask(made, "/gradio_api/upload_progress", query="upload_id=x", session=session).status == status


@pytest.mark.parametrize("query", ["session_hash=", "session_hash=a%20b", f"upload_id={'x' * 65}", "upload_id=%00"])
def test_names_are_short_and_plain(door: Door, query: str) -> None:
    assert ask(door(Inner()), "/gradio_api/upload_progress", query=query, session="a").status == 403


def test_a_file_is_an_upload_of_its_visitor(door: Door, places: Places) -> None:
    made = door(Inner())
    mine, other = places.mine, places.other
    for allowed in (file(mine), file(mine, url=None), file(mine, url=ADDRESS + mine), file(mine, url="", name="")):
        assert join(made, "a", allowed).status == 200, allowed
    refused_values: tuple[object, ...] = (
        file(other),
        file("/etc/passwd"),
        file("relative"),
        file(7),
        file([mine]),
        file("http://example.org/t1.nii.gz"),
        file(mine, url="http://example.org/t1.nii.gz"),
        file(mine, url=f"http://example.org/gradio_api/file={mine}"),
        file(mine, url=ADDRESS + other),
        file(mine, name=other),
        {"deep": [[file(mine), file(other)]]},
        f"see {other}",
        {other: 1},
    )
    for value in refused_values:
        refused = join(made, "a", value)
        assert (refused.status, refused.code) == (403, "closed"), value


@pytest.mark.parametrize("name", ["50%25.nii", "50%.nii", "a b.nii", "é.nii"])
def test_an_address_may_be_encoded_or_not(door: Door, places: Places, name: str) -> None:
    mine = places.mine.removesuffix("t1.nii.gz") + name
    assert join(door(Inner()), "a", file(mine, url=ADDRESS + mine)).status == 200


def test_a_file_is_read_by_its_owner_alone(door: Door, places: Places) -> None:
    path = f"/gradio_api/file={places.mine}"
    made = door(Inner())
    assert [ask(made, path, session=session).status for session in ("a", "b", None)] == [200, 403, 403]
    before, folder, rest = places.mine.rpartition(places.mine.split("/")[-3])
    roundabout = f"{before}{places.other.split('/')[-3]}/../{folder}{rest}"
    for variant in ("/gradio_api/file=/etc/passwd", f"/gradio_api/file={roundabout}"):
        assert ask(made, variant, session="a").status == 403


@pytest.mark.parametrize("kind", ["application/json", "application/JSON", "text/plain", ""])
def test_a_body_is_inspected_whatever_its_type(door: Door, kind: str) -> None:
    inner = Inner()
    for path in (JOIN, "/gradio_api/run/predict", "/gradio_api/cancel", "/gradio_api/upload/"):
        for method in ("POST", "PUT", "PATCH"):
            for body, code in ((b"no json", "bad_request"), (b'[{"path": "/etc/passwd"}]', "closed")):
                refused = ask(door(inner), path, method, headers={"content-type": kind}, body=[body], session="a")
                assert (refused.status, refused.code) == (403, code)
    assert inner.seen == []


def test_other_addresses_are_left_alone(door: Door) -> None:
    inner = Inner()
    assert ask(door(inner), "/mask/1", "POST", body=[b"no json"], session="a").status == 200
    assert inner.seen[0][1] == b"no json"


def test_pages_keep_their_owner_when_the_server_starts_again(door: Door) -> None:
    assert join(door(Inner()), "a").status == 200
    again = door(Inner())
    assert ask(again, "/gradio_api/queue/data", query="session_hash=page", session="b").status == 403
    assert ask(again, "/gradio_api/queue/data", query="session_hash=page", session="a").status == 200


def test_a_busy_database_puts_a_page_off(folder: Path, database: Engine) -> None:
    class Busy:
        def claim_page(self, name: str, session_id: str) -> bool:
            """Refuse."""
            raise OperationalError("INSERT", {}, Exception("locked"))

    inner = Inner()
    made = Ownership(inner, Uploads(folder, Owners(database)), Busy())
    for answer in (ask(made, "/gradio_api/heartbeat/page", session="a"), join(made, "a")):
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "busy", "5")
    assert inner.seen == []
