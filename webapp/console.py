"""The command ``counterscan``: the science's commands, and those of the server and what it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.commands import command_line
from core.plurals import count

if TYPE_CHECKING:
    from webapp.services import Services
    from webapp.store.studies import Studies
    from webapp.store.study_records import StudyRecord


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; arguments: those of the process if not given."""
    return command_line.main(console(), arguments)


def run() -> None:
    """Run the command as a program of its own: this process ends with the exit code."""
    command_line.leave(main())


def console() -> typer.Typer:
    """Return the whole command line."""
    app = command_line.command_line()
    app.command("serve")(serve)
    app.command("settings")(print_settings)
    app.command("backup")(back_up)
    app.command("restore")(restore_backup)
    command_line.forward(app, "users", _users, "Add accounts, list and disable them; passwords and tokens.")
    command_line.forward(app, "data", _data, "Delete what visitors have stored.")
    command_line.forward(app, "study", _study, "Make a reader study, invite raters, take the results away.")
    return app


def serve(
    public_demo: Annotated[
        bool, typer.Option("--public-demo", help="Let everybody in without log-in, as a visitor.")
    ] = False,
    mcp: Annotated[bool, typer.Option("--mcp", help="Offer the tasks as tools of the Model Context Protocol.")] = False,
) -> None:
    """Serve the page; see docs/settings.md for the variables that say how."""
    from webapp import server, settings

    chosen = settings.load()
    server.serve(chosen.model_copy(update={"public_demo": public_demo or chosen.public_demo, "mcp": mcp or chosen.mcp}))


def print_settings() -> None:
    """Print docs/settings.md: every setting with its variable, default and meaning."""
    from webapp import settings

    typer.echo(settings.page(), nl=False)


def back_up(
    target: Annotated[
        Path | None,
        typer.Argument(help="A new folder or .tar file; if not given, a file in backups/ of the data folder."),
    ] = None,
) -> None:
    """Copy the database and every stored file, while the server runs or not, and check the copy."""
    from webapp import settings
    from webapp.keeping import backup

    place, about = backup.back_up(settings.load(), target)
    typer.echo(
        f"{place}: {count(about.files, 'file')}, {about.bytes / 1e6:.0f} MB, every one compared with its checksum."
    )


def restore_backup(source: Annotated[Path, typer.Argument(help="The folder or .tar file that backup wrote.")]) -> None:
    """Put a backup into a data folder without a store, the server being stopped."""
    from webapp import settings
    from webapp.keeping import restore

    done = restore.restore(settings.load(), source)
    typer.echo(f"The backup of {done.about.created} is back: {count(done.about.files, 'file')}.")
    if done.deleted:
        typer.echo(f"Deleted from it, because deleted since or too old: {done.deleted} scans, runs and studies.")
    typer.echo("Accounts have to sign in again. Who was disabled or closed out since then is not any more: see /admin.")


def _services() -> Services:
    """Open the store of the environment's settings."""
    from webapp import settings
    from webapp.app import build_services

    return build_services(settings.load())


def _users(arguments: list[str]) -> object:
    from webapp.account import users_command

    return users_command.run(arguments, _services)


def _data(arguments: list[str]) -> object:
    from webapp.keeping import data_command

    return data_command.run(arguments, _services)


def _study(arguments: list[str]) -> object:
    from webapp.study import command

    def archive(studies: Studies, study: StudyRecord, labels: bool) -> bytes:
        # plotly, which only the report needs, is slow to import
        from webapp.pages.study.downloads import archive_of

        return archive_of(studies, study, labels=labels)

    return command.run(arguments, command.Program(_services, archive))
