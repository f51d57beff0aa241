from __future__ import annotations

import pytest

from tests.webapp.door.asgi import Inner, ask
from webapp.door.addresses import Addresses


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/healthz",
        "/vol/a/b",
        "/theme.css",
        "/assets/index.js",
        "/config",
        "/gradio_api/queue/data",
        "/gradio_api/heartbeat/page",
        "/gradio_api/upload_progress",
    ],
)
def test_what_the_page_needs_is_open(path: str) -> None:
    assert ask(Addresses(Inner()), path).status == 200
    assert ask(Addresses(Inner()), path, "HEAD").status == 200
    assert ask(Addresses(Inner()), path, "PUT").code == "closed"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/vol/a/b/", "/vol/a/b"),
        ("/api/v1/jobs/1/results/result.nii.gz/", "/api/v1/jobs/1/results/result.nii.gz"),
        ("/gradio_api/queue/data/", "/gradio_api/queue/data"),
        ("/", "/"),
        ("/ui/viewer/", "/ui/viewer/"),
        ("/gradio_api/file=/x/", "/gradio_api/file=/x/"),
    ],
)
def test_a_slash_at_the_end_makes_no_difference(path: str, found: str) -> None:
    inner = Inner()
    assert ask(Addresses(inner), path).status == 200
    assert inner.seen[0][0]["path"] == found


@pytest.mark.parametrize(
    "path", ["/gradio_api/queue/join", "/gradio_api/run/predict", "/gradio_api/upload", "/mask/1", "/sign-in"]
)
def test_what_the_page_sends_is_open(path: str) -> None:
    assert ask(Addresses(Inner()), path, "POST").status == 200
    assert ask(Addresses(Inner()), path, "DELETE").code == "closed"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/proxy=http://example.org/",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/file=http://127.0.0.1:7860/healthz",
        "/gradio_api/file=HTTPS://example.org/",
        "/gradio_api/file=//example.org/",
        "/gradio_api//file=/etc/passwd",
        "//gradio_api/file=/etc/passwd",
        "/x/../gradio_api/file=/etc/passwd",
        "/gradio_api/call/predict",
        "/gradio_api/deep_link",
        "/gradio_api/stream/page/1/1/playlist.m3u8",
        "/gradio_api/vibe-edit",
        "/gradio_api/process_recording",
        "/monitoring",
        "/docs",
        "/openapi.json",
        "/login",
        "/no-such-address",
        "/gradio_api/brought-by-an-update",
        "/healthz/x",
        "/vol/a",
        "/vol/a/b/c",
        "/healthz\n",
        "/rate",
    ],
)
def test_what_no_page_needs_is_closed(path: str) -> None:
    inner = Inner()
    answer = ask(Addresses(inner), path)
    assert (answer.status, answer.code, inner.seen) == (403, "closed", [])
