"""The server: checks before it starts, then serves the page until it is interrupted."""

from __future__ import annotations

import logging
import socket

from core.errors import UserError
from webapp.settings import Settings

log = logging.getLogger("webapp")

# a page keeps three; a process may open 1024 files as a rule
MAX_CONNECTIONS = 800


def serve(settings: Settings) -> None:
    """Bring the database up to date and serve until interrupted.

    UserError remote_refused, port_taken, and those of the database and of the data folder.
    """
    _check_host(settings)
    _check_port(settings)
    _write_log()
    _listen(settings)


def _listen(settings: Settings) -> None:
    import uvicorn

    from webapp.app import create_app
    from webapp.door.patience import PatientProtocol

    app = create_app(settings)
    log.info("Counterscan is at http://%s:%d", settings.host, settings.port)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=PatientProtocol,
        limit_concurrency=MAX_CONNECTIONS,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )


def _write_log() -> None:
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, force=True)
    # one line for each statement of a migration helps nobody
    for name in ("alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


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


def _check_host(settings: Settings) -> None:
    if not settings.is_loopback and not settings.allow_remote:
        raise UserError(
            "remote_refused",
            f"{settings.host} can be reached from other machines, and this server has no passwords.",
            "Put a proxy with log-in before it and set COUNTERSCAN_ALLOW_REMOTE=1, or use 127.0.0.1.",
        )
    if settings.allow_remote and not settings.hosts.strip(" ,"):
        raise UserError(
            "remote_refused",
            "Other machines may reach this server, but no setting names the host that they use.",
            "Set COUNTERSCAN_HOSTS to the name in the browser's address, as scans.example.org, or 192.0.2.7.",
        )
