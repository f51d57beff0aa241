from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from core.errors import UserError
from tests.waiting import LONGEST
from webapp.store.data_lock import DataLock


def test_only_who_is_alone_cleans(tmp_path: Path) -> None:
    cleaned: list[str] = []
    first, second, third = (DataLock(tmp_path) for _ in range(3))
    assert first.enter(lambda: cleaned.append("first"))
    assert not second.enter(lambda: cleaned.append("second"))
    first.leave()
    # the second is still there
    assert not third.enter(lambda: cleaned.append("third"))
    second.leave()
    third.leave()
    assert first.enter(lambda: cleaned.append("again"))
    first.leave()
    assert cleaned == ["first", "again"]


def test_the_folder_keeps_its_name(tmp_path: Path) -> None:
    names = set()
    for _ in range(2):
        lock, other = DataLock(tmp_path / "one"), DataLock(tmp_path / "one")
        lock.enter(lambda: None)
        other.enter()
        names |= {lock.name, other.name}
        lock.leave()
        other.leave()
    with DataLock(tmp_path / "two") as elsewhere:
        names.add(elsewhere.name)
    assert len(names) == 2 and all(len(name) == 16 for name in names)


def test_who_does_not_clean_keeps_others_from_it(tmp_path: Path) -> None:
    server = DataLock(tmp_path)
    with DataLock(tmp_path):
        assert not server.enter(lambda: pytest.fail("not alone"))
    server.leave()


def test_nobody_enters_while_one_cleans(tmp_path: Path) -> None:
    cleaning, go, order = threading.Event(), threading.Event(), []

    def clean() -> None:
        cleaning.set()
        go.wait(LONGEST)
        order.append("clean")

    first, second = DataLock(tmp_path), DataLock(tmp_path, patience=LONGEST)
    one = threading.Thread(target=first.enter, args=(clean,))
    one.start()
    assert cleaning.wait(LONGEST)

    def enter() -> None:
        second.enter(clean)
        order.append("second")

    other = threading.Thread(target=enter)
    other.start()
    go.set()
    one.join(LONGEST)
    other.join(LONGEST)
    assert order == ["clean", "second"]
    for lock in (first, second):
        lock.leave()


def test_the_wait_for_one_that_never_ends_is_bounded(tmp_path: Path) -> None:
    def nested() -> None:
        with pytest.raises(UserError) as refused:
            DataLock(tmp_path, patience=0.0).enter()
        assert refused.value.code == "data_in_use"

    lock = DataLock(tmp_path)
    assert lock.enter(nested)
    lock.leave()


def test_a_cleaning_that_fails_lets_the_folder_go(tmp_path: Path) -> None:
    def fail() -> None:
        raise OSError("disk")

    lock = DataLock(tmp_path)
    with pytest.raises(OSError, match="disk"):
        lock.enter(fail)
    with DataLock(tmp_path):
        pass
    assert lock.enter(lambda: None)
    lock.leave()


def test_a_disk_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("webapp.store.data_lock.fcntl.flock", refuse)
    with pytest.raises(UserError) as refused:
        DataLock(tmp_path).enter(lambda: None)
    assert refused.value.code == "data_no_locks" and "No locks available" in refused.value.message
