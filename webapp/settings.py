"""Every setting of the server in one table; each is read from the environment with the prefix COUNTERSCAN_."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from core.errors import UserError

PREFIX = "COUNTERSCAN_"
DATA = Path("data")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _setting(default: Any, unit: str, help: str) -> Any:
    return field(default=default, metadata={"unit": unit, "help": help})


@dataclass(frozen=True)
class Settings:
    """How this server runs; a field's name in capitals after COUNTERSCAN_ is its environment variable."""

    host: str = _setting("127.0.0.1", "", "Address to listen on.")
    port: int = _setting(7860, "", "Port to listen on.")
    allow_remote: bool = _setting(
        False,
        "",
        "Allow a host that other machines can reach; needs COUNTERSCAN_HOSTS. Put a proxy with log-in before.",
    )
    hosts: str = _setting("", "", "Names the server is reached by, with commas. Empty: this machine's own names only.")
    data: Path = field(
        default=DATA, metadata={"unit": "", "help": "Folder of the database, the scans and the results."}
    )
    database_url: str = _setting(
        "", "", "SQLAlchemy address of the database. Empty: an SQLite file in the data folder."
    )
    device: str = _setting("auto", "", "Where networks run: auto, cpu, cuda or cuda:N.")
    slots: int = _setting(1, "jobs", "Jobs that run at the same time, each in its own process.")
    warm: bool = _setting(True, "", "Start the worker processes with the server, not with the first job.")
    max_upload_mb: int = _setting(500, "MB", "Largest file a visitor may upload.")
    disk_reserve_mb: int = _setting(1024, "MB", "Free disk space below which uploads and jobs are refused.")
    running_per_session: int = _setting(1, "jobs", "Jobs of one visitor that run at the same time.")
    queue_per_session: int = _setting(5, "jobs", "Jobs of one visitor that may wait.")
    queue_total: int = _setting(100, "jobs", "Jobs of all visitors that may wait.")
    lease: float = _setting(60.0, "s", "Time after which the job of a dead server is taken over by another.")
    post_burst: int = _setting(120, "requests", "Requests that change something a visitor may send at once.")
    post_rate: float = _setting(20.0, "requests/s", "Rate at which that allowance grows back.")
    session_days: int = _setting(180, "days", "Time a browser is remembered after its last visit.")
    metrics: str = _setting("loopback", "", "Who may read /metrics: loopback, any or off.")

    @property
    def url(self) -> str:
        """Address of the database."""
        return self.database_url or f"sqlite:///{self.data.resolve() / 'counterscan.db'}"

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine can reach the server."""
        return self.host in LOOPBACK

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Host names a request may be addressed to, without ports."""
        named = frozenset(name.strip().lower() for name in self.hosts.split(",") if name.strip())
        return named | {"127.0.0.1", "[::1]", "localhost"}


@dataclass(frozen=True)
class Setting:
    """One row of the table of settings."""

    name: str
    kind: str
    default: str
    unit: str
    help: str


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(PREFIX + f.name.upper(), str(f.type).lower(), str(f.default), f.metadata["unit"], f.metadata["help"])
    for f in fields(Settings)
)


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of ``environment``; UserError bad_setting for a value of the wrong type."""
    values: dict[str, Any] = {}
    for entry in fields(Settings):
        name = PREFIX + entry.name.upper()
        if name in environment:
            values[entry.name] = _parse(name, str(entry.type), environment[name])
    return _checked(Settings(**values))


def table() -> str:
    """Return the settings as a Markdown table."""
    head = ["| Variable | Type | Default | Unit | Meaning |", "|---|---|---|---|---|"]
    rows = [f"| `{s.name}` | {s.kind} | `{s.default}` | {s.unit} | {s.help} |" for s in SETTINGS]
    return "\n".join(head + [row.replace("| `` |", "| |") for row in rows]) + "\n"


def _checked(settings: Settings) -> Settings:
    if settings.metrics not in ("loopback", "any", "off"):
        raise _refusal("COUNTERSCAN_METRICS", settings.metrics, "loopback, any or off")
    for entry in fields(Settings):
        value = getattr(settings, entry.name)
        # written so that NaN is refused too
        if isinstance(value, int | float) and not isinstance(value, bool) and not value > 0:
            raise _refusal(PREFIX + entry.name.upper(), str(value), "a number above 0")
    return settings


def _flag(text: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.strip().lower()]


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "str": str,
    "int": int,
    "float": float,
    "Path": Path,
    "bool": _flag,
}


def _parse(name: str, kind: str, text: str) -> object:
    try:
        return _PARSERS[kind](text)
    except (ValueError, KeyError) as error:
        raise _refusal(name, text, f"a value of type {kind.lower()}") from error


def _refusal(name: str, text: str, wanted: str) -> UserError:
    return UserError("bad_setting", f"{name} cannot be {text[:40]!r}.", f"Give {wanted}.")
