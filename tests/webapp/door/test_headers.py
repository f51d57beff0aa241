from __future__ import annotations

from tests.webapp.door.asgi import Inner, ask
from webapp.door.headers import SECURITY, SecurityHeaders


def test_every_answer_gets_the_headers() -> None:
    headers = ask(SecurityHeaders(Inner())).headers
    assert {name: headers[name] for name in SECURITY} == SECURITY
    assert "object-src 'none'" in headers["content-security-policy"]


def test_a_page_may_have_a_policy_of_its_own() -> None:
    headers = ask(SecurityHeaders(Inner({"content-security-policy": "sandbox"}))).headers
    assert headers.getlist("content-security-policy") == ["sandbox"]
    assert headers["x-content-type-options"] == "nosniff"


def test_no_other_site_may_read_an_answer() -> None:
    reflected = {
        "access-control-allow-origin": "https://evil.example",
        "Access-Control-Allow-Credentials": "true",
        "vary": "Origin",
    }
    headers = ask(SecurityHeaders(Inner(reflected))).headers
    assert [name for name in headers if name.startswith("access-control")] == []
    assert headers["vary"] == "Origin"
