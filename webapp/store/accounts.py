"""Accounts in the database: who may come in, with which password and which role."""

from __future__ import annotations

import hashlib
import re
import time
import unicodedata
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.errors import UserError
from webapp.roles import Role
from webapp.store.account_records import AccountRecord
from webapp.store.clock import Clock, new_id, now
from webapp.store.database import READING
from webapp.store.known_browser import new_mark, nonce_of
from webapp.store.repository import ensure_session
from webapp.store.schema import access_token, account, browser, sign_in_failure

NAME = re.compile(r"[^\s/\\<>\"'`{}$&]{1,120}")
EAST_ASIAN = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"}
PASSWORD = (10, 200)
# wrong passwords in a row that cost nothing; from then on a wait that doubles up to the longest, in seconds
FREE_FAILURES, FIRST_WAIT, LONGEST_WAIT = 5, 30.0, 900.0
# after so many seconds without another, wrong passwords are forgotten
FORGET_SECONDS = 86400.0
WRONG = UserError("wrong_password", "The name or the password is wrong.", "Try again; an administrator can reset it.")


class Accounts:
    """Short transactions on one database; a write has reached the disk when its method returns.

    hasher: how passwords are kept; a check takes about 50 ms and 64 MB. clock: the time.
    """

    def __init__(self, engine: Engine, hasher: PasswordHasher | None = None, clock: Clock = time) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})
        self._hasher = hasher or PasswordHasher()
        self._clock = clock

    def add(self, name: str, role: Role, password: str | None) -> AccountRecord:
        """Add an account; without a password a proxy or a provider checks who is there.

        UserError bad_name, bad_password, name_taken.
        """
        return to_account(self._add(_plain(name), role, None if password is None else self._hashed(password), None))

    def all(self) -> tuple[AccountRecord, ...]:
        """Return every account by name."""
        with self._reader.begin() as connection:
            return tuple(to_account(row) for row in connection.execute(select(account).order_by(account.c.name)))

    def find(self, name: str) -> AccountRecord:
        """Return the account of a name; UserError no_account."""
        found = self._row(account.c.name == _canonical(name))
        if found is None:
            raise _unknown(name)
        return to_account(found)

    def sign_in(self, name: str, password: str, mark: str = "") -> AccountRecord:
        """Return the account whose password this is; UserError wrong_password, locked_out. It blocks for a while.

        A name that no account has gives the same errors after the same time. From the fifth wrong password in a row on
        a name has to wait, twice as long each time, up to 15 minutes; the right password is not looked at before. A
        browser with a ``mark`` of the account counts and waits by itself: who guesses elsewhere does not lock it out.
        """
        plain = _canonical(name)
        row = self._row(account.c.name == plain)
        # a name that no account has takes as long as one with a wrong password
        kept = self._nobody if row is None or row.password is None else str(row.password)
        # no name has a space
        counted = f"{plain} {nonce}" if (nonce := nonce_of(mark, plain, kept)) else plain
        self._require_no_wait(counted)
        matches = self._verify(kept, password)
        if row is None or row.password is None or row.disabled is not None or not matches:
            self._count_failure(counted)
            raise WRONG
        self._forget_failures(counted)
        if self._hasher.check_needs_rehash(kept):
            self._change(account.c.id == row.id, {"password": self._hasher.hash(password)})
        return to_account(row)

    def mark(self, name: str) -> str:
        """Return what makes a browser known that has just signed in; UserError no_account."""
        row = self._row(account.c.name == _canonical(name))
        if row is None or row.password is None:
            raise _unknown(name)
        return new_mark(row.name, str(row.password))

    def named(self, name: str, role: Role | None) -> AccountRecord:
        """Return the account of a name that a proxy has checked; a new one gets ``role``, None refuses it.

        UserError no_account, bad_name.
        """
        plain = _plain(name)
        row = self._row(account.c.name == plain)
        if row is None:
            if role is None:
                raise _unknown(plain)
            row = self._added_once(account.c.name == plain, plain, role)
        return self._enabled(row)

    def subject(self, subject: str, name: str, role: Role | None) -> AccountRecord:
        """Return the account of a provider's ``subject``; a new one is called ``name`` and gets ``role``.

        None refuses a new one. An account that has the name already is not theirs for that: people choose their names
        at some providers, and get those of others at some. ``link`` makes it theirs.
        UserError no_account, bad_name, not_linked.
        """
        mine = account.c.subject == subject
        row = self._row(mine)
        if row is None:
            plain = _plain(name)
            if self._row(account.c.name == plain) is not None:
                raise _not_linked(plain, subject)
            if role is None:
                raise _unknown(plain, f"Ask an administrator to add and link one; your log-in is: {subject}")
            row = self._added_once(mine, plain, role, subject)
        return self._enabled(row)

    def link(self, name: str, subject: str) -> None:
        """Make an account a provider's ``subject``'s, whosever it was, and end its visits.

        UserError no_account, subject_taken.
        """
        found = self.find(name)
        try:
            self._change(account.c.id == found.id, {"subject": subject}, leave=found.id)
        except IntegrityError as error:
            raise UserError(
                "subject_taken", "This log-in has another account already.", "Look at counterscan users list."
            ) from error

    def set_password(self, name: str, password: str) -> None:
        """Replace a password and end every visit and token of the account; UserError no_account, bad_password."""
        found = self.find(name)
        self._change(account.c.id == found.id, {"password": self._hashed(password)}, leave=found.id)
        self._forget_failures(found.name)

    def set_role(self, name: str, role: Role) -> None:
        """Give an account another role; UserError no_account."""
        self._change(account.c.id == self.find(name).id, {"role": role})

    def disable(self, name: str, disabled: bool = True) -> None:
        """Close an account, which ends its visits and tokens, or open it again; what it owns stays.

        UserError no_account.
        """
        found = self.find(name)
        self._change(account.c.id == found.id, {"disabled": now() if disabled else None}, leave=found.id)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(new_id())

    def _add(self, name: str, role: Role, password: str | None, subject: str | None) -> Row[Any]:
        owned = new_id()
        row = {"id": new_id(), "name": name, "role": role, "session": owned, "created": now()}
        values = {**row, "password": password, "subject": subject}
        try:
            with self._engine.begin() as connection:
                ensure_session(connection, owned)
                return connection.execute(insert(account).values(values).returning(account)).one()
        except IntegrityError as error:
            raise UserError(
                "name_taken", f"There is an account {name!r} already.", "Choose another name, or reset that one."
            ) from error

    def _added_once(self, mine: Any, name: str, role: Role, subject: str | None = None) -> Row[Any]:
        """Add an account, or return ``mine`` where another request has just added it."""
        try:
            return self._add(name, role, None, subject)
        except UserError:
            row = self._row(mine)
            if row is None:
                raise _not_linked(name, subject or "") from None
            return row

    def _enabled(self, row: Row[Any]) -> AccountRecord:
        if row.disabled is not None:
            raise _unknown(row.name)
        return to_account(row)

    def _row(self, which: Any) -> Row[Any] | None:
        with self._reader.begin() as connection:
            return connection.execute(select(account).where(which)).one_or_none()

    def _change(self, which: Any, values: Mapping[str, Any], leave: str | None = None) -> None:
        """Change accounts; leave: the account whose browsers and tokens end with it."""
        with self._engine.begin() as connection:
            connection.execute(update(account).where(which).values(**values))
            if leave is not None:
                for table in (browser, access_token):
                    connection.execute(delete(table).where(table.c.account == leave))

    def _hashed(self, password: str) -> str:
        if not PASSWORD[0] <= len(password) <= PASSWORD[1]:
            raise UserError(
                "bad_password", f"A password has {PASSWORD[0]} to {PASSWORD[1]} characters.", "Choose a longer one."
            )
        return self._hasher.hash(password)

    def _verify(self, kept: str, password: str) -> bool:
        if len(password) > PASSWORD[1]:
            return False
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    def _require_no_wait(self, name: str) -> None:
        query = select(sign_in_failure.c.until).where(sign_in_failure.c.name == _digest(name))
        with self._reader.begin() as connection:
            left = (connection.scalar(query) or 0.0) - self._clock.time()
        if left > 0:
            raise UserError(
                "locked_out",
                "There were too many wrong passwords for this name.",
                f"Try again in {max(1, round(left / 60))} min, or ask an administrator to reset the password.",
            )

    def _count_failure(self, name: str) -> None:
        moment, key = self._clock.time(), _digest(name)
        mine = sign_in_failure.c.name == key
        with self._engine.begin() as connection:
            connection.execute(delete(sign_in_failure).where(sign_in_failure.c.last < moment - FORGET_SECONDS))
            failures = int(connection.scalar(select(sign_in_failure.c.failures).where(mine)) or 0) + 1
            _write(connection, key, failures, moment)

    def _forget_failures(self, name: str) -> None:
        mine = sign_in_failure.c.name == _digest(name)
        with self._reader.begin() as connection:
            known = connection.scalar(select(sign_in_failure.c.name).where(mine))
        if known is not None:
            with self._engine.begin() as connection:
                connection.execute(delete(sign_in_failure).where(mine))


def to_account(row: Row[Any]) -> AccountRecord:
    """Return the record of a row of ``account``."""
    return AccountRecord(
        row.id,
        row.name,
        row.role,
        row.session,
        local=row.password is not None,
        linked=row.subject is not None,
        disabled=row.disabled,
        created=row.created,
    )


def wait_after(failures: int) -> float:
    """Return for how many seconds a name has to wait after so many wrong passwords in a row."""
    if failures < FREE_FAILURES:
        return 0.0
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - FREE_FAILURES, 30)))


def _write(connection: Connection, key: str, failures: int, moment: float) -> None:
    values = {"failures": failures, "until": moment + wait_after(failures), "last": moment}
    changed = update(sign_in_failure).where(sign_in_failure.c.name == key).values(values)
    if connection.execute(changed).rowcount == 0:
        connection.execute(insert(sign_in_failure).values(name=key, **values))


def _plain(name: str) -> str:
    plain = _canonical(name)
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in plain if letter.isalpha()}
    # letters of two scripts make a name that looks like another; those of East Asia are mixed and do not
    if not NAME.fullmatch(plain) or not plain.isprintable() or len(scripts - EAST_ASIAN) > 1:
        raise UserError(
            "bad_name",
            "A name has 1 to 120 letters of one script, digits and signs, without spaces, quotes, slashes or brackets.",
            "Choose another.",
        )
    return plain


def _canonical(name: str) -> str:
    """Return the one way in which a name is stored, however its letters are written (Unicode NFKC)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).lower())


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def _unknown(name: str, hint: str = "Ask an administrator to add one.") -> UserError:
    return UserError("no_account", f"{name[:40]!r} has no account here.", hint)


def _not_linked(name: str, subject: str) -> UserError:
    return UserError(
        "not_linked",
        f"There is an account {name[:40]!r}, and your log-in is not linked to it.",
        f"If it is yours, have an administrator link it; your log-in is: {subject}",
    )
