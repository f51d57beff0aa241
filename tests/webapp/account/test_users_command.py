from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest

from webapp import console, settings
from webapp.app import build_services
from webapp.settings import Settings
from webapp.store.clock import now

PASSWORD = "correct horse"  # noqa: S105


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a server in a fresh folder, as the commands read them."""
    made = Settings(data=tmp_path / "data", warm=False)
    monkeypatch.setattr(settings, "load", lambda: made)
    return made


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, typed: str = "") -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return console.main(["users", *arguments])


def test_accounts_are_added_listed_changed_and_closed(
    stored: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "add", "Ada", "--role", "admin", typed=f"{PASSWORD}\n") == 0
    assert run(monkeypatch, "add", "bob", "--external") == 0
    assert run(monkeypatch, "role", "bob", "manager") == 0
    assert run(monkeypatch, "disable", "bob") == 0
    assert run(monkeypatch, "link", "ada", "https://id.example.org 1") == 0
    capsys.readouterr()
    assert run(monkeypatch, "list") == 0
    listed = [line.split("  ")[:4] for line in capsys.readouterr().out.splitlines()]
    assert listed == [["ada", "admin", "password+linked", "open"], ["bob", "manager", "external", "disabled"]]
    accounts = build_services(stored).accounts
    assert accounts.sign_in("ada", PASSWORD).role == "admin"
    assert run(monkeypatch, "reset", "ada", typed="another horse\n") == 0
    assert accounts.sign_in("ada", "another horse")
    assert run(monkeypatch, "disable", "bob", "--enable") == 0
    assert accounts.find("bob").disabled is None
    assert PASSWORD not in capsys.readouterr().out


def test_tokens_are_made_listed_and_ended(
    stored: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "add", "ada", "--external") == 0
    capsys.readouterr()
    assert run(monkeypatch, "token", "add", "Ada", "--title", "nightly", "--days", "3") == 0
    text = capsys.readouterr().out.strip()
    tokens = build_services(stored).tokens
    made = tokens.find(text)
    assert made is not None and made.account is not None and made.account.name == "ada"
    assert timedelta(days=2) < made.ends - now() <= timedelta(days=3)
    assert run(monkeypatch, "token", "list", "ada") == 0
    assert capsys.readouterr().out == f"{made.id}  until {made.ends:%Y-%m-%d}  used never  nightly\n"
    assert run(monkeypatch, "token", "end", "ada", made.id) == 0
    assert tokens.find(text) is None
    for words in (("add", "nobody"), ("end", "ada", made.id), ("add", "ada", "--days", "0")):
        assert run(monkeypatch, "token", *words) == 2
    assert run(monkeypatch, "disable", "ada") == 0
    assert run(monkeypatch, "token", "add", "ada") == 2


@pytest.mark.parametrize(
    ("arguments", "typed", "code"),
    [
        (("add", "ada"), "", "bad_password"),
        (("add", "ada"), "short\n", "bad_password"),
        (("add", "a b"), f"{PASSWORD}\n", "bad_name"),
        (("add", "ada", "--role", "owner"), f"{PASSWORD}\n", "bad_usage"),
        (("reset", "ada"), f"{PASSWORD}\n", "no_account"),
        (("disable", "ada"), "", "no_account"),
        (("role", "ada", "admin"), "", "no_account"),
        (("link", "ada", "https://id.example.org 1"), "", "no_account"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    stored: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    typed: str,
    code: str,
) -> None:
    assert run(monkeypatch, *arguments, typed=typed) == 2
    assert f"[{code}]" in capsys.readouterr().err
    assert build_services(stored).accounts.all() == ()
