from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from core.errors import UserError
from webapp.settings import SETTINGS, Settings, load, table


def test_defaults_are_for_one_person_on_one_machine() -> None:
    settings = load({})
    assert settings == Settings()
    assert settings.is_loopback and settings.host == "127.0.0.1" and not settings.allow_remote
    assert settings.url.startswith("sqlite:////") and settings.url.endswith("/data/counterscan.db")
    assert "localhost" in settings.allowed_hosts and "example.org" not in settings.allowed_hosts


def test_each_type_is_read_from_the_environment() -> None:
    settings = load(
        {
            "COUNTERSCAN_PORT": "8000",
            "COUNTERSCAN_LEASE": "2.5",
            "COUNTERSCAN_WARM": "no",
            "COUNTERSCAN_DATA": "/srv/scans",
            "COUNTERSCAN_DATABASE_URL": "postgresql://db/counterscan",
            "PORT": "1",
        }
    )
    assert (settings.port, settings.lease, settings.warm) == (8000, 2.5, False)
    assert (settings.data, settings.url) == (Path("/srv/scans"), "postgresql://db/counterscan")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "many"),
        ("PORT", "-1"),
        ("WARM", "perhaps"),
        ("LEASE", "nan"),
        ("LEASE", "0"),
        ("METRICS", "public"),
        ("SLOTS", "1.5"),
    ],
)
def test_a_wrong_value_is_named(name: str, text: str) -> None:
    with pytest.raises(UserError) as refused:
        load({f"COUNTERSCAN_{name}": text})
    assert refused.value.code == "bad_setting"
    assert f"COUNTERSCAN_{name}" in refused.value.message and text in refused.value.message


def test_a_server_answers_to_its_own_names_alone() -> None:
    own = {"127.0.0.1", "[::1]", "localhost"}
    assert load({"COUNTERSCAN_HOST": "0.0.0.0"}).allowed_hosts == own
    named = load({"COUNTERSCAN_HOST": "0.0.0.0", "COUNTERSCAN_HOSTS": " Scans.example.org, "}).allowed_hosts
    assert named == own | {"scans.example.org"}


def test_every_setting_is_in_the_table() -> None:
    assert [setting.name for setting in SETTINGS] == [f"COUNTERSCAN_{f.name.upper()}" for f in fields(Settings)]
    text = table()
    assert all(f"| `{setting.name}` |" in text and setting.help in text for setting in SETTINGS)
    assert "``" not in text
