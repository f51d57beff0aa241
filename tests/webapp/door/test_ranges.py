"""Parts of files, as browsers, download managers and viewers of volumes ask for them, and as nobody should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.phantom import Phantom
from tests.webapp.door.asgi import Inner, ask
from tests.webapp.door.visits import session_in, visit
from tests.webapp.fakes import load, services_of
from webapp.door.ranges import Ranges

Browser = Callable[[], TestClient]


@pytest.fixture
def volume(browser: Browser, head: Phantom, tmp_path: Path) -> tuple[TestClient, str, bytes]:
    """A visitor, the address of their scan, and its bytes."""
    client = visit(browser)
    services = services_of(client.app)
    scan, _ = load(services, head, tmp_path, session_in(services, client))
    address = f"/vol/{scan.token}/t1.nii.gz"
    return client, address, client.get(address).content


def test_a_part_of_a_volume_is_what_was_asked_for(volume: tuple[TestClient, str, bytes]) -> None:
    client, address, whole = volume
    size = len(whole)
    for asked, first, last in (
        ("bytes=0-9", 0, 9),
        ("bytes=10-", 10, size - 1),
        ("bytes=-10", size - 10, size - 1),
        (f"bytes=0-{9 * size}", 0, size - 1),
        ("bytes=0-1,1-3", 0, 3),
        ("BYTES=0-9", 0, 9),
    ):
        answer = client.get(address, headers={"range": asked})
        assert (answer.status_code, answer.content) == (206, whole[first : last + 1]), asked
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert answer.headers["cache-control"].startswith("private")
    beyond = client.get(address, headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")


def test_a_part_of_what_has_changed_is_the_whole(volume: tuple[TestClient, str, bytes]) -> None:
    client, address, _ = volume
    mark = client.head(address).headers["etag"]
    for given, status in ((mark, 206), ('"another"', 200)):
        assert client.get(address, headers={"range": "bytes=0-9", "if-range": given}).status_code == status
    head = client.head(address, headers={"range": "bytes=0-9"})
    assert (head.status_code, head.content, head.headers["content-length"]) == (206, b"", "10")


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=5-4", "bytes=0-1,5-4", "bytes=", "bytes=-", "bytes=a-b", "items=0-1", "bytes 0-1", "bytes=0-1;2-3", "",
        "bytes=--1", "bytes=0-1,", "bytes=" + "9" * 400 + "-", "bytes=\u00b2-", "bytes=0x1-2", "none",
        "bytes=" + ",".join(f"{3 * one}-{3 * one}" for one in range(150)),
    ],
)  # fmt: skip
def test_what_names_no_part_gets_the_whole(volume: tuple[TestClient, str, bytes], asked: str) -> None:
    client, address, whole = volume
    answer = client.get(address, headers={b"range": asked.encode("latin-1")})
    assert (answer.status_code, answer.content) == (200, whole)


def test_a_strangers_part_is_nobodys(volume: tuple[TestClient, str, bytes], browser: Browser) -> None:
    _, address, _ = volume
    assert visit(browser).get(address, headers={"range": "bytes=0-9"}).status_code == 404


def test_other_headers_stay() -> None:
    inner = Inner()
    ask(Ranges(inner), headers={"range": "x", "accept": "y"})
    assert [name for name, _ in inner.seen[0][0]["headers"]] == [b"host", b"accept"]
