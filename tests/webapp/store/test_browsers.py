from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from alembic import command
from sqlalchemy import Engine, text, update

from tests.postgres import everything
from webapp.store.accounts import Accounts
from webapp.store.browsers import Browsers, digest
from webapp.store.clock import now
from webapp.store.database import configuration, connect, migrate
from webapp.store.schema import browser


def test_only_a_cookie_that_was_given_opens_a_session(database: Engine) -> None:
    browsers = Browsers(database, 180)
    made, cookie = browsers.admit()
    assert browsers.find(cookie) == made and made.account is None
    assert browsers.find("x" * 43) is None and browsers.find("") is None
    # neither the id that the database holds nor the session's opens anything
    assert browsers.find(made.id) is None and browsers.find(made.session) is None


def test_the_database_holds_no_cookie(database: Engine) -> None:
    made, cookie = Browsers(database, 180).admit()
    assert made.session in everything(database) and cookie not in everything(database)


def test_an_account_has_one_session_in_all_its_browsers(database: Engine) -> None:
    account = Accounts(database).add("ada", "visitor", None)
    browsers = Browsers(database, 180)
    one, first = browsers.admit(account)
    two, second = browsers.admit(account)
    assert one.session == two.session == account.session and one.id != two.id
    assert browsers.of(account.session) == (two, one)
    browsers.sign_out(one.id)
    assert browsers.find(first) is None and browsers.find(second) == two
    browsers.sign_out_everywhere(account.session)
    assert browsers.find(second) is None


def test_a_browser_is_forgotten_after_its_last_visit(database: Engine) -> None:
    made, cookie = Browsers(database, 180).admit()
    with database.begin() as connection:
        connection.execute(update(browser).values(last_seen=now() - timedelta(days=2)))
    assert Browsers(database, 1).find(cookie) is None
    browsers = Browsers(database, 3)
    assert browsers.find(cookie) is not None
    browsers.touch(made)
    assert Browsers(database, 1).find(cookie) is not None


def test_cookies_of_before_browsers_were_kept_stay_good(tmp_path: Path) -> None:
    engine, cookie = connect(f"sqlite:///{tmp_path}/old.db"), "c" * 43
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0003")
        # the session was a digest of the cookie
        connection.execute(
            text("INSERT INTO session VALUES (:id, '2026-01-01', datetime('now'))"), {"id": digest(cookie)}
        )
    migrate(engine)
    known = Browsers(engine, 180).find(cookie)
    assert known is not None and known.session == digest(cookie)
    engine.dispose()
