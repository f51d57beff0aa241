"""Every setting of the server, each read from the environment variable of its name after COUNTERSCAN_."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.errors import UserError

PREFIX = "COUNTERSCAN_"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Unit:
    """What a number counts."""

    name: str


Count = Annotated[int, Field(gt=0)]
Jobs = Annotated[Count, Unit("jobs")]
Megabytes = Annotated[Count, Unit("MB")]
Days = Annotated[Count, Unit("days")]
Requests = Annotated[Count, Unit("requests")]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False), Unit("requests/s")]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), Unit("s")]


class Settings(BaseSettings):
    """How this server runs; what is not given is read from the environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Annotated[Count, Field(le=65535)] = Field(default=7860, description="Port to listen on.")
    allow_remote: bool = Field(
        default=False,
        description="Allow a host that other machines can reach; needs hosts too. Put a proxy with log-in before.",
    )
    hosts: str = Field(
        default="", description="Names the server is reached by, with commas. Empty: this machine's own names only."
    )
    data: Path = Field(default=Path("data"), description="Folder of the database, the scans and the results.")
    database_url: str = Field(
        default="", description="SQLAlchemy address of the database. Empty: an SQLite file in the data folder."
    )
    device: str = Field(default="auto", description="Where networks run: auto, cpu, cuda or cuda:N.")
    slots: Jobs = Field(default=1, description="Jobs that run at the same time, each in its own process.")
    warm: bool = Field(default=True, description="Start the worker processes with the server, not with the first job.")
    max_upload_mb: Megabytes = Field(default=500, description="Largest file a visitor may upload.")
    disk_reserve_mb: Megabytes = Field(
        default=1024, description="Free disk space below which uploads and jobs are refused."
    )
    running_per_session: Jobs = Field(default=1, description="Jobs of one visitor that run at the same time.")
    queue_per_session: Jobs = Field(default=5, description="Jobs of one visitor that may wait.")
    queue_total: Jobs = Field(default=100, description="Jobs of all visitors that may wait.")
    lease: Seconds = Field(
        default=60.0, description="Time after which the job of a dead server is taken over by another."
    )
    post_burst: Requests = Field(default=120, description="Requests that change something a visitor may send at once.")
    post_rate: Rate = Field(default=20.0, description="Rate at which that allowance grows back.")
    session_days: Days = Field(default=180, description="Time a browser is remembered after its last visit.")
    metrics: Literal["loopback", "any", "off"] = Field(
        default="loopback", description="Who may read /metrics: loopback, any or off."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment alone: no file that happens to lie in the working folder."""
        return init_settings, env_settings

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


def load() -> Settings:
    """Return the settings of the environment; UserError bad_setting for a value of the wrong type or out of bounds."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        wanted = _wanted(first["type"], first.get("ctx", {}), _kind(Settings.model_fields[field]))
        text = str(first["input"])[:40]
        raise UserError("bad_setting", f"{PREFIX}{field.upper()} cannot be {text!r}.", f"Give {wanted}.") from error


def _wanted(problem: str, context: dict[str, Any], kind: str) -> str:
    """Return in words what pydantic's ``problem`` asks for."""
    if problem == "literal_error":
        return str(context["expected"]).replace("'", "")
    if problem in ("greater_than", "finite_number"):
        return "a number above 0"
    if problem == "less_than_equal":
        return f"a number up to {context['le']}"
    return f"a value of type {kind}"


def _kind(field: FieldInfo) -> str:
    """Return the type of a setting as its page names it."""
    kind: Any = field.annotation
    return "str" if get_origin(kind) is Literal else str(kind.__name__).lower()


PAGE = """# Settings

Written by `.venv/bin/counterscan settings > docs/settings.md`; a test compares the two.

Each setting of the server is an environment variable, for example `COUNTERSCAN_PORT=8000 make run`. A value of the
wrong type or out of bounds ends the start with exit code 2 and a sentence that names it. How to set up a server for a
group: [hosting.md](hosting.md).

| Variable | Type | Default | Unit | Meaning |
|---|---|---|---|---|
{rows}

Read by the server and the command line alike:

| Variable | Meaning |
|---|---|
| `COUNTERSCAN_THREADS` | Threads that compute. Unset: all cores, at most four. |
| `COUNTERSCAN_WEIGHTS` | Folder with a `manifest.json` and weight files, instead of the shipped ones. |
| `COUNTERSCAN_DEBUG` | 1: the command line logs what it does. |
| `FORWARDED_ALLOW_IPS` | Read by uvicorn: proxies whose `X-Forwarded-` headers count, `127.0.0.1` unless set. |
"""


def page() -> str:
    """Return docs/settings.md: every setting with its variable, type, default, unit and meaning, as Markdown."""
    return PAGE.format(rows="\n".join(_row(name, field) for name, field in Settings.model_fields.items()))


def _row(name: str, field: FieldInfo) -> str:
    unit = next((one.name for one in field.metadata if isinstance(one, Unit)), "")
    default = f"`{field.default}`" if str(field.default) else ""
    cells = (f"`{PREFIX}{name.upper()}`", _kind(field), default, unit, str(field.description))
    return "| " + " | ".join(cells) + " |"
