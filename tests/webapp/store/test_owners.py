from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import Engine, text

from webapp.store.clock import now
from webapp.store.owners import PAGE_DAYS, Owners


def test_a_name_belongs_to_the_first(database: Engine) -> None:
    owners = Owners(database)
    assert owners.claim_page("page", "a") and owners.claim_page("page", "a")
    assert not owners.claim_page("page", "b")
    assert not Owners(database).claim_page("page", "b")


def test_of_one_session_the_newest_names_are_remembered(database: Engine) -> None:
    owners = Owners(database, of_one=2)
    assert owners.claim_page("other", "b")
    for name in ("1", "2", "3"):
        assert owners.claim_page(name, "a")
    assert [owners.claim_page(name, "b") for name in ("2", "3", "1")] == [False, False, True]
    assert not owners.claim_page("other", "a")


def test_of_many_who_name_a_page_at_once_one_owns_it(database: Engine) -> None:
    owners, got = Owners(database), list[str]()
    ready = threading.Barrier(8)

    def claim(session: str) -> None:
        ready.wait()
        if owners.claim_page("page", session):
            got.append(session)

    threads = [threading.Thread(target=claim, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    assert owners.claim_page("page", got[0])


def test_old_pages_are_forgotten(database: Engine) -> None:
    owners = Owners(database)
    assert owners.claim_page("old", "a") and owners.claim_page("new", "a")
    with database.begin() as connection:
        moment = (now() - timedelta(days=PAGE_DAYS + 1)).replace(tzinfo=None)
        connection.execute(text("UPDATE open_page SET created = :moment WHERE name = 'old'"), {"moment": str(moment)})
    owners.forget_pages()
    assert [owners.claim_page(name, "b") for name in ("old", "new")] == [True, False]


def test_an_upload_has_an_owner_until_it_is_forgotten(database: Engine) -> None:
    owners = Owners(database)
    mine, other = owners.begin_upload("a"), owners.begin_upload("b")
    owners.end_upload(mine, 7)
    assert [owners.owner_of_upload(one) for one in (mine, other, "none")] == ["a", "b", None]
    owners.forget_uploads([mine])
    owners.forget_uploads([])
    assert [owners.owner_of_upload(one) for one in (mine, other)] == [None, "b"]
