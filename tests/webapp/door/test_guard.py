from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from tests.webapp.door.visits import events, file_data, join, upload, visit
from tests.webapp.fakes import ORIGIN, services_of
from webapp.door.identity import COOKIE
from webapp.store.browsers import Browsers

Browser = Callable[[], TestClient]


def test_the_first_visit_gets_a_strict_cookie(browser: Browser) -> None:
    cookie = browser().get("/").headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=") and {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    client = visit(browser)
    known = client.cookies[COOKIE]
    assert client.get("/").headers["set-cookie"].startswith(f"{COOKIE}={known};")
    assert "set-cookie" not in client.get("/healthz").headers


def test_a_visit_by_a_link_elsewhere_does_not_replace_the_cookie(browser: Browser) -> None:
    answer = browser().get("/?job=1", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    assert "set-cookie" not in answer.headers
    assert 'http-equiv="refresh"' in answer.text


@pytest.mark.parametrize("path", ["/", "/ui/none.js", "/healthz", "/vol/a/b", "/gradio_api/file=/etc/passwd"])
def test_every_answer_has_the_headers(browser: Browser, path: str) -> None:
    headers = browser().get(path).headers
    assert "object-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"


def test_only_the_owner_reads_an_upload(browser: Browser) -> None:
    owner, other, nobody = visit(browser), visit(browser), browser()
    path = upload(owner)
    assert owner.get(f"/gradio_api/file={path}").content == b"scan"
    folder, name = path.rsplit("/", 1)
    for variant in (path, quote(path, safe=""), f"{folder}/../{folder.rsplit('/', 1)[1]}/{name}", f"{folder}/./{name}"):
        assert other.get(f"/gradio_api/file={variant}").status_code == 403
        assert nobody.get(f"/gradio_api/file={variant}").status_code == 403
        assert other.head(f"/gradio_api/file={variant}").status_code == 403


def test_the_same_file_of_two_is_two_uploads(browser: Browser) -> None:
    one, two = visit(browser), visit(browser)
    mine, other = upload(one), upload(two)
    Path(mine).unlink()
    assert two.get(f"/gradio_api/file={other}").content == b"scan"
    assert one.get(f"/gradio_api/file={other}").status_code == 403


def test_an_upload_of_another_is_no_input(browser: Browser) -> None:
    owner, other = visit(browser), visit(browser)
    file = file_data(upload(owner))
    assert join(other, "page-b", file) == 403
    assert join(owner, "page-a", file) == 200


def test_an_event_runs_and_streams_to_its_page(browser: Browser) -> None:
    client = visit(browser)
    file = file_data(upload(client))
    assert join(client, "page", file) == 200
    messages = events(client, "page")
    assert messages[-1]["msg"] == "close_stream"
    done = next(message for message in messages if message["msg"] == "process_completed")
    assert done["success"]


def test_the_page_of_another_is_closed(browser: Browser) -> None:
    owner, other = visit(browser), visit(browser)
    assert join(owner, "own") == 200
    assert join(other, "own") == 403
    for client in (other, browser()):
        assert client.get("/gradio_api/queue/data?session_hash=own").status_code == 403
        assert client.get("/gradio_api/heartbeat/own").status_code == 403
    body = {"session_hash": "own", "fn_index": 0, "event_id": "x"}
    assert other.post("/gradio_api/cancel", json=body).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://127.0.0.1:7860/healthz",
        "/gradio_api/file=HTTPS://example.org/",
        "/gradio_api/file=//example.org/",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file//etc/passwd",
        "/gradio_api/proxy=http://example.org/",
        "/gradio_api//file=/etc/passwd",
        "//gradio_api/file=/etc/passwd",
        "/gradio_api/info",
        "/gradio_api/openapi.json",
        "/gradio_api/call/predict/1",
        "/gradio_api/stream/page/1/1/playlist.m3u8",
        "/gradio_api/deep_link?session_hash=x",
        "/monitoring",
    ],
)
def test_what_no_page_needs_is_closed(browser: Browser, path: str) -> None:
    answer = visit(browser).get(ORIGIN + path)
    if path == "/gradio_api/info":
        assert answer.status_code == 200
    else:
        assert answer.status_code in (403, 404)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_there_is_no_schema(browser: Browser, path: str) -> None:
    assert visit(browser).get(path).status_code == 403


@pytest.mark.parametrize("path", ["/gradio_api/upload", "/gradio_api/queue/join", "/mask/1", "/gradio_api/run/predict"])
def test_changes_need_a_session_and_our_own_page(browser: Browser, path: str) -> None:
    assert browser().post(path).status_code == 403
    client = visit(browser)
    for header in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        refused = client.post(path, headers=header)
        assert (refused.status_code, refused.json()["code"]) == (403, "cross_origin")


def test_another_name_of_this_machine_is_refused(browser: Browser) -> None:
    refused = browser().get("/", headers={"host": "evil.example:7860"})
    assert (refused.status_code, refused.json()["code"]) == (421, "wrong_host")
    assert browser().get("/healthz", headers={"host": "localhost:7860"}).status_code == 200


def test_too_many_changes_at_once(browser: Browser) -> None:
    client = visit(browser)
    codes = [client.post("/gradio_api/reset", json={"event_id": "x"}).status_code for _ in range(90)]
    assert codes[:60] == [200] * 60
    assert 429 in codes
    assert visit(browser).post("/gradio_api/reset", json={"event_id": "x"}).status_code == 200


def test_an_upload_announced_as_too_large(browser: Browser) -> None:
    refused = visit(browser).post("/gradio_api/upload", content=b"x", headers={"content-length": str(10 << 20)})
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["/gradio_api/upload", "/gradio_api/queue/join", "/mask/1"])
def test_a_body_that_turns_out_too_large(browser: Browser, path: str) -> None:
    chunks = (b"x" * (1 << 20) for _ in range(12))
    kind = {"content-type": "multipart/form-data; boundary=x" if "upload" in path else "application/json"}
    client = visit(browser)
    refused = client.post(path, content=chunks, headers=kind)
    assert refused.status_code == 413
    assert client.get("/healthz").status_code == 200


def test_bodies_that_are_no_json(browser: Browser) -> None:
    client = visit(browser)
    for body in (b"", b"{", b"[" * 100_000, b"\xff\xfe"):
        refused = client.post("/gradio_api/queue/join", content=body, headers={"content-type": "application/json"})
        assert refused.status_code == 403


@pytest.mark.parametrize("cookie", ["", "short", "x" * 44, "../" * 14 + "x", '"' + "x" * 43])
def test_a_cookie_that_is_not_ours_counts_as_none(browser: Browser, cookie: str) -> None:
    answer = browser().get("/", headers={"cookie": f"{COOKIE}={cookie}"})
    assert answer.headers["set-cookie"].startswith(f"{COOKIE}=")


def test_a_cookie_that_the_server_did_not_give_opens_nothing(browser: Browser) -> None:
    made_up = {"cookie": f"{COOKIE}={'x' * 43}"}
    refused = browser().post("/gradio_api/reset", json={"event_id": "x"}, headers=made_up)
    assert (refused.status_code, refused.json()["code"]) == (403, "no_session")
    given = browser().get("/", headers=made_up).headers["set-cookie"]
    assert given.startswith(f"{COOKIE}=") and "x" * 43 not in given


def test_the_cookie_of_before_a_restart_opens_the_same_session(browser: Browser) -> None:
    client = visit(browser)
    services = services_of(client.app)
    known = services.browsers.find(client.cookies[COOKIE])
    again = Browsers(services.repo.engine, 180).find(client.cookies[COOKIE])
    assert known is not None and again == known
