"""The examples under docs/deploy fit the program: settings that exist, a server that starts, a valid proxy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from core.errors import UserError
from tests.source import ROOT
from webapp import server
from webapp.settings import PREFIX, Settings

FOLDER = ROOT / "docs" / "deploy"
CADDY = shutil.which("caddy")
VARIABLE = re.compile(r"\$\{(\w+)(?::[-?]([^}]*))?\}")
HOST = "scans.example.org"


def compose(name: str) -> dict[str, Any]:
    """Return a compose file with HOST set."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    filled = VARIABLE.sub(lambda place: HOST if place[1] == "HOST" else (place[2] or ""), text)
    found: dict[str, Any] = yaml.safe_load(filled)
    return found


def environment_of_image() -> dict[str, str]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    return dict(re.findall(r"\b(COUNTERSCAN_[A-Z_]+)=(\S+)", text))


def started_with(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a server that an environment starts; what the checks of a start refuse is raised."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    given = {**environment_of_image(), **environment}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
        if name.startswith(PREFIX):
            assert name.removeprefix(PREFIX).lower() in Settings.model_fields
    seen: list[Settings] = []
    monkeypatch.setattr(server, "_listen", seen.append)
    monkeypatch.setattr(server, "_check_port", lambda settings: None)
    monkeypatch.setattr("webapp.telemetry.log.set_up", lambda: None)
    server.serve(Settings())
    return seen[0]


def test_the_server_of_the_compose_file_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    app = compose("compose.yaml")["services"]["app"]
    settings = started_with(app["environment"], monkeypatch)
    assert settings.accounts and HOST in settings.allowed_hosts and settings.database_url == ""
    assert app["build"]["context"] == "../.." and app["volumes"] == ["data:/data"]
    args = re.findall(r"^ARG (\w+)=", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(compose("compose.gpu.yaml")["services"]["app"]["build"]["args"]) <= set(args)


def test_the_proxy_of_the_compose_file_is_whom_the_server_trusts() -> None:
    parts = compose("compose.yaml")
    (network,) = parts["networks"]["inner"]["ipam"]["config"]
    assert parts["services"]["app"]["environment"]["FORWARDED_ALLOW_IPS"] == network["subnet"]
    assert "ports" not in parts["services"]["app"] and parts["services"]["database"]["profiles"] == ["postgres"]


@pytest.mark.skipif(CADDY is None, reason="caddy is not installed")
def test_caddy_takes_the_file() -> None:
    done = subprocess.run(
        [str(CADDY), "adapt", "--config", str(FOLDER / "Caddyfile"), "--adapter", "caddyfile", "--validate"],
        env={**os.environ, "HOST": HOST}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"flush_interval":-1' in done.stdout and "app:7860" in done.stdout


def test_the_server_of_a_space_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The header names Docker and the port of the image; the variables are those of docs/hosting.md."""
    head = yaml.safe_load((FOLDER / "spaces" / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert head["sdk"] == "docker" and f"EXPOSE {head['app_port']}\n" in image
    text = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    section = text.partition("## Hugging Face Spaces")[2].partition("\n## ")[0]
    variables = dict(re.findall(r"^\| `([A-Z_]+)` \| `(\S+)` \|", section, re.MULTILINE))
    assert variables.pop("USER_ID") == "1000" and "ARG USER_ID=" in image
    settings = started_with(variables, monkeypatch)
    assert settings.public_demo and not settings.has_login and settings.retention is not None
    with pytest.raises(UserError):
        started_with({**variables, "COUNTERSCAN_HOSTS": ""}, monkeypatch)
