from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.webapp.store.observed import code, rows
from webapp.services import Services
from webapp.store import access_tokens
from webapp.store.clock import now
from webapp.store.schema import access_token

DAY = timedelta(days=1)


def test_a_token_opens_one_session_until_it_is_ended(services: Services) -> None:
    tokens = services.tokens
    made, text = tokens.add("a", None, " my script ", now() + DAY)
    other, _ = tokens.add("a", None, "", now() + DAY)
    assert access_tokens.TOKEN.fullmatch(text) and made.title == "my script"
    assert tokens.find(text) == made and (made.session, made.account, made.last_seen) == ("a", None, None)
    assert tokens.of("a") == (other, made) and tokens.of("b") == ()
    for wrong in (made.id, text[:-1], text.removeprefix("counterscan_"), "", "counterscan_" + "x" * 43):
        assert tokens.find(wrong) is None
    assert code(lambda: tokens.end(made.id, "b")) == "not_found"
    tokens.touch(made.id)
    (_, seen) = tokens.of("a")
    assert seen.last_seen is not None and now() - seen.last_seen < DAY
    tokens.end(made.id, "a")
    assert tokens.find(text) is None and tokens.of("a") == (other,)


def test_the_database_holds_no_token(services: Services) -> None:
    _, text = services.tokens.add("a", None, "", now() + DAY)
    files = list(services.settings.data.glob("counterscan.db*"))
    assert files and all(text[12:].encode() not in file.read_bytes() for file in files)


def test_a_token_ends_by_time(services: Services) -> None:
    made, text = services.tokens.add("a", None, "", now() + DAY)
    with services.repo.engine.begin() as connection:
        past = now() - timedelta(seconds=1)
        connection.execute(update(access_token).where(access_token.c.id == made.id).values(ends=past))
    assert services.tokens.find(text) is None and services.tokens.of("a") == () and rows(services, access_token) == 1
    services.tokens.forget_ended()
    assert rows(services, access_token) == 0


def test_a_token_ends_with_its_accounts_password_and_with_the_account(services: Services) -> None:
    ada = services.accounts.add("ada", "visitor", "correct horse")
    bob = services.accounts.add("bob", "visitor", None)
    of_ada, of_bob = (services.tokens.add(one.session, one, "", now() + DAY)[1] for one in (ada, bob))
    found = services.tokens.find(of_ada)
    assert found is not None and found.account == ada
    services.accounts.set_role("ada", "manager")
    found = services.tokens.find(of_ada)
    assert found is not None and found.account is not None and found.account.role == "manager"
    services.accounts.set_password("ada", "another horse")
    assert services.tokens.find(of_ada) is None and services.tokens.find(of_bob) is not None
    services.accounts.disable("bob")
    services.accounts.disable("bob", disabled=False)
    assert services.tokens.find(of_bob) is None


def test_tokens_have_a_number_and_names_of_one_line(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_tokens, "MOST", 2)
    for title in ("two\nlines", "x" * 81, "\x1b[2J"):
        assert code(lambda title=title: services.tokens.add("a", None, title, now() + DAY)) == "bad_token_name"  # type: ignore[misc]
    services.tokens.add("a", None, "x" * 80, now() - DAY)
    for _ in range(2):
        services.tokens.add("a", None, "", now() + DAY)
    assert code(lambda: services.tokens.add("a", None, "", now() + DAY)) == "too_many_tokens"
    services.tokens.add("b", None, "", now() + DAY)
    services.tokens.end_all()
    assert rows(services, access_token) == 0


def test_who_deletes_all_data_has_no_token_left(services: Services) -> None:
    _, text = services.tokens.add("a", None, "my script", now() + DAY)
    _, other = services.tokens.add("b", None, "", now() + DAY)
    services.erasure.delete_session("a")
    assert services.tokens.find(text) is None and services.tokens.find(other) is not None
