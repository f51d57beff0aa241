"""For whom a request counts that came by proxies, and what a client writes of itself."""

from __future__ import annotations

import pytest
from starlette.types import Receive, Scope, Send

from tests.webapp.door.asgi import Inner, ask
from webapp.door.peer import PEER, Peer, address_of, is_near, is_within
from webapp.door.proxies import Proxies, plain
from webapp.settings import Settings

FORGED, CLIENT, NEAR, FAR = "203.0.113.9", "198.51.100.7", "10.16.3.80", "192.0.2.250"


@pytest.mark.parametrize(
    ("given", "hops", "client"),
    [
        # a proxy adds at the end: whatever a client writes before does not count
        ("127.0.0.1", [FORGED, CLIENT], CLIENT),
        (f"127.0.0.1, {FAR}", [FORGED, CLIENT, FAR], CLIENT),
        ("10.0.0.0/8", [FORGED, CLIENT, NEAR, "10.0.0.1"], CLIENT),
        ("10.0.0.0/8", ["10.0.0.5", "10.0.0.1"], "10.0.0.5"),
        ("10.0.0.0/8", [], ""),
        ("nonsense, 10.0.0.1/33, 10.0.0.1", [CLIENT, "10.0.0.1"], CLIENT),
        ("10.0.0.1", [CLIENT, "unknown"], "unknown"),
    ],
)
def test_the_last_hop_that_is_no_proxy_counts(given: str, hops: list[str], client: str) -> None:
    assert Proxies(given).client(hops) == client


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        (["1.1.1.1"], "1.1.1.1"),
        # rotating what stands first gave each request a new address, and no limit of addresses held
        (["9.9.9.9", "1.1.1.1"], "1.1.1.1"),
        (["9.9.9.9", "1.1.1.1", "10.16.3.80", "100.64.0.9"], "1.1.1.1"),
        (["9.9.9.9", "2606:4700::1111", "fd00::1"], "2606:4700::1111"),
        (["192.168.1.5", "10.0.0.2"], "192.168.1.5"),
        (["unknown", "9.9.9.9, x", "1.1.1.1:4711"], "1.1.1.1"),
        (["unknown"], ""),
        ([], ""),
    ],
)
def test_where_every_machine_is_a_proxy_the_last_of_the_internet_counts(hops: list[str], client: str) -> None:
    assert Proxies("*").client(hops) == client
    assert "198.51.100.1" in Proxies("*") and "198.51.100.1" not in Proxies("")


@pytest.mark.parametrize("new", [f"{number}.{number}.{number}.{number}" for number in (8, 9, 20)])
def test_a_client_gets_no_new_address_by_what_it_writes(monkeypatch: pytest.MonkeyPatch, new: str) -> None:
    for trusted in ("*", "testclient", ""):
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
        inner = Inner()
        ask(Peer(inner), headers={"x-forwarded-for": f"{new}, 1.1.1.1"})
        # `ask` comes from no machine, which is a proxy only where all are
        assert address_of(inner.seen[0][0]) == ("1.1.1.1" if trusted == "*" else "")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.7:51234", "192.0.2.7"),
        ("[2001:db8:1:2::5]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::5]", "2001:db8:1:2::/64"),
        # a server that listens on :: sees each client of the older kind so, and all had one address
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:0207", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("x" * 500, "x" * 100),
    ],
)
def test_addresses_are_counted_however_they_are_written(written: str, address: str) -> None:
    assert address_of({"client": (written, 1)}) == address


def test_a_server_that_listens_to_both_kinds_of_addresses_knows_its_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.1")
    settings = Settings(proxy_header="X-Remote-User", proxy_addresses="10.0.0.1")

    async def from_proxy(scope: Scope, receive: Receive, send: Send) -> None:
        scope["client"] = ("::ffff:10.0.0.1", 1)
        await Peer(inner)(scope, receive, send)

    inner = Inner()
    ask(from_proxy, headers={"x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https, http"})
    seen = inner.seen[0][0]
    assert (seen[PEER], seen["scheme"], address_of(seen)) == ("10.0.0.1", "https", "1.1.1.1")
    assert is_within(seen, settings.trusted_proxies) and not is_near(seen)


@pytest.mark.parametrize(("written", "scheme"), [("https", "https"), ("HTTPS", "https"), ("wss", "http"), ("", "http")])
def test_the_scheme_is_one_of_two(monkeypatch: pytest.MonkeyPatch, written: str, scheme: str) -> None:
    for trusted, wanted in (("*", scheme), ("10.0.0.1", "http")):
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
        inner = Inner()
        ask(Peer(inner), headers={"x-forwarded-proto": written})
        assert inner.seen[0][0]["scheme"] == wanted


def test_an_address_that_is_none_stays_what_it_is() -> None:
    assert [plain(one) for one in ("", " testclient ", "a:b:c", "1.2.3.4.5:6")] == [
        "",
        "testclient",
        "a:b:c",
        "1.2.3.4.5:6",
    ]
