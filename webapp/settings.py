"""Every setting of the server, each read from the environment variable of its name after COUNTERSCAN_."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.engine.protocol import ENGINE_NAMES, ENGINE_PATTERN
from core.errors import UserError
from webapp.roles import Role

Network = IPv4Network | IPv6Network

PREFIX = "COUNTERSCAN_"
# age at which a public demo deletes, unless set
DEMO_HOURS = 24.0
# settings that no message repeats
SECRET = ("admin_token", "oidc_secret")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Unit:
    """What a number counts."""

    name: str


Count = Annotated[int, Field(gt=0)]
Jobs = Annotated[Count, Unit("jobs")]
Megabytes = Annotated[Count, Unit("MB")]
Streams = Annotated[Count, Unit("streams")]
Days = Annotated[Count, Unit("days")]
Hours = Annotated[float | None, Field(ge=0, allow_inf_nan=False), Unit("h")]
Requests = Annotated[Count, Unit("requests")]
# empty, or too long to be guessed
Token = Annotated[str, Field(pattern=r"^([!-~]{24,200})?$")]
EngineName = Annotated[str, Field(pattern=ENGINE_PATTERN)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False), Unit("requests/s")]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), Unit("s")]


# a name by HTTPS, with or without a port
SITE = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?")


class Settings(BaseSettings):
    """How this server runs; what is not given is read from the environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Annotated[Count, Field(le=65535)] = Field(default=7860, description="Port to listen on.")
    allow_remote: bool = Field(
        default=False,
        description="Other machines reach this server, as through a proxy; so it is for every host but a loopback one."
        " Needs hosts, and log-in or public_demo.",
    )
    hosts: str = Field(
        default="", description="Names the server is reached by, with commas. Empty: this machine's own names only."
    )
    public_demo: bool = Field(default=False, description="Let everybody in without log-in, as a visitor.")
    framed_by: str = Field(
        default="",
        description="Sites whose pages may show a public demo in a frame, with commas, as https://huggingface.co."
        " Needs HTTPS.",
    )
    accounts: bool = Field(
        default=False, description="Ask for name and password; see `counterscan users`. Nobody else gets in."
    )
    proxy_header: str = Field(
        default="", description="Header in which a proxy names who is there, as X-Remote-User. Needs proxy_addresses."
    )
    proxy_addresses: str = Field(
        default="", description="Addresses and networks of the proxies whose header counts, with commas."
    )
    oidc_issuer: str = Field(default="", description="Address of an OpenID Connect provider for log-in.")
    oidc_client: str = Field(default="", description="Client id of this server with that provider.")
    oidc_secret: str = Field(default="", description="Client secret of this server with that provider.")
    oidc_claim: str = Field(default="email", description="Claim that becomes the name of an account.")
    oidc_title: str = Field(default="your institution", description="What the log-in page calls the provider.")
    new_accounts: Literal["none", "rater", "visitor", "manager"] = Field(
        default="visitor",
        description="Role of who comes from the proxy or the provider for the first time; none: refused until added.",
    )
    invitations: Literal["link", "account"] = Field(
        default="link", description="What a rater needs where there is log-in: the link alone, or an account too."
    )
    data: Path = Field(default=Path("data"), description="Folder of the database, the scans and the results.")
    database_url: str = Field(
        default="", description="SQLAlchemy address of the database. Empty: an SQLite file in the data folder."
    )
    blobs: str = Field(
        default="",
        description="Where scans and results are kept: s3://BUCKET/PREFIX or file:///FOLDER. Empty: blobs of the data"
        " folder.",
    )
    blobs_cache_mb: Megabytes = Field(
        default=10_000, description="Copies of files of a bucket that this machine keeps, those used last."
    )
    device: str = Field(default="auto", description="Where networks run: auto, cpu, cuda or cuda:N.")
    slots: Jobs = Field(default=1, description="Jobs that run at the same time, each in its own process.")
    engine: EngineName = Field(
        default="local",
        description="Where jobs run: local, ray (a Ray of its own on this machine) or ray://HOST:PORT (a cluster).",
    )
    warm: bool = Field(
        default=True,
        description="Start the worker processes with the server and load torch, all tasks and their networks there, so"
        " that the first job is as quick as a later one. 0 where memory is short: what a job needs is loaded by the"
        " first one.",
    )
    max_upload_mb: Megabytes = Field(default=500, description="Largest file a visitor may upload.")
    disk_reserve_mb: Megabytes = Field(
        default=1024, description="Free disk space below which uploads and jobs are refused."
    )
    running_per_session: Jobs = Field(default=1, description="Jobs of one visitor that run at the same time.")
    queue_per_session: Jobs = Field(default=5, description="Jobs of one visitor that may wait.")
    queue_total: Jobs = Field(default=100, description="Jobs of all visitors that may wait.")
    batch_scans: Jobs = Field(default=200, description="Scans of one visitor's batches that may wait or run.")
    jobs_per_day: Jobs = Field(default=500, description="Jobs that one visitor may start in a day.")
    jobs_per_day_total: Jobs = Field(default=5000, description="Jobs that all visitors may start in a day.")
    upload_mb_per_day: Megabytes = Field(default=20_000, description="What one visitor may upload in a day.")
    upload_mb_per_day_total: Megabytes = Field(default=200_000, description="What all visitors may upload in a day.")
    streams_per_session: Streams = Field(
        default=60, description="Streams of events that one visitor may have open; a page has one while an event runs."
    )
    streams_per_address: Streams = Field(default=300, description="Such streams of all who come from one address.")
    lease: Seconds = Field(
        default=60.0, description="Time after which the job of a dead server is taken over by another."
    )
    post_burst: Requests = Field(default=120, description="Requests that change something a visitor may send at once.")
    post_rate: Rate = Field(default=20.0, description="Rate at which that allowance grows back.")
    session_days: Days = Field(default=180, description="Time a browser is remembered after its last visit.")
    sessions_per_address: Requests = Field(
        default=300, description="New sessions and log-ins that one address may begin in an hour."
    )
    retention_hours: Hours = Field(
        default=None,
        description="Age at which scans and runs are deleted; 0: never. Unset: 24 in a public demo, else never.",
    )
    keep_days: Days = Field(default=7, description="How long a visitor may keep one scan or run from retention.")
    backup_hours: Hours = Field(
        default=None,
        description="Age at which files in backups/ of the data folder are deleted; 0: never. Unset: as scans.",
    )
    api: bool = Field(default=True, description="Let programs in by tokens that visitors make, on `/api/v1`.")
    mcp: bool = Field(default=False, description="Offer the tasks as tools of the Model Context Protocol on `/mcp`.")
    sharing: bool = Field(
        default=True, description="Let visitors make links that show one run to whoever has them, also without log-in."
    )
    deface: Literal["off", "offer", "always"] = Field(
        default="offer", description="Remove the face from scans of whole heads that are loaded: off, offer or always."
    )
    metrics: Literal["loopback", "off"] = Field(
        default="loopback",
        description="Who reads /metrics besides an administrator: programs on this machine (loopback) or nobody (off).",
    )
    admin_token: Token = Field(
        default="", description="Opens /admin as a password and /metrics as a bearer token. Empty: roles alone do."
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
    def blobs_folder(self) -> Path | None:
        """Folder of the stored files, None where they are not in one."""
        address = urlsplit(self.blobs)
        if not self.blobs:
            return self.data / "blobs"
        local = address.scheme == "file" and not address.netloc and address.path.strip("/")
        return Path(unquote(address.path)) if local else None

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine can reach the server."""
        return self.host in LOOPBACK

    @property
    def is_remote(self) -> bool:
        """Whether people on other machines reach the server."""
        return self.allow_remote or not self.is_loopback

    @property
    def has_login(self) -> bool:
        """Whether only those come in who are known by name."""
        return bool(self.accounts or self.proxy_header or self.oidc_issuer)

    @property
    def anonymous_role(self) -> Role:
        """Role of a browser without an account: with log-in it is a rater's, who has a link."""
        if self.has_login:
            return "rater"
        return "visitor" if self.public_demo else "manager"

    @property
    def retention(self) -> timedelta | None:
        """Age at which scans and runs are deleted, None for never."""
        hours = self.retention_hours
        if hours is None:
            hours = DEMO_HOURS if self.public_demo else 0.0
        return timedelta(hours=hours) if hours else None

    @property
    def backup_life(self) -> timedelta | None:
        """Age at which backups are deleted, None for never."""
        return self.retention if self.backup_hours is None else timedelta(hours=self.backup_hours) or None

    @property
    def role_of_new(self) -> Role | None:
        """Role of who comes from the proxy or the provider for the first time, None if they are refused."""
        return None if self.new_accounts == "none" else self.new_accounts

    @property
    def trusted_proxies(self) -> tuple[Network, ...]:
        """Networks of ``proxy_addresses``; ValueError for what is none."""
        return tuple(ip_network(one.strip(), strict=False) for one in self.proxy_addresses.split(",") if one.strip())

    @property
    def framing_sites(self) -> tuple[str, ...]:
        """Origins of ``framed_by``; ValueError for what is none with HTTPS."""
        sites = tuple(one.strip().lower() for one in self.framed_by.split(",") if one.strip())
        if not all(SITE.fullmatch(site) for site in sites):
            raise ValueError("no origin")
        return sites

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Host names a request may be addressed to, without ports."""
        named = frozenset(name.strip().lower() for name in self.hosts.split(",") if name.strip())
        return named | {"127.0.0.1", "[::1]", "localhost"}


def is_safe(address: str) -> bool:
    """Return whether what is sent to an address cannot be read on the way: HTTPS, or this machine itself."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def load() -> Settings:
    """Return the settings of the environment; UserError bad_setting for a value of the wrong type or out of bounds."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        wanted = _wanted(first["type"], first.get("ctx", {}), _kind(Settings.model_fields[field]))
        text = "what it is" if field in SECRET else repr(str(first["input"])[:40])
        raise UserError("bad_setting", f"{PREFIX}{field.upper()} cannot be {text}.", f"Give {wanted}.") from error


def _wanted(problem: str, context: dict[str, Any], kind: str) -> str:
    """Return in words what pydantic's ``problem`` asks for."""
    if problem == "literal_error":
        return str(context["expected"]).replace("'", "")
    if problem in ("greater_than", "finite_number"):
        return "a number above 0"
    if problem == "string_pattern_mismatch":
        if context["pattern"] == ENGINE_PATTERN:
            return ENGINE_NAMES
        return "24 to 200 letters, digits and signs, or nothing"
    if problem == "greater_than_equal":
        return "0 or a number above 0"
    if problem == "less_than_equal":
        return f"a number up to {context['le']}"
    return f"a value of type {kind}"


def _kind(field: FieldInfo) -> str:
    """Return the type of a setting as its page names it."""
    kind: Any = field.annotation
    if get_origin(kind) is Literal:
        return "str"
    # of "number or None" the number
    return str((next(iter(get_args(kind)), kind)).__name__).lower()


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
| `COUNTERSCAN_THREADS` | Threads that compute a job. Unset: all cores, at most four; jobs side by side share them. |
| `COUNTERSCAN_WEIGHTS` | Folder with a `manifest.json` and weight files, instead of the shipped ones. |
| `COUNTERSCAN_DEBUG` | 1: the command line logs what it does. |
| `FORWARDED_ALLOW_IPS` | Proxies whose `X-Forwarded-` headers count, `127.0.0.1` unless set. |
"""


def page() -> str:
    """Return docs/settings.md: every setting with its variable, type, default, unit and meaning, as Markdown."""
    return PAGE.format(rows="\n".join(_row(name, field) for name, field in Settings.model_fields.items()))


def _row(name: str, field: FieldInfo) -> str:
    unit = next((one.name for one in field.metadata if isinstance(one, Unit)), "")
    default = "" if field.default in ("", None) else f"`{field.default}`"
    cells = (f"`{PREFIX}{name.upper()}`", _kind(field), default, unit, str(field.description))
    return "| " + " | ".join(cells) + " |"
