from __future__ import annotations

import pytest

from tests.webapp.door.asgi import Inner, ask
from webapp.door.origin import Origin, host_name

HOSTS = frozenset({"127.0.0.1", "scans.example.org"})


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:7860", 200),
        ("Scans.Example.org", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("scans.example.org@evil.example", 421),
        ("", 421),
    ],
)
def test_only_known_hosts_are_served(host: str, status: int) -> None:
    inner = Inner()
    answer = ask(Origin(inner, HOSTS), headers={"host": host})
    assert answer.status == status
    assert len(inner.seen) == (status == 200)
    assert status == 200 or answer.code == "wrong_host"


def test_an_address_keeps_its_brackets() -> None:
    assert host_name("[::1]:7860") == host_name("[::1]") == "[::1]"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:7860"}, 200),
        ({"origin": "http://127.0.0.1:7861"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_change_comes_from_our_own_page(headers: dict[str, str], status: int, method: str) -> None:
    answer = ask(Origin(Inner(), HOSTS), "/mask/1", method, headers=headers)
    assert answer.status == status
    assert status == 200 or answer.code == "cross_origin"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_elsewhere_may_lead_here(method: str) -> None:
    headers = {"sec-fetch-site": "cross-site", "origin": "http://elsewhere.example"}
    assert ask(Origin(Inner(), HOSTS), "/", method, headers=headers).status == 200
