"""``python -m webapp``: bring the database up to date and serve; ``settings`` prints docs/settings.md, ``study`` runs
the commands of reader studies."""

from __future__ import annotations

import logging
import socket
import sys
from typing import TYPE_CHECKING

from core.errors import UserError
from webapp import settings as configuration
from webapp.settings import Settings

if TYPE_CHECKING:
    from webapp.store.studies import Studies
    from webapp.store.study_records import StudyRecord

log = logging.getLogger("webapp")

# a page keeps three; a process may open 1024 files as a rule
MAX_CONNECTIONS = 800


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code; 2 for a problem the user can solve."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # one line for each statement of a migration helps nobody
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if arguments == ["settings"]:
        sys.stdout.write(configuration.page())
        return 0
    try:
        if arguments[:1] == ["study"]:
            _study(arguments[1:])
        if arguments:
            raise UserError("bad_setting", f"Unknown command {arguments[0][:40]!r}.", "Give none, settings or study.")
        settings = configuration.load()
        _check_host(settings)
        serve(settings)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def serve(settings: Settings) -> None:
    """Serve until interrupted."""
    _check_port(settings)
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


def _study(arguments: list[str]) -> None:
    from webapp.app import build_services
    from webapp.study import command

    def archive(studies: Studies, study: StudyRecord, labels: bool) -> bytes:
        # plotly, which only the report needs, is slow to import
        from webapp.pages.study.downloads import archive_of

        return archive_of(studies, study, labels=labels)

    command.run(arguments, command.Program(lambda: build_services(configuration.load()), archive))


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
            f"{settings.host} can be reached from other machines, and this server asks nobody for a password.",
            "Put a proxy with log-in before it and set COUNTERSCAN_ALLOW_REMOTE=1, or use 127.0.0.1.",
        )
    if settings.allow_remote and not settings.hosts.strip(" ,"):
        raise UserError(
            "remote_refused",
            "Other machines may reach this server, but no setting names the host that they use.",
            "Set COUNTERSCAN_HOSTS to the name in the browser's address, as scans.example.org, or 192.0.2.7.",
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
