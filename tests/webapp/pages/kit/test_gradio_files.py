from __future__ import annotations

import gzip
from pathlib import Path

import brotli
import pytest
from fastapi import FastAPI
from gradio.route_utils import BUILD_PATH_LIB
from starlette.testclient import TestClient

from webapp.pages.kit.gradio_files import SHORTCUTS, Shortcut, router, shortened

FILES = Path(BUILD_PATH_LIB)
READ = {"br": brotli.decompress, "gzip": gzip.decompress}


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    app.include_router(router())
    return TestClient(app)


def with_piece(piece: str) -> list[Path]:
    """Return the scripts of Gradio's page that have a piece of text."""
    return [path for path in FILES.glob("*.js") if piece in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("shortcut", SHORTCUTS, ids=lambda one: one.slow[:20])
def test_each_shortcut_finds_its_place_in_gradio_as_it_is(client: TestClient, shortcut: Shortcut) -> None:
    """An update of Gradio that words it otherwise loses the shortcut, not the page."""
    (path,) = with_piece(shortcut.slow)
    answer = client.get(f"/assets/{path.name}")
    assert answer.text == shortened(path.read_text(encoding="utf-8"))
    assert (shortcut.quick in answer.text, shortcut.slow in answer.text) == (True, False)
    assert answer.text.endswith(shortcut.after)


def test_a_script_that_has_no_such_piece_or_two_of_them_stays() -> None:
    slow = SHORTCUTS[0].slow
    assert [shortened(text) for text in ("let a = 1", slow + slow)] == ["let a = 1", slow + slow]


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_a_file_is_compressed_as_the_browser_reads_it_and_kept(client: TestClient, coding: str) -> None:
    path = max(FILES.glob("Index-*.css"), key=lambda path: path.stat().st_size)
    with client.stream("GET", f"/assets/{path.name}", headers={"accept-encoding": f"x, {coding};q=0.5"}) as answer:
        body = b"".join(answer.iter_raw())
    assert READ[coding](body) == path.read_bytes()
    assert len(body) < path.stat().st_size / 2
    assert answer.headers["content-encoding"] == coding
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]


def test_who_reads_no_compression_gets_the_file(client: TestClient) -> None:
    path = next(FILES.glob("Index-*.css"))
    answer = client.get(f"/assets/{path.name}", headers={"accept-encoding": "identity"})
    assert answer.content == path.read_bytes()
    assert "content-encoding" not in answer.headers


def test_a_file_with_a_shortcut_is_asked_for_each_time_and_sent_once(client: TestClient) -> None:
    (path,) = with_piece(SHORTCUTS[0].slow)
    first = client.get(f"/assets/{path.name}")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(f"/assets/{path.name}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_font_is_sent_as_it_is(client: TestClient) -> None:
    path = next(FILES.glob("*.woff2"))
    answer = client.get(f"/assets/{path.name}")
    assert answer.content == path.read_bytes()
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "name", ["none-12345678.js", "..%2findex.html", ".hidden.js", "svelte", "..%2f..%2fpackage.json"]
)
def test_nothing_else_is_there(client: TestClient, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404
