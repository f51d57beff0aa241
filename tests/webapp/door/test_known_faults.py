"""Faults that other hosted Gradio and FastAPI applications had, each tried as it was published or a variant of it.

The names are those under which they became known; what our pages need of Gradio is tested elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.webapp.door.visits import upload, visit
from tests.webapp.fakes import services_of

Browser = Callable[[], TestClient]

CLIMB = ("../../../../etc/passwd", "..%2f..%2f..%2fetc/passwd", "%2e%2e/%2e%2e/etc/passwd", "....//....//etc/passwd",
         "/etc/passwd", "%2fetc%2fpasswd", "..\\..\\etc\\passwd", "C:/x", "..%5c..%5cx", "%00/etc/passwd")  # fmt: skip
FILES = ("/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:22/", "//127.0.0.1/x", "https:/example.org",
         "\\\\host\\share", "C:\\x", ".gradio/certificate.pem", "app.py", "/proc/self/environ", "")  # fmt: skip

# what it was called -> the addresses that were open
CLOSED = {
    "traversal by a static folder (CVE-2023-51449, CVE-2024-1561)": [
        f"/{folder}/{one}" for folder in ("static", "assets", "svelte", "ui", "ui/viewer") for one in CLIMB
    ],
    "any file by its path (CVE-2024-0964, CVE-2024-4941)": [
        f"/{prefix}{one}" for prefix in ("file=", "gradio_api/file=", "gradio_api/file/", "file/") for one in FILES
    ],
    "requests of the server by its proxy (CVE-2024-2206, CVE-2024-4325)": [
        f"/{prefix}proxy={one}"
        for prefix in ("", "gradio_api/")
        for one in ("http://127.0.0.1/", "https://x.hf.space/", "")
    ],
    "files by a custom component (CVE-2024-47867)": [
        f"/gradio_api/custom_component/{one}" for one in ("a/client/component/../../x", "a/b/c/style.css", "../x")
    ],
    "what an operator alone should see": [
        "/monitoring", "/monitoring/summary", "/gradio_api/monitoring", "/monitoring/%2e%2e", "/gradio_api/dev/reload",
        "/gradio_api/runs", "/gradio_api/history", "/openapi.json", "/docs", "/redoc", "/gradio_api/openapi.json",
    ],
    "addresses of tools that came with an update": [
        "/gradio_api/mcp", "/gradio_api/mcp/sse", "/gradio_api/mcp/schema", "/gradio_api/deep_link?session_hash=x",
        "/gradio_api/vibe-code", "/gradio_api/call/predict/x", "/gradio_api/stream/a/b/c/playlist.m3u8",
    ],
    "the addresses of older versions": [
        "/queue/data?session_hash=x", "/info", "/api", "/app_id", "/heartbeat/x", "/upload_progress?upload_id=x",
    ],
    "files that a deployment left behind": [
        "/.env", "/.git/config", "/.gradio/certificate.pem", "/Dockerfile", "/counterscan.db", "/data/counterscan.db",
    ],
}  # fmt: skip
POSTED = (
    "api/predict", "run/predict", "queue/join", "upload", "component_server", "component_server/", "reset", "cancel",
    "gradio_api/component_server", "gradio_api/api/predict", "gradio_api/call/predict", "gradio_api/call/v2/predict",
    "gradio_api/process_recording", "gradio_api/stream/x", "gradio_api/stream/x/close", "gradio_api/vibe-edit",
    "gradio_api/undo-vibe-edit", "gradio_api/vibe-starter-queries", "gradio_api/mcp", "login", "mcp",
)  # fmt: skip


def is_closed(answer: Response) -> bool:
    return answer.status_code in (403, 404, 405) and b"root:" not in answer.content


@pytest.mark.parametrize("name", CLOSED)
def test_it_is_closed_to_a_visitor_and_to_nobody(browser: Browser, name: str) -> None:
    for client in (visit(browser), browser()):
        answers = {path: client.get(path, follow_redirects=False) for path in CLOSED[name]}
        assert {path: answer.status_code for path, answer in answers.items() if not is_closed(answer)} == {}


def test_functions_and_components_answer_by_no_other_way_than_the_pages(browser: Browser) -> None:
    client = visit(browser)
    body = {
        "data": [],
        "fn_index": 0,
        "session_hash": "page",
        "fn_name": "x",
        "component_id": 1,
        "api_name": "/predict",
    }
    answers = {path: client.post(f"/{path}", json=body) for path in POSTED}
    assert {path: answer.status_code for path, answer in answers.items() if not is_closed(answer)} == {}
    # an event that there is not
    for name in ("predict", "0", "..", "%2fpredict", "x" * 500):
        for body in ({"data": [None]}, {"data": [], "session_hash": "page"}):
            assert client.post(f"/gradio_api/run/{name}", json=body).status_code in (403, 404), name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("x.html", b"<script>alert(1)</script>"),
        ("x.xhtml", b"<html xmlns='http://www.w3.org/1999/xhtml'/>"),
        ("x.xml", b"<?xml-stylesheet href='x'?>"),
        ("x.js", b"alert(1)"),
        ("x.pdf", b"%PDF-1.7"),
        ("x.png", b"<script>alert(1)</script>"),
        ("x", b"<script>alert(1)</script>"),
    ],
)
def test_a_file_that_was_uploaded_is_never_a_page(browser: Browser, name: str, content: bytes) -> None:
    """CVE-2024-47872 and its like: scripts in files that come back from the server's own address."""
    owner, other = visit(browser), visit(browser)
    place = upload(owner, content, name)
    answer = owner.get(f"/gradio_api/file={place}")
    shown = answer.headers["content-type"].partition(";")[0] in ("image/png", "image/jpeg")
    assert answer.headers.get("content-disposition", "").startswith("attachment") or shown
    assert (
        answer.headers["x-content-type-options"] == "nosniff"
        and "object-src 'none'" in (answer.headers["content-security-policy"])
    )
    for client in (other, browser()):
        for path in (place, quote(place), quote(place, safe=""), place.replace("/", "//", 1), f"file://{place}"):
            assert is_closed(client.get(f"/gradio_api/file={path}")), path


def test_the_name_of_an_upload_leads_nowhere(browser: Browser) -> None:
    """CVE-2023-34239, CVE-2024-1728: names and paths that a client chooses."""
    client = visit(browser)
    here = services_of(client.app).settings.data.resolve() / "uploads"
    for name in (
        "../../x",
        "/etc/x",
        "..\\..\\x",
        "a/../../x",
        "CON",
        "x" * 300,
        "\u202egpj.html",
        ".",
        "..",
        "\r\nx: y",
    ):
        answer = client.post("/gradio_api/upload", files={"files": (name, b"x")})
        assert answer.status_code in (200, 400, 422), name
        for place in answer.json() if answer.status_code == 200 else []:
            parts = place.removeprefix(f"{here}/").split("/")
            assert place.startswith(f"{here}/") and len(parts) == 3 and ".." not in parts, place
    for query in ("upload_id=../../x", "dir=/etc", "upload_id=" + "x" * 500):
        assert client.post(f"/gradio_api/upload?{query}", files={"files": ("a.nii", b"x")}).status_code in (200, 403)


def test_the_configuration_of_the_page_has_nothing_of_the_server(browser: Browser) -> None:
    """CVE-2024-34511 and others: paths, tokens and hidden functions in what every visitor reads."""
    client = visit(browser)
    config: dict[str, Any] = client.get("/config").json()
    text = json.dumps(config)
    settings = services_of(client.app).settings
    for secret in (str(settings.data), "site-packages", "/home/", "GRADIO_", "COUNTERSCAN_"):
        assert secret not in text, secret
    assert client.get("/gradio_api/token").json() == {"token": None, "user": None}


def test_another_site_reads_and_sends_nothing(browser: Browser) -> None:
    """CVE-2024-1727, CVE-2024-47084: requests from pages of other sites, from `null` and from names that look alike."""
    client = visit(browser)
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example:7860", "http://localhost:7861", "x"):
        sent = client.post("/gradio_api/upload", files={"files": ("a", b"x")}, headers={"origin": origin})
        assert sent.status_code == 403, origin
        read = client.get("/config", headers={"origin": origin})
        assert not [name for name in read.headers if name.startswith("access-control-")], origin
    for host in ("evil.example", "127.0.0.1.evil.example", "", "localhost:80@evil.example"):
        assert client.get("/config", headers={"host": host}).status_code == 421, host
