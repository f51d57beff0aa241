from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import UserError
from webapp.settings import Settings, load, page


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment without any setting."""
    for name in [name for name in os.environ if name.upper().startswith("COUNTERSCAN_")]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_defaults_are_for_one_person_on_one_machine() -> None:
    settings = load()
    assert settings == Settings()
    assert settings.is_loopback and settings.host == "127.0.0.1" and not settings.allow_remote
    assert settings.url.startswith("sqlite:////") and settings.url.endswith("/data/counterscan.db")
    assert "localhost" in settings.allowed_hosts and "example.org" not in settings.allowed_hosts


def test_each_type_is_read_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    given = {
        "COUNTERSCAN_PORT": "8000",
        "COUNTERSCAN_LEASE": "2.5",
        "COUNTERSCAN_WARM": "no",
        "COUNTERSCAN_DATA": "/srv/scans",
        "COUNTERSCAN_DATABASE_URL": "postgresql://db/counterscan",
        "COUNTERSCAN_UNKNOWN": "1",
        "PORT": "1",
    }
    for name, text in given.items():
        environment.setenv(name, text)
    settings = load()
    assert (settings.port, settings.lease, settings.warm) == (8000, 2.5, False)
    assert (settings.data, settings.url) == (Path("/srv/scans"), "postgresql://db/counterscan")


@pytest.mark.parametrize(("text", "flag"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("FALSE", False)])
def test_a_flag_is_a_word_or_a_digit(environment: pytest.MonkeyPatch, text: str, flag: bool) -> None:
    environment.setenv("COUNTERSCAN_WARM", text)
    assert load().warm is flag


def test_a_file_in_the_folder_sets_nothing(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COUNTERSCAN_HOST=0.0.0.0\n")
    environment.chdir(tmp_path)
    assert load().host == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("PORT", "many", "a value of type int"),
        ("PORT", "", "a value of type int"),
        ("PORT", "-1", "a number above 0"),
        ("PORT", "65536", "a number up to 65535"),
        ("WARM", "perhaps", "a value of type bool"),
        ("LEASE", "nan", "a number above 0"),
        ("LEASE", "0", "a number above 0"),
        ("METRICS", "public", "loopback or off"),
        ("SLOTS", "1.5", "a value of type int"),
        ("ENGINE", "dask", "local, ray or ray://HOST:PORT"),
    ],
)
def test_a_wrong_value_is_named(environment: pytest.MonkeyPatch, name: str, text: str, wanted: str) -> None:
    environment.setenv(f"COUNTERSCAN_{name}", text)
    with pytest.raises(UserError) as refused:
        load()
    assert refused.value.code == "bad_setting"
    assert refused.value.message == f"COUNTERSCAN_{name} cannot be {text!r}."
    assert refused.value.hint == f"Give {wanted}."


def test_a_server_answers_to_its_own_names_alone() -> None:
    own = {"127.0.0.1", "[::1]", "localhost"}
    assert Settings(host="0.0.0.0").allowed_hosts == own
    named = Settings(host="0.0.0.0", hosts=" Scans.example.org, ").allowed_hosts
    assert named == own | {"scans.example.org"}


def test_every_setting_is_on_the_page() -> None:
    text = page()
    for name, field in Settings.model_fields.items():
        assert f"| `COUNTERSCAN_{name.upper()}` |" in text and f"| {field.description} |" in text
    assert "| `COUNTERSCAN_SLOTS` | int | `1` | jobs |" in text
    assert "| `COUNTERSCAN_METRICS` | str | `loopback` |  |" in text
    assert "``" not in text


def test_a_token_that_is_refused_is_not_repeated(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("COUNTERSCAN_ADMIN_TOKEN", "short-secret")
    with pytest.raises(UserError) as refused:
        load()
    assert refused.value.message == "COUNTERSCAN_ADMIN_TOKEN cannot be what it is."
    assert "24 to 200" in refused.value.hint and "short-secret" not in str(refused.value)
