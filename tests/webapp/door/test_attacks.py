"""What an attacker sent to the server, each request as it was found, beside one that is in order."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.webapp.door.visits import events, file_data, join, upload, visit
from tests.webapp.fakes import services_of
from webapp.door.identity import COOKIE

Browser = Callable[[], TestClient]
JOIN = "/gradio_api/queue/join"


def page() -> str:
    """Return the name of a fresh page."""
    return secrets.token_hex(6)


def test_a_file_of_the_server_is_no_input(browser: Browser, tmp_path: Path) -> None:
    secret = tmp_path / "T1.nii.gz"
    secret.write_bytes(b"secret")
    client = visit(browser)
    mine = upload(client)
    assert join(client, page(), file_data(mine)) == 200
    for place in (str(secret), "/dev/zero", "http://127.0.0.1:7860/healthz", f"{mine}/../../../../x", f"//{mine}", ""):
        expected = 200 if place == "" else 403
        assert join(client, page(), file_data(place)) == expected, place
        assert join(client, page(), [file_data(mine, url=place)]) == expected, place
        assert join(client, page(), {"deep": [{**file_data(mine), "name": place}]}) == expected, place


@pytest.mark.parametrize("kind", ["application/json", "application/JSON", "text/plain", "application/a+json", ""])
def test_the_type_of_a_body_does_not_open_the_door(browser: Browser, kind: str) -> None:
    owner, other = visit(browser), visit(browser)
    body = {"data": [file_data(upload(owner))], "fn_index": 0, "session_hash": page()}
    refused = other.post(JOIN, content=json.dumps(body), headers={"content-type": kind})
    assert (refused.status_code, refused.json()["code"]) == (403, "closed")
    body["session_hash"] = page()
    assert owner.post(JOIN, content=json.dumps(body), headers={"content-type": kind}).status_code in (200, 422)


@pytest.mark.parametrize("texts", [["/a"] * 66_000, ["/a/b/c/"] * 39_800, ["/a" * 2047] * 97])
def test_a_body_of_paths_is_refused(browser: Browser, texts: list[str]) -> None:
    body = {"data": texts, "fn_index": 0, "session_hash": page()}
    refused = visit(browser).post(JOIN, json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "bad_request")


@pytest.mark.parametrize("other", ['prefs={"a":1}', "flag", 'a="b', "x[y]=1", "=;="])
def test_cookies_of_other_applications_do_no_harm(browser: Browser, other: str) -> None:
    ours = f"{COOKIE}={visit(browser).cookies[COOKIE]}"
    for cookie in (f"{other}; {ours}", f"{ours}; {other}"):
        answer = browser().post("/gradio_api/reset", json={"event_id": "x"}, headers={"cookie": cookie})
        assert answer.status_code == 200


@pytest.mark.parametrize("name", ["x" * 65, "x" * 5000, "x y", "", "é", "a/b", 7, ["x"]])
def test_a_page_has_a_short_plain_name(browser: Browser, name: object) -> None:
    client = visit(browser)
    assert client.post(JOIN, json={"data": [None], "fn_index": 0, "session_hash": name}).status_code == 403
    if isinstance(name, str) and "/" not in name:
        assert client.get("/gradio_api/queue/data", params={"session_hash": name}).status_code == 403
        assert client.get(f"/gradio_api/heartbeat/{name}").status_code in (403, 404)


def test_an_error_names_no_file_of_the_server(browser: Browser) -> None:
    client = visit(browser)
    here = str(services_of(client.app).settings.data)
    name = page()
    assert client.post(JOIN, json={"data": [], "fn_index": 1, "session_hash": name}).status_code == 200
    found = events(client, name)
    assert [one["success"] for one in found if one["msg"] == "process_completed"] == [False]
    assert here not in json.dumps(found)


def test_the_page_names_no_file_of_the_server(browser: Browser) -> None:
    client = visit(browser)
    here = str(services_of(client.app).settings.data)
    for path in ("/", "/config", "/gradio_api/info", "/readyz"):
        assert here not in client.get(path).text
