from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.webapp.door.asgi import Answer, Inner, ask
from webapp.door.ownership import Owners, Ownership
from webapp.door.uploads import Uploads

JOIN = "/gradio_api/queue/join"
PLACE = f"{'1' * 32}/{'2' * 64}/t1.nii.gz"
ADDRESS = "http://127.0.0.1:7860/gradio_api/file="


def door(inner: Inner) -> Ownership:
    return Ownership(inner, Uploads(Path("/data/uploads")))


def join(door: Ownership, session: str, *data: object, page: str = "page") -> Answer:
    body = json.dumps({"session_hash": page, "data": data}).encode()
    return ask(door, JOIN, "POST", body=[body], session=session)


def file(path: object, **more: object) -> dict[str, object]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}


def test_a_name_belongs_to_the_first() -> None:
    owners = Owners()
    assert owners.claim("page", "a") and owners.claim("page", "a")
    assert not owners.claim("page", "b")


def test_of_one_session_the_newest_names_are_remembered() -> None:
    owners = Owners(of_one=2, of_all=100)
    assert owners.claim("other", "b")
    for name in ("1", "2", "1", "3"):
        assert owners.claim(name, "a")
    assert [owners.claim(name, "b") for name in ("1", "3", "2")] == [False, False, True]
    assert not owners.claim("other", "a")


def test_memory_is_bounded() -> None:
    owners = Owners(of_one=100, of_all=3)
    for number in range(10):
        owners.claim(str(number), f"of {number}")
    assert [owners.claim(str(number), "b") for number in (9, 8, 7)] == [False, False, False]
    assert owners.claim("6", "b")
    assert len(owners._owner) == len(owners._names) == 3


def test_a_page_belongs_to_the_first_that_names_it() -> None:
    inner = Inner()
    made = door(inner)
    assert join(made, "a").status == 200
    assert json.loads(inner.seen[0][1]) == {"session_hash": "page", "data": []}
    assert join(made, "b").code == "closed"
    for session, status in (("a", 200), ("b", 403), (None, 403)):
        assert ask(made, "/gradio_api/queue/data", query="session_hash=page", session=session).status == status
        assert ask(made, "/gradio_api/heartbeat/page", session=session).status == status


def test_every_page_that_an_address_names_must_be_owned() -> None:
    made = door(Inner())
    assert join(made, "a").status == 200
    for query in ("session_hash=page&session_hash=own", "session_hash=own&session_hash=page", "session%5Fhash=page"):
        assert ask(made, "/gradio_api/queue/data", query=query, session="b").status == 403


def test_the_progress_of_an_upload_belongs_to_its_visitor() -> None:
    made = door(Inner())
    assert ask(made, "/gradio_api/upload", "POST", query="upload_id=x", session="a").status == 200
    for session, status in (("a", 200), ("b", 403)):
        assert ask(made, "/gradio_api/upload_progress", query="upload_id=x", session=session).status == status


@pytest.mark.parametrize("query", ["session_hash=", "session_hash=a%20b", f"upload_id={'x' * 65}", "upload_id=%00"])
def test_names_are_short_and_plain(query: str) -> None:
    assert ask(door(Inner()), "/gradio_api/upload_progress", query=query, session="a").status == 403


def test_a_file_is_an_upload_of_its_visitor() -> None:
    made = door(Inner())
    mine, other = f"/data/uploads/a/{PLACE}", f"/data/uploads/b/{PLACE}"
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
def test_an_address_may_be_encoded_or_not(name: str) -> None:
    mine = f"/data/uploads/a/{PLACE.removesuffix('t1.nii.gz')}{name}"
    assert join(door(Inner()), "a", file(mine, url=ADDRESS + mine)).status == 200


def test_a_file_is_read_by_its_owner_alone() -> None:
    path = f"/gradio_api/file=/data/uploads/a/{PLACE}"
    made = door(Inner())
    assert [ask(made, path, session=session).status for session in ("a", "b", None)] == [200, 403, 403]
    for variant in ("/gradio_api/file=/etc/passwd", f"/gradio_api/file=/data/uploads/b/../a/{PLACE}"):
        assert ask(made, variant, session="a").status == 403


@pytest.mark.parametrize("kind", ["application/json", "application/JSON", "text/plain", ""])
def test_a_body_is_inspected_whatever_its_type(kind: str) -> None:
    inner = Inner()
    for path in (JOIN, "/gradio_api/run/predict", "/gradio_api/cancel", "/gradio_api/upload/"):
        for method in ("POST", "PUT", "PATCH"):
            for body, code in ((b"no json", "bad_request"), (b'[{"path": "/etc/passwd"}]', "closed")):
                refused = ask(door(inner), path, method, headers={"content-type": kind}, body=[body], session="a")
                assert (refused.status, refused.code) == (403, code)
    assert inner.seen == []


def test_other_addresses_are_left_alone() -> None:
    inner = Inner()
    assert ask(door(inner), "/mask/1", "POST", body=[b"no json"], session="a").status == 200
    assert inner.seen[0][1] == b"no json"
