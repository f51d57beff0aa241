"""The server: checks before it starts, then serves the page until it is interrupted."""

from __future__ import annotations

import logging
import socket
import tempfile

from core.errors import UserError
from webapp.settings import Settings, is_safe
from webapp.store.network_disk import network_disk
from webapp.telemetry import log as log_lines

log = logging.getLogger("webapp")

# a page has some while it loads and few later; a process may open 1024 files as a rule
MAX_CONNECTIONS = 800


def serve(settings: Settings) -> None:
    """Bring the database up to date and serve until interrupted.

    UserError bad_setting, remote_refused, port_taken, and those of the database and of the data folder.
    """
    _check_identity(settings)
    _check_host(settings)
    _check_port(settings)
    log_lines.set_up()
    _warn_of_network(settings)
    _listen(settings)


def _listen(settings: Settings) -> None:
    import uvicorn

    from webapp.app import create_app
    from webapp.door.patience import PatientProtocol

    app = create_app(settings)
    _keep_temporary(settings)
    log.info("Counterscan is at http://%s:%d", settings.host, settings.port)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=PatientProtocol,
        # the door does that itself, after it has noted who is at the other end
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        log_level="warning",
        # its lines are written as ours are
        log_config=None,
        timeout_graceful_shutdown=5,
    )


def _warn_of_network(settings: Settings) -> None:
    """Log a warning where an SQLite database lies on a disk of another machine, which can damage it."""
    kind = "" if settings.database_url else network_disk(settings.data)
    if kind:
        log.warning(
            "the data folder lies on a network file system (%s), where SQLite can lose or damage the database: give a"
            " disk of this machine, or COUNTERSCAN_DATABASE_URL",
            kind,
        )


def _keep_temporary(settings: Settings) -> None:
    """Have what is unpacked for a while lie where the next start removes it, should this one be killed.

    Not with a Ray of its own, whose sockets need a short path.
    """
    if settings.engine != "ray":
        incoming = settings.data.resolve() / "incoming"
        incoming.mkdir(exist_ok=True)
        tempfile.tempdir = str(incoming)


def _check_port(settings: Settings) -> None:
    """Raise UserError port_taken before the slow part of the start, and before the queue of another is touched."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        raise UserError(
            "port_taken",
            f"Port {settings.port} of {settings.host} cannot be used: {error.strerror}.",
            "Stop the program that uses it, or set COUNTERSCAN_PORT to another number.",
        ) from error


def _check_identity(settings: Settings) -> None:
    """Raise UserError for ways in that are half set up, contradict each other, or are missing where others come."""
    if settings.public_demo and settings.has_login:
        raise _contradiction("A public demo lets everybody in, but there is log-in too.", "Leave one of them out.")
    _check_frames(settings)
    try:
        trusted = settings.trusted_proxies
    except ValueError as error:
        raise _contradiction(
            "COUNTERSCAN_PROXY_ADDRESSES has something that is no address.", "Give addresses or networks, with commas."
        ) from error
    if bool(settings.proxy_header) != bool(trusted) or any(network.prefixlen == 0 for network in trusted):
        raise _contradiction(
            "COUNTERSCAN_PROXY_HEADER counts from the proxies of COUNTERSCAN_PROXY_ADDRESSES alone; one of them is"
            " missing, or means every address.",
            "Set both; anybody could name themselves otherwise.",
        )
    if settings.oidc_issuer and not (settings.oidc_client and is_safe(settings.oidc_issuer)):
        raise _contradiction(
            "The OpenID Connect provider has no client id, or an address without HTTPS.",
            "Set COUNTERSCAN_OIDC_ISSUER, COUNTERSCAN_OIDC_CLIENT and COUNTERSCAN_OIDC_SECRET.",
        )
    if settings.is_remote and not settings.has_login and not settings.public_demo:
        raise UserError(
            "remote_refused",
            "Other machines can reach this server, and it would ask nobody who they are.",
            "Set COUNTERSCAN_ACCOUNTS=1 (see counterscan users) or another log-in of docs/hosting.md; or start"
            " counterscan serve --public-demo to let everybody in; or listen on 127.0.0.1.",
        )


def _check_frames(settings: Settings) -> None:
    """Raise UserError for sites that are none, or that would show a page with log-in, which could be made to press."""
    try:
        sites = settings.framing_sites
    except ValueError as error:
        raise _contradiction(
            "COUNTERSCAN_FRAMED_BY has something that is no site with HTTPS.",
            "Give sites without a path, with commas, as https://huggingface.co.",
        ) from error
    if sites and not settings.public_demo:
        raise _contradiction(
            "Only a public demo may be shown in frames of other sites.", "Leave COUNTERSCAN_FRAMED_BY out."
        )


def _contradiction(message: str, hint: str) -> UserError:
    return UserError("bad_setting", message, hint)


def _check_host(settings: Settings) -> None:
    if settings.is_remote and not settings.hosts.strip(" ,"):
        raise UserError(
            "remote_refused",
            "Other machines may reach this server, but no setting names the host that they use.",
            "Set COUNTERSCAN_HOSTS to the name in the browser's address, as scans.example.org, or 192.0.2.7.",
        )
