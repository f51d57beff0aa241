from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.webapp.door.asgi import Answer, Inner, ask
from webapp.door import ownership
from webapp.door.ownership import Owners, Ownership

JOIN = "/gradio_api/queue/join"


def join(door: Ownership, session: str, **content: object) -> Answer:
    headers = {"content-type": "application/json"}
    return ask(door, JOIN, "POST", headers=headers, body=[json.dumps(content).encode()], session=session)


def test_what_is_nobodys_goes_to_the_first() -> None:
    owners = Owners()
    assert owners.claim("page", "a") and owners.claim("page", "a")
    assert not owners.claim("page", "b")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "REMEMBERED", 3)
    owners = Owners()
    for number in range(10):
        owners.claim(str(number), "a")
    assert [owners.claim(str(number), "b") for number in (9, 7, 0)] == [False, False, True]


def test_a_page_belongs_to_the_first_that_names_it(tmp_path: Path) -> None:
    inner = Inner()
    door = Ownership(inner, tmp_path)
    assert join(door, "a", session_hash="page", data=[]).status == 200
    assert inner.seen[0][1] == b'{"session_hash": "page", "data": []}'
    assert join(door, "b", session_hash="page", data=[]).code == "closed"
    for session, status in (("a", 200), ("b", 403), (None, 403)):
        assert ask(door, "/gradio_api/queue/data", query="session_hash=page", session=session).status == status
        assert ask(door, "/gradio_api/heartbeat/page", session=session).status == status


def test_bodies_that_are_no_json_are_refused(tmp_path: Path) -> None:
    inner = Inner()
    for body in (b"", b"{", b"[" * 100_000, b"\xff\xfe"):
        headers = {"content-type": "application/json"}
        assert ask(Ownership(inner, tmp_path), JOIN, "POST", headers=headers, body=[body], session="a").status == 403
    assert inner.seen == []


def test_other_addresses_are_left_alone(tmp_path: Path) -> None:
    inner = Inner()
    assert ask(Ownership(inner, tmp_path), "/mask/1", "POST", body=[b"no json"], session="a").status == 200
    assert inner.seen[0][1] == b"no json"
