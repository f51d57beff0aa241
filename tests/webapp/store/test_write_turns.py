from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, PendingRollbackError

from tests.waiting import wait_until
from webapp.store import database
from webapp.store.database import connect
from webapp.store.write_turns import WriteTurns

WRITERS = 20
EACH = 12


def test_turns_come_in_order_of_arrival() -> None:
    turns, order = WriteTurns(30.0), list[int]()

    def write(number: int) -> None:
        assert turns.take()
        order.append(number)
        turns.give()

    assert turns.take()
    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        wait_until(lambda: len(turns._waiting), number.__eq__)
    turns.give()
    for thread in threads:
        thread.join()
    assert order == list(range(WRITERS))
    assert turns.take()


def test_who_gives_up_loses_no_turn_of_others() -> None:
    turns = WriteTurns(0.01)
    assert turns.take()
    assert not turns.take()
    turns.give()
    assert turns.take()


def test_who_waits_to_write_writes_in_order_of_arrival(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who writes without pauses is behind everybody who waits: without turns some had written nothing at all."""
    turns, written = WriteTurns(30.0), list[int]()
    monkeypatch.setattr(database, "WriteTurns", lambda patience: turns)
    engine = connect(str(sqlite.url))

    def write(number: int) -> None:
        for _ in range(EACH):
            with engine.begin() as connection:
                connection.execute(text("UPDATE session SET last_seen = '2026-01-01'"))
                written.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    with engine.begin():
        for number, thread in enumerate(threads, 1):
            thread.start()
            wait_until(lambda: len(turns._waiting), number.__eq__)
    for thread in threads:
        thread.join()
    engine.dispose()
    assert written[:WRITERS] == list(range(WRITERS))
    assert Counter(written) == dict.fromkeys(range(WRITERS), EACH)


def test_a_turn_ends_with_an_error(sqlite: Engine) -> None:
    for _ in range(3):
        with pytest.raises(OperationalError), sqlite.begin() as connection:
            connection.execute(text("INSERT INTO none VALUES (1)"))
    with pytest.raises(KeyError), sqlite.begin():
        raise KeyError
    with pytest.raises(PendingRollbackError), sqlite.begin() as connection:
        connection.invalidate()
    with sqlite.begin() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_busy_file_costs_no_turn(tmp_path: Path, sqlite: Engine) -> None:
    hasty = connect(f"sqlite:///{tmp_path}/test.db", patience=0.05)
    with sqlite.begin(), pytest.raises(OperationalError, match="locked"), hasty.begin():
        pass
    with hasty.begin() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_writer_gives_up_when_its_turn_does_not_come(tmp_path: Path, sqlite: Engine) -> None:
    hasty = connect(f"sqlite:///{tmp_path}/test.db", patience=0.05)
    with hasty.begin(), pytest.raises(OperationalError, match="locked"), hasty.begin():
        pass
    with hasty.begin() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
