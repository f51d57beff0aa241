"""A public demo in a frame of another site, as Hugging Face shows Spaces, in a browser that decides what it sends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Frame, Page
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.browser.conftest import new_context
from tests.certificates import write_certificate
from tests.waiting import wait_until
from tests.webapp.fakes import FakeEngine, stub_page
from webapp.app import create_app
from webapp.door.identity import SECURE_COOKIE
from webapp.settings import Settings


@contextmanager
def serving(app: ASGIApp, folder: Path) -> Iterator[int]:
    """Serve by HTTPS, and give the port."""
    certificate, key = write_certificate(folder, "test")
    config = uvicorn.Config(
        app, port=0, log_level="critical", proxy_headers=False, ssl_certfile=certificate, ssl_keyfile=str(key),
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, bool)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@dataclass
class Outer:
    """A page of another site, with the demo in a frame."""

    inner: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            await HTMLResponse(f"<title>Outer</title><iframe src='{self.inner}'></iframe>")(scope, receive, send)


@dataclass(frozen=True)
class Space:
    """The addresses of the page of another site and of the demo, which may be shown there or not."""

    outer: str
    demo: str
    named: bool


@pytest.fixture(params=[True, False], ids=["named", "not named"])
def space(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Space]:
    """Both servers: localhost and 127.0.0.1 are two sites."""
    page = Outer()
    with serving(page, tmp_path) as port:
        outer = f"https://localhost:{port}"
        settings = Settings(
            data=tmp_path / "data", warm=False, disk_reserve_mb=1, public_demo=True,
            framed_by=outer if request.param else "",
        )  # fmt: skip
        with serving(create_app(settings, page=stub_page, engine=FakeEngine), tmp_path) as inner:
            page.inner = f"https://127.0.0.1:{inner}/"
            yield Space(outer, page.inner, request.param)


@pytest.fixture
def context(browser: Browser, space: Space) -> Iterator[BrowserContext]:
    """A fresh browser, which trusts certificates of tests; its connections end before the servers do."""
    made = new_context(browser, ignore_https_errors=True)
    yield made
    made.close()


def framed(page: Page) -> Frame:
    """Return the frame of the outer page, once the demo stands in it."""
    (frame,) = page.main_frame.child_frames
    # a strict cookie is held back at first, so the page loads itself again
    frame.wait_for_function("globalThis.gradio_config !== undefined")
    return frame


def asked(frame: Frame) -> tuple[int, str]:
    """Return status and mark of the visitor as a script of the framed page gets them."""
    status, whose = frame.evaluate("fetch('/queue').then(async (one) => [one.status, (await one.json()).whose ?? ''])")
    return int(status), str(whose)


def test_the_frame_has_a_session_of_its_own_where_the_site_is_named(context: BrowserContext, space: Space) -> None:
    page = context.new_page()
    if not space.named:
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(space.outer)
        assert context.cookies() == []
        return
    page.goto(space.outer)
    frame = framed(page)
    (cookie,) = context.cookies()
    assert (cookie["name"], cookie["sameSite"], cookie["partitionKey"]) == (SECURE_COOKIE, "None", "https://localhost")
    status, whose = asked(frame)
    assert status == 200 and whose
    # what the frame sends comes from the server's own page, and what the page around it sends does not
    upload = """() => { const form = new FormData(); form.append("files", new File(["x"], "a.nii"));
      return fetch("/gradio_api/upload", { method: "POST", body: form }).then((one) => one.json()); }"""
    (place,) = frame.evaluate(upload)
    page.evaluate(
        "(url) => fetch(url, { method: 'POST', credentials: 'include', mode: 'no-cors' }).catch(() => {})",
        f"{space.demo}data/delete",
    )
    assert frame.evaluate("(place) => fetch(`/gradio_api/file=${place}`).then((one) => one.status)", place) == 200
    # the session stays, and is another than that of the page in a tab of its own
    page.reload()
    assert asked(framed(page)) == (200, whose)
    alone = context.new_page()
    alone.goto(space.demo)
    kinds = {(one["sameSite"], "partitionKey" in one) for one in context.cookies()}
    assert kinds == {("None", True), ("Strict", False)}
    assert asked(alone.main_frame)[1] not in ("", whose)
