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


def test_sites_that_the_settings_name_may_show_every_answer_in_a_frame() -> None:
    sites = ("https://huggingface.co", "https://example.org:8443")
    for own in ({}, {"content-security-policy": "default-src 'none'; frame-ancestors 'none'; img-src 'self'"}):
        policy = ask(SecurityHeaders(Inner(own), sites)).headers["content-security-policy"]
        assert policy.count("frame-ancestors") == 1
        assert "frame-ancestors 'self' https://huggingface.co https://example.org:8443" in policy
    assert policy.startswith("default-src 'none'; ") and policy.endswith("; img-src 'self'")
    assert "frame-ancestors 'self'" in ask(SecurityHeaders(Inner())).headers["content-security-policy"]


def test_no_other_site_may_read_an_answer() -> None:
    reflected = {
        "access-control-allow-origin": "https://evil.example",
        "Access-Control-Allow-Credentials": "true",
        "vary": "Origin",
    }
    headers = ask(SecurityHeaders(Inner(reflected))).headers
    assert [name for name in headers if name.startswith("access-control")] == []
    assert headers["vary"] == "Origin"
