from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, text

from core.errors import UserError
from tests.databases import fresh
from tests.hand_clock import HandClock
from webapp.store.accounts import FORGET_SECONDS, FREE_FAILURES, LONGEST_WAIT, Accounts, wait_after
from webapp.store.browsers import Browsers
from webapp.store.database import connect
from webapp.store.schema import account, browser, session, sign_in_failure

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
RIGHT, WRONG = "correct horse", "battery staple"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A database for all tests of this file."""
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('accounts')}/test.db")
    fresh(engine)
    return engine


@pytest.fixture(autouse=True)
def emptied(database: Engine) -> Iterator[None]:
    """Leave no account behind."""
    yield
    empty(database)


def enabled(accounts: Accounts) -> list[str]:
    return [one.name for one in accounts.all() if one.disabled is None]


def empty(database: Engine) -> None:
    with database.begin() as connection:
        for table in (browser, account, sign_in_failure, session):
            connection.execute(delete(table))


@pytest.fixture
def clock() -> HandClock:
    """A clock that stands still."""
    return HandClock()


@pytest.fixture
def accounts(database: Engine, clock: HandClock) -> Accounts:
    """Accounts with passwords that are quickly checked."""
    return Accounts(database, QUICK, clock)


def code_of(accounts: Accounts, name: str, password: str) -> str:
    try:
        accounts.sign_in(name, password)
    except UserError as error:
        return error.code
    return "in"


def test_a_password_opens_its_account(accounts: Accounts) -> None:
    made = accounts.add(" Ada ", "manager", RIGHT)
    assert (made.name, made.role, made.local, made.disabled) == ("ada", "manager", True, None)
    assert accounts.sign_in("ADA", RIGHT) == made == accounts.find("ada")
    assert [code_of(accounts, "ada", wrong) for wrong in (WRONG, "", RIGHT.upper(), RIGHT + " ", "x" * 500)] == (
        ["wrong_password"] * 5
    )


def test_the_database_holds_no_password(accounts: Accounts, database: Engine) -> None:
    accounts.add("ada", "visitor", RIGHT)
    with database.begin() as connection:
        kept = connection.scalar(text("SELECT password FROM account"))
    assert str(kept).startswith("$argon2id$") and RIGHT not in str(kept)


def test_a_password_kept_in_an_older_way_is_kept_anew(accounts: Accounts, database: Engine, clock: HandClock) -> None:
    accounts.add("ada", "visitor", RIGHT)
    dearer = Accounts(database, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1), clock)
    assert code_of(dearer, "ada", RIGHT) == "in"
    with database.begin() as connection:
        assert "m=16,t=2" in str(connection.scalar(text("SELECT password FROM account")))
    assert code_of(dearer, "ada", RIGHT) == "in"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "a/b",
        "<b>",
        "x" * 121,
        "a\u202eb",
        'a"b',
        "${a}",
        # Cyrillic, Greek and Armenian letters among Latin ones
        "\u0430da",
        "ad\u03b1",
        "\u0561da",
        "ada@ex\u0430mple.org",
    ],
)
def test_a_name_is_plain(accounts: Accounts, name: str) -> None:
    with pytest.raises(UserError) as refused:
        accounts.add(name, "visitor", RIGHT)
    assert refused.value.code == "bad_name"


@pytest.mark.parametrize(
    "name",
    ["\u0410\u0434\u0430", "j\u00fcrgen", "\u5c71\u7530\u305f\u308d\u3046x", "ada-7_b.c+d@example.org", "\u03b1"],
)
def test_names_of_one_script_are_allowed(accounts: Accounts, name: str) -> None:
    assert accounts.find(accounts.add(name, "visitor", None).name).name == name.lower()


@pytest.mark.parametrize("other", ["ADA", "\uff41da", "\u24d0da", "ad\u00aa", " ada "])
def test_a_name_is_one_however_it_is_written(accounts: Accounts, other: str) -> None:
    made = accounts.add("ada", "visitor", RIGHT)
    assert accounts.find(other) == accounts.sign_in(other, RIGHT) == made
    with pytest.raises(UserError) as refused:
        accounts.add(other, "admin", None)
    assert refused.value.code == "name_taken"


def test_who_guesses_elsewhere_does_not_lock_the_owner_out(accounts: Accounts, clock: HandClock) -> None:
    accounts.add("ada", "visitor", RIGHT)
    accounts.add("bob", "visitor", RIGHT)
    mark = accounts.mark("ada")
    for _ in range(40):
        code_of(accounts, "ada", WRONG)
        clock.forward(60)
    # somebody keeps the name locked; a browser of the owner's comes in all the same
    assert code_of(accounts, "ada", RIGHT) == "locked_out"
    assert accounts.sign_in("ada", RIGHT, mark).name == "ada"
    # and that does not open the lock to others
    assert code_of(accounts, "ada", RIGHT) == "locked_out"
    with pytest.raises(UserError):
        accounts.mark("nobody")


def test_a_mark_gives_no_more_guesses_than_a_name(accounts: Accounts, clock: HandClock) -> None:
    accounts.add("ada", "visitor", RIGHT)
    accounts.add("bob", "visitor", RIGHT)
    mark, other = accounts.mark("ada"), accounts.mark("bob")
    assert mark != accounts.mark("ada")

    def tried(name: str, mark: str) -> str:
        try:
            accounts.sign_in(name, WRONG, mark)
        except UserError as error:
            return error.code
        return "in"

    assert [tried("ada", mark) for _ in range(FREE_FAILURES + 1)] == ["wrong_password"] * FREE_FAILURES + ["locked_out"]
    # a mark of another account, a made up one, and one of an older password are none: all count for the name
    accounts.set_password("bob", RIGHT)
    void = [other, mark[:-1] + ("0" if mark[-1] != "0" else "1"), "a" * 22 + "." + "0" * 64, "x", "\u0430" * 99]
    assert [tried("bob", one) for one in void] == ["wrong_password"] * FREE_FAILURES
    assert tried("bob", "") == "locked_out"


def test_names_are_given_once_and_passwords_are_long(accounts: Accounts) -> None:
    accounts.add("ada@example.org", "visitor", RIGHT)
    for name, password, code in (("Ada@Example.org", RIGHT, "name_taken"), ("bob", "short", "bad_password")):
        with pytest.raises(UserError) as refused:
            accounts.add(name, "visitor", password)
        assert refused.value.code == code
    assert [one.name for one in accounts.all()] == ["ada@example.org"]


@pytest.mark.parametrize("known", [True, False])
def test_wrong_passwords_lock_a_name_whether_it_exists_or_not(
    accounts: Accounts, database: Engine, clock: HandClock, known: bool
) -> None:
    if known:
        accounts.add("ada", "visitor", RIGHT)
    assert [code_of(accounts, "ada", WRONG) for _ in range(FREE_FAILURES)] == ["wrong_password"] * FREE_FAILURES
    # the right one is not looked at, and a restart does not help
    assert code_of(accounts, "ada", RIGHT) == code_of(Accounts(database, QUICK, clock), "ada", RIGHT) == "locked_out"
    clock.forward(31)
    assert code_of(accounts, "ada", WRONG) == "wrong_password"
    clock.forward(31)
    assert code_of(accounts, "ada", RIGHT) == "locked_out"
    clock.forward(31)
    assert code_of(accounts, "ada", RIGHT) == ("in" if known else "wrong_password")
    assert code_of(accounts, "bob", WRONG) == "wrong_password"


def test_no_name_is_told_from_another_by_the_work_of_a_try(database: Engine, clock: HandClock) -> None:
    """Counted, since times differ for other reasons too: each try computes one hash, whoever is asked for."""
    kept: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            kept.append(str(hash))
            return super().verify(hash, password)

    accounts = Accounts(database, Counting(time_cost=1, memory_cost=8, parallelism=1), clock)
    accounts.add("ada", "visitor", RIGHT)
    accounts.add("closed", "visitor", RIGHT)
    accounts.disable("closed")
    accounts.add("external", "admin", None)
    for name in ("ada", "closed", "external", "nobody", "n\u0430body", "x" * 500, ""):
        assert code_of(accounts, name, WRONG) == "wrong_password"
        assert len(kept) == 1 and kept.pop().startswith("$argon2id$v=19$m=8,t=1,p=1$"), name
    # one that is too long is looked at for nobody
    assert [code_of(accounts, name, "x" * 500) for name in ("ada", "nobody")] == ["wrong_password"] * 2
    assert kept == []


def test_wrong_passwords_are_forgotten(accounts: Accounts, clock: HandClock) -> None:
    accounts.add("ada", "visitor", RIGHT)
    for _ in range(FREE_FAILURES - 1):
        assert code_of(accounts, "ada", WRONG) == "wrong_password"
    clock.forward(FORGET_SECONDS + 1)
    assert [code_of(accounts, "ada", WRONG) for _ in range(FREE_FAILURES - 1)] == ["wrong_password"] * 4
    assert code_of(accounts, "ada", RIGHT) == "in"
    assert [code_of(accounts, "ada", WRONG) for _ in range(FREE_FAILURES)] == ["wrong_password"] * 5


@given(st.integers(0, 10_000))
def test_a_wait_grows_up_to_its_longest(failures: int) -> None:
    assert 0 <= wait_after(failures) <= wait_after(failures + 1) <= LONGEST_WAIT
    assert (wait_after(failures) == 0) == (failures < FREE_FAILURES)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 20.0, 40.0, 1000.0])), max_size=25))
def test_an_account_opens_only_by_its_password_and_never_during_a_wait(
    database: Engine, tries: list[tuple[bool, float]]
) -> None:
    clock = HandClock()
    accounts = Accounts(database, QUICK, clock)
    empty(database)
    accounts.add("ada", "visitor", RIGHT)
    failures, until = 0, 0.0
    for right, pause in tries:
        clock.forward(pause)
        locked = clock.time() < until
        expected = "locked_out" if locked else "in" if right else "wrong_password"
        assert code_of(accounts, "ada", RIGHT if right else WRONG) == expected
        if expected == "in":
            failures, until = 0, 0.0
        if expected == "wrong_password":
            failures += 1
            until = clock.time() + wait_after(failures)


def test_a_reset_ends_visits_and_waits(accounts: Accounts, database: Engine) -> None:
    browsers = Browsers(database, 180)
    _, cookie = browsers.admit(accounts.add("ada", "visitor", RIGHT))
    _, other = browsers.admit(accounts.add("bob", "visitor", RIGHT))
    for _ in range(FREE_FAILURES):
        code_of(accounts, "ada", WRONG)
    accounts.set_password("ada", WRONG)
    assert code_of(accounts, "ada", WRONG) == "in"
    assert browsers.find(cookie) is None and browsers.find(other) is not None


def test_a_disabled_account_is_closed_and_keeps_what_it_owns(accounts: Accounts, database: Engine) -> None:
    browsers = Browsers(database, 180)
    made = accounts.add("ada", "visitor", RIGHT)
    _, cookie = browsers.admit(made)
    accounts.disable("ada")
    assert browsers.find(cookie) is None and enabled(accounts) == []
    assert code_of(accounts, "ada", RIGHT) == "wrong_password"
    with pytest.raises(UserError, match="no account"):
        accounts.named("ada", "visitor")
    accounts.disable("ada", False)
    assert accounts.sign_in("ada", RIGHT).session == made.session and enabled(accounts) == ["ada"]


def test_whom_a_proxy_names_gets_an_account(accounts: Accounts) -> None:
    made = accounts.named("Ada", "visitor")
    assert (made.name, made.role, made.local) == ("ada", "visitor", False)
    assert accounts.named("ada", "manager") == made
    # there is no password that opens it
    assert code_of(accounts, "ada", "") == "wrong_password"
    with pytest.raises(UserError, match="no account"):
        accounts.named("bob", None)
    accounts.add("bob", "admin", None)
    assert accounts.named("bob", None).role == "admin"


def test_a_subject_of_a_provider_keeps_its_account(accounts: Accounts) -> None:
    made = accounts.subject("issuer 1", "ada@example.org", "visitor")
    assert accounts.subject("issuer 1", "lovelace@example.org", None) == made
    with pytest.raises(UserError, match="no account") as refused:
        accounts.subject("issuer 4", "dora@example.org", None)
    assert "issuer 4" in refused.value.hint


def test_a_name_at_a_provider_gives_nobody_an_account_that_is_there(accounts: Accounts, database: Engine) -> None:
    accounts.subject("issuer 1", "ada@example.org", "visitor")
    accounts.add("bob@example.org", "admin", None)
    accounts.add("carol@example.org", "admin", RIGHT)
    accounts.named("dora@example.org", "manager")
    accounts.add("eve@example.org", "visitor", None)
    accounts.disable("eve@example.org")
    before = accounts.all()
    # of another subject, without a password, with one, of a proxy, disabled; new ones welcome or not
    for name in ("ada", "Bob", "carol", "dora", "eve"):
        for role in ("visitor", None):
            with pytest.raises(UserError) as refused:
                accounts.subject("issuer 3", f"{name}@example.org", role)
            assert (refused.value.code, "issuer 3" in refused.value.hint) == ("not_linked", True)
    assert accounts.all() == before


def test_an_administrator_links_an_account_to_one_log_in(accounts: Accounts, database: Engine) -> None:
    browsers = Browsers(database, 180)
    made = accounts.add("bob@example.org", "admin", None)
    _, cookie = browsers.admit(made)
    accounts.link("Bob@example.org", "issuer 2")
    # whoever used it before is out
    assert browsers.find(cookie) is None
    assert accounts.subject("issuer 2", "another name", None).session == made.session
    with pytest.raises(UserError):
        accounts.subject("issuer 3", "bob@example.org", "visitor")
    accounts.link("bob@example.org", "issuer 3")
    assert accounts.subject("issuer 3", "bob@example.org", None).session == made.session
    assert accounts.subject("issuer 2", "new@example.org", "visitor").session != made.session
    for name, subject, code in (("new@example.org", "issuer 3", "subject_taken"), ("nobody", "issuer 9", "no_account")):
        with pytest.raises(UserError) as refused:
            accounts.link(name, subject)
        assert refused.value.code == code
    accounts.disable("bob@example.org")
    with pytest.raises(UserError, match="no account"):
        accounts.subject("issuer 3", "bob@example.org", "visitor")


def test_who_logs_in_twice_at_once_gets_one_account(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    read, made = accounts._row, accounts.subject("issuer 1", "ada@example.org", "visitor")
    unread = iter([None, None])
    # what the other request has just written is not seen by the two looks before
    monkeypatch.setattr(accounts, "_row", lambda which: next(unread, read(which)))
    assert accounts.subject("issuer 1", "ada@example.org", "visitor") == made
    unread = iter([None, None])
    with pytest.raises(UserError) as refused:
        accounts.subject("issuer 2", "ada@example.org", "visitor")
    assert refused.value.code == "not_linked"


def test_a_role_can_be_changed(accounts: Accounts) -> None:
    accounts.add("ada", "visitor", RIGHT)
    accounts.set_role("ada", "admin")
    assert accounts.find("ada").role == "admin"
    with pytest.raises(UserError) as refused:
        accounts.set_role("bob", "admin")
    assert refused.value.code == "no_account"
    with pytest.raises(UserError, match="no account"):
        accounts.disable("bob")


def test_whom_a_proxy_names_twice_at_once_gets_one_account(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    read, made = accounts._row, accounts.named("ada", "visitor")
    unread = iter([None])
    monkeypatch.setattr(accounts, "_row", lambda which: next(unread, read(which)))
    assert accounts.named("ada", "visitor") == made
