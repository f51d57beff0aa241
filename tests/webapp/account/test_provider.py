from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from core.errors import UserError
from tests.webapp.account.provider import CLIENT, ISSUER, SECRET, FakeProvider
from tests.webapp.door.asgi import finished
from tests.webapp.fakes import ORIGIN, FakeEngine, services_of, stub_page
from webapp import app as server
from webapp.door.provider import Attempt, Person, Provider, attempt_of
from webapp.settings import Settings

BACK = f"{ORIGIN}/sign-in/callback"
PERSON = {"accept": "text/html", "sec-fetch-mode": "navigate"}


@pytest.fixture(scope="module")
def keys() -> tuple[RSAKey, RSAKey]:
    """Two keys of one name, which take a while to make."""
    first, second = (RSAKey.generate_key(2048, parameters={"kid": "one"}) for _ in range(2))
    return first, second


@pytest.fixture
def fake(keys: tuple[RSAKey, RSAKey]) -> FakeProvider:
    """A provider."""
    return FakeProvider(keys[0])


def client_of(fake: FakeProvider, claim: str = "email") -> Provider:
    return Provider(ISSUER, CLIENT, SECRET, claim, httpx2.ASGITransport(fake.app))


def log_in(fake: FakeProvider, provider: Provider | None = None, nonce: str | None = None) -> Person:
    """Go through a whole log-in."""
    client = provider or client_of(fake)

    async def steps() -> Person:
        address, attempt = await client.begin(BACK, "/")
        return await client.finish(attempt, fake.authorize(address, nonce), BACK)

    return finished(steps())


def test_a_person_is_named_by_the_provider(fake: FakeProvider) -> None:
    assert log_in(fake) == Person(f"{ISSUER} 1", "ada@example.org")
    fake.claims |= {"preferred_username": "ada", "email": None}
    assert log_in(fake, client_of(fake, "preferred_username")).name == "ada"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "a\nb"},
        {"sub": "\u0430"},
        {"nonce": "another"},
        {"nonce": None},
        {"nbf": 4_000_000_000},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": None},
        {"email": ""},
        {"email": ["ada@example.org"]},
    ],
    ids=str,
)
def test_a_token_of_others_or_of_nobody_is_refused(fake: FakeProvider, claims: dict[str, Any]) -> None:
    fake.claims |= claims
    with pytest.raises(UserError) as refused:
        log_in(fake)
    assert refused.value.code == "sign_in_failed"


def test_two_audiences_are_allowed_where_we_are_who_asked(fake: FakeProvider) -> None:
    fake.claims |= {"aud": [CLIENT, "another"], "azp": CLIENT}
    assert log_in(fake).name == "ada@example.org"


def test_a_key_of_somebody_else_signs_nothing(fake: FakeProvider, keys: tuple[RSAKey, RSAKey]) -> None:
    provider = client_of(fake)
    fake.signing = keys[1]
    with pytest.raises(UserError) as refused:
        log_in(fake, provider)
    assert refused.value.code == "sign_in_failed"
    fake.signing = keys[0]
    assert log_in(fake, provider)


def test_a_new_key_of_the_provider_is_read(fake: FakeProvider, keys: tuple[RSAKey, RSAKey]) -> None:
    provider = client_of(fake)
    assert log_in(fake, provider)
    fake.shown = fake.signing = keys[1]
    assert log_in(fake, provider).name == "ada@example.org"


# the library warns of a signature of no kind where the false provider makes one
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_signature_that_anybody_can_make_is_refused(fake: FakeProvider, algorithm: str) -> None:
    fake.algorithm = algorithm
    with pytest.raises(UserError) as refused:
        log_in(fake)
    assert refused.value.code == "sign_in_failed"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://id.example.org/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
)
def test_a_provider_under_another_name_or_without_https_is_refused(
    fake: FakeProvider, metadata: dict[str, Any]
) -> None:
    fake.metadata = metadata
    with pytest.raises(UserError) as refused:
        finished(client_of(fake).begin(BACK, "/"))
    assert refused.value.code == "sign_in_failed"


def test_what_comes_back_must_be_what_was_begun(fake: FakeProvider) -> None:
    provider = client_of(fake)

    async def steps(change: dict[str, str], attempt_change: dict[str, str]) -> Person:
        address, attempt = await provider.begin(BACK, "/")
        kept = {name: attempt_change.get(name, value) for name, value in vars(attempt).items()}
        return await provider.finish(Attempt(**kept), {**fake.authorize(address), **change}, BACK)

    for change, attempt_change in (
        ({"state": "other"}, {}),
        ({"state": ""}, {}),
        ({"code": "other"}, {}),
        ({}, {"state": "other"}),
        ({}, {"nonce": "other"}),
        ({}, {"verifier": "v" * 64}),
    ):
        with pytest.raises(UserError) as refused:
            finished(steps(change, attempt_change))
        assert refused.value.code == "sign_in_failed"
    assert finished(steps({}, {}))


def test_a_code_counts_once(fake: FakeProvider) -> None:
    provider = client_of(fake)

    async def steps() -> None:
        address, attempt = await provider.begin(BACK, "/")
        query = fake.authorize(address)
        assert await provider.finish(attempt, query, BACK)
        await provider.finish(attempt, query, BACK)

    with pytest.raises(UserError):
        finished(steps())


@pytest.mark.parametrize("text", ["", "[]", "7", "{}", '{"state": 1}', "x" * 9999, '{"state":"a","b":"c"}'])
def test_a_cookie_that_is_no_attempt_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        attempt_of(text)
    kept = Attempt("s", "n", "v", "/?a=b")
    assert attempt_of(kept.to_text()) == kept


@pytest.fixture
def visiting(fake: FakeProvider, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A browser of a server that leaves log-in to the provider."""
    chosen = settings.model_copy(update={"oidc_issuer": ISSUER, "oidc_client": CLIENT, "oidc_secret": SECRET})
    monkeypatch.setattr(server, "_provider", lambda settings: client_of(fake))
    made = server.create_app(chosen, page=stub_page, engine=FakeEngine)
    with TestClient(made, base_url=ORIGIN, headers={"origin": ORIGIN, **PERSON}, follow_redirects=False) as client:
        yield client


def test_a_browser_goes_there_and_comes_back(fake: FakeProvider, visiting: TestClient) -> None:
    page = visiting.get("/sign-in?next=/?job=1")
    assert "Sign in with your institution" in page.text and 'type="password"' not in page.text
    sent = visiting.get("/sign-in/provider?next=/?job=1")
    assert sent.status_code == 303 and "samesite=lax" in sent.headers["set-cookie"].lower()
    query = fake.authorize(sent.headers["location"])
    back = visiting.get("/sign-in/callback", params=query, headers={"sec-fetch-site": "cross-site"})
    assert (back.status_code, back.headers["location"]) == (303, "/?job=1")
    assert visiting.get("/").status_code == 200
    assert "ada@example.org" in visiting.get("/account").text
    account = services_of(visiting.app).accounts.find("ada@example.org")
    assert (account.role, account.local) == ("visitor", False)
    # the same query again, without what the browser kept
    assert visiting.get("/sign-in/callback", params=query).status_code == 403
    assert visiting.post("/sign-in", data={"name": "ada@example.org", "password": "x"}).status_code == 403


def test_who_has_only_the_name_of_an_account_is_refused_and_told_what_to_send_an_administrator(
    fake: FakeProvider, visiting: TestClient
) -> None:
    services = services_of(visiting.app)
    services.accounts.add("ada@example.org", "admin", None)

    def tried() -> Any:
        sent = visiting.get("/sign-in/provider")
        return visiting.get("/sign-in/callback", params=fake.authorize(sent.headers["location"]))

    refused = tried()
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    assert "not linked" in refused.text and f"{ISSUER} 1" in refused.text
    assert visiting.get("/").headers["location"].startswith("/sign-in")
    services.accounts.link("ada@example.org", f"{ISSUER} 1")
    assert tried().status_code == 303
    assert visiting.get("/admin").status_code == 200
