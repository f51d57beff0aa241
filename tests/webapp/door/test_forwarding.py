"""What a client writes of hosts, schemes and ways changes no address of the page, and is nobody else's answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from tests.webapp.door.asgi import Inner, ask
from tests.webapp.door.visits import visit
from webapp.door.forwarding import Unforwarded

HOST = "evil.example"
# what proxies, frameworks and Gradio itself have read addresses from
WRITTEN = {
    "x-forwarded-host": HOST,
    "x-forwarded-server": HOST,
    "x-forwarded-proto": "https, gopher",
    "x-forwarded-scheme": "https",
    "x-forwarded-port": "6666",
    "x-forwarded-prefix": f"//{HOST}/a",
    "x-forwarded-for": HOST,
    "forwarded": f"for={HOST};host={HOST};proto=https",
    "x-gradio-server": f"https://{HOST}",
    "x-gradio-user": HOST,
    "x-original-url": f"https://{HOST}/",
    "x-rewrite-url": f"https://{HOST}/",
    "x-host": HOST,
    "x-real-ip": HOST,
    "x-script-name": f"//{HOST}",
    "referer": f"https://{HOST}/",
}


@pytest.mark.parametrize(
    "path", ["/", "/config", "/theme.css", "/manifest.json", "/gradio_api/info", "/gradio_api/user"]
)
def test_no_address_of_the_page_is_a_clients(browser: Callable[[], TestClient], path: str) -> None:
    client = visit(browser)
    plain = client.get(path)
    assert plain.status_code == 200
    for headers in (*({name: value} for name, value in WRITTEN.items()), WRITTEN):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, HOST in answer.text, "6666" in answer.text) == (200, False, False), headers
        assert ("https://127.0.0.1" in answer.text) == ("https://127.0.0.1" in plain.text), headers


def test_gradio_sees_neither_and_everything_else() -> None:
    inner = Inner()
    ask(Unforwarded(inner), headers={**WRITTEN, "X-Forwarded-Host": HOST, "accept": "text/html", "cookie": "a=b"})
    left = {name.decode() for name, _ in inner.seen[0][0]["headers"]}
    assert left >= {"accept", "cookie", "referer"}
    assert not [name for name in left if name.lower().startswith(("x-forwarded", "forwarded", "x-gradio"))]
