"""Requests for the head of an answer alone, which those who watch servers, and programs before a download, send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from tests.webapp.door.asgi import Inner, ask
from tests.webapp.door.visits import visit
from webapp.door.head_requests import HeadRequests
from webapp.door.refusals import CLOSED, CODE, refuse

Browser = Callable[[], TestClient]


def test_the_head_is_that_of_the_whole() -> None:
    inner = Inner({"content-type": "text/plain", "etag": "x"})
    whole, head = ask(HeadRequests(inner)), ask(HeadRequests(inner), method="HEAD")
    assert (head.status, head.headers, head.body) == (200, whole.headers, b"")
    assert [scope["method"] for scope, _ in inner.seen] == ["GET", "GET"]


def test_a_stream_without_end_has_a_head_too() -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0)

    assert ask(HeadRequests(endless), method="HEAD").body == b""


def test_a_refusal_is_counted_as_one() -> None:
    seen: list[Scope] = []

    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await refuse(scope, receive, send, 403, CLOSED)

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        await HeadRequests(refusing)(scope, receive, send)
        assert scope[CODE] == "closed"

    assert ask(watched, method="HEAD").status == 403 and seen


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/robots.txt", "/", "/ui/style/style.css", "/account", "/queue"]
)
def test_every_address_that_can_be_read_has_a_head(browser: Browser, path: str) -> None:
    client = visit(browser)
    whole, head = client.get(path), client.head(path)
    assert head.status_code == whole.status_code == 200
    assert head.content == b"" and head.headers["content-type"] == whole.headers["content-type"]


def test_who_asks_for_the_head_of_the_page_is_no_visitor(browser: Browser) -> None:
    answer = browser().head("/")
    assert answer.status_code == 200 and "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/healthz", "/gradio_api/upload", "/gradio_api/queue/join"])
def test_nobody_is_told_what_other_sites_may_send(browser: Browser, path: str) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "x"}
    answer = visit(browser).options(path, headers=asked)
    assert answer.status_code == 403 and answer.json()["code"] == "closed"
    assert not [name for name in answer.headers if name.startswith("access-control-")]
