from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from tests.waiting import LONGEST
from webapp import console, server, settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[settings.Settings]:
    """The settings that would be served: what the server is given once its checks have passed."""
    seen: list[settings.Settings] = []
    monkeypatch.setattr(server, "_listen", seen.append)
    monkeypatch.setattr("webapp.telemetry.log.set_up", lambda: None)
    monkeypatch.setattr(server, "_check_port", lambda settings: None)
    for name in [name for name in os.environ if name.startswith("COUNTERSCAN_")]:
        monkeypatch.delenv(name)
    return seen


@pytest.mark.parametrize(
    ("kind", "url", "warned"), [("nfs4", "", True), ("", "", False), ("nfs4", "sqlite:////var/lib/a.db", False)]
)
def test_a_database_on_a_network_disk_is_warned_of(
    served: list[settings.Settings],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    kind: str,
    url: str,
    warned: bool,
) -> None:
    monkeypatch.setattr(server, "network_disk", lambda path: kind)
    server.serve(settings.Settings(data=tmp_path, database_url=url))
    assert len(served) == 1
    assert any("nfs4" in record.getMessage() for record in caplog.records) == warned


@pytest.mark.parametrize("reached", [{"host": "0.0.0.0"}, {"host": "::"}, {"host": "10.0.0.1"}, {"allow_remote": True}])
def test_other_machines_are_kept_out_while_anybody_may_come_in(
    served: list[settings.Settings],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reached: dict[str, Any],
) -> None:
    named = settings.Settings(**reached, hosts="scans.example.org")
    monkeypatch.setattr(settings, "load", lambda: named)
    assert console.main(["serve"]) == 2
    said = capsys.readouterr().err
    assert "[remote_refused]" in said and "COUNTERSCAN_ACCOUNTS=1" in said and "--public-demo" in said
    assert served == []


@pytest.mark.parametrize("hosts", ["", " , "])
def test_other_machines_are_kept_out_while_the_server_has_no_name(
    served: list[settings.Settings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hosts: str
) -> None:
    named = settings.Settings(host="0.0.0.0", accounts=True, hosts=hosts)
    monkeypatch.setattr(settings, "load", lambda: named)
    assert console.main(["serve"]) == 2
    said = capsys.readouterr().err
    assert "[remote_refused]" in said and "COUNTERSCAN_HOSTS" in said
    assert served == []


@pytest.mark.parametrize(
    "identity",
    [
        {"accounts": True},
        {"public_demo": True},
        {"proxy_header": "X-Remote-User", "proxy_addresses": "10.0.0.0/8, ::1"},
        {"oidc_issuer": "https://id.example.org", "oidc_client": "counterscan", "oidc_secret": "s"},
        {"accounts": True, "oidc_issuer": "http://127.0.0.1:9000", "oidc_client": "counterscan"},
    ],
)
def test_other_machines_are_let_in_with_an_identity_or_a_word(
    served: list[settings.Settings], monkeypatch: pytest.MonkeyPatch, identity: dict[str, Any]
) -> None:
    named = settings.Settings(host="0.0.0.0", hosts="scans.example.org", **identity)
    monkeypatch.setattr(settings, "load", lambda: named)
    assert console.main(["serve"]) == 0
    assert [s.host for s in served] == ["0.0.0.0"]


def test_a_public_demo_is_a_word_of_the_command(
    served: list[settings.Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "load", lambda: settings.Settings(host="0.0.0.0", hosts="scans.example.org"))
    assert console.main(["serve", "--public-demo"]) == 0
    assert served[0].public_demo and served[0].anonymous_role == "visitor"


@pytest.mark.parametrize(
    "identity",
    [
        {"accounts": True, "public_demo": True},
        {"proxy_header": "X-Remote-User"},
        {"proxy_addresses": "10.0.0.1"},
        {"proxy_header": "X-Remote-User", "proxy_addresses": "0.0.0.0/0"},
        {"proxy_header": "X-Remote-User", "proxy_addresses": "10.0.0.1, ::/0"},
        {"proxy_header": "X-Remote-User", "proxy_addresses": "somewhere"},
        {"public_demo": True, "framed_by": "http://huggingface.co"},
        {"public_demo": True, "framed_by": "https://huggingface.co/spaces"},
        {"public_demo": True, "framed_by": "*"},
        {"public_demo": True, "framed_by": "https://a.example; script-src *"},
        {"accounts": True, "framed_by": "https://huggingface.co"},
        {"framed_by": "https://huggingface.co"},
        {"oidc_issuer": "https://id.example.org"},
        {"oidc_issuer": "http://id.example.org", "oidc_client": "counterscan"},
    ],
)
def test_a_way_in_that_is_half_set_up_is_refused(
    served: list[settings.Settings],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    identity: dict[str, Any],
) -> None:
    monkeypatch.setattr(settings, "load", lambda: settings.Settings(**identity))
    assert console.main(["serve"]) == 2
    assert "[bad_setting]" in capsys.readouterr().err and served == []


def test_one_person_on_one_machine_is_asked_nothing(
    served: list[settings.Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "load", settings.Settings)
    assert console.main(["serve"]) == 0
    assert not served[0].has_login and served[0].anonymous_role == "manager"


def test_a_public_demo_may_be_shown_in_frames_of_named_sites(
    served: list[settings.Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    named = settings.Settings(public_demo=True, framed_by="https://HuggingFace.co, https://example.org:8443")
    monkeypatch.setattr(settings, "load", lambda: named)
    assert console.main(["serve"]) == 0
    assert served[0].framing_sites == ("https://huggingface.co", "https://example.org:8443")


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_what_is_unpacked_for_a_while_lies_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "before")
    server._keep_temporary(settings.Settings(data=tmp_path, engine=engine))
    assert tempfile.gettempdir() == ("before" if engine == "ray" else str(tmp_path / "incoming"))


def test_the_container_may_start(served: list[settings.Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    environment = dict(re.findall(r"\b(COUNTERSCAN_[A-Z_]+)=(\S+)", text))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert console.main(["serve"]) == 0
    assert served[0].host == "0.0.0.0" and "localhost" in served[0].allowed_hosts


@pytest.mark.parametrize("error", [None, "bad"])
def test_what_the_user_can_solve_ends_with_2(
    served: list[settings.Settings],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: str | None,
) -> None:
    def refuse() -> settings.Settings:
        raise UserError("bad_setting", "Wrong.", "Right.")

    if error:
        monkeypatch.setattr(settings, "load", refuse)
    assert console.main(["serve" if error else "unknown"]) == 2
    assert ("[bad_setting]" if error else "[bad_usage]") in capsys.readouterr().err
    assert served == []


def test_the_settings_are_printed(served: list[settings.Settings], capsys: pytest.CaptureFixture[str]) -> None:
    assert console.main(["settings"]) == 0
    assert capsys.readouterr().out == settings.page()


def test_a_port_in_use_is_a_plain_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {
            **os.environ,
            "COUNTERSCAN_PORT": str(taken.getsockname()[1]),
            "COUNTERSCAN_DATA": str(tmp_path),
            "COUNTERSCAN_WARM": "0",
        }
        done = subprocess.run(
            [sys.executable, "-m", "webapp"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST
        )
    assert done.returncode == 2, done.stderr
    assert "[port_taken]" in done.stderr and "Traceback" not in done.stderr
