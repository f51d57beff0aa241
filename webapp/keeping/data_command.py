"""Delete what visitors have stored, for good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from core.commands.command_line import STYLE
from core.errors import UserError
from webapp.keeping.deletion import delete_all, delete_all_of
from webapp.services import Services

app = typer.Typer(no_args_is_help=True, help=__doc__, **STYLE)


def run(arguments: Sequence[str], services: Callable[[], Services]) -> object:
    """Run a command and return its exit code, if it has one; services: opens the store once a command needs it."""
    return app(arguments, prog_name="counterscan data", standalone_mode=False, obj=services)


@app.callback()
def data() -> None:
    """Delete what visitors have stored, for good."""


@app.command()
def delete(
    context: typer.Context,
    session: Annotated[str, typer.Option(help="Id of the session whose data go.")] = "",
    account: Annotated[str, typer.Option(help="Name of the account whose data go; the account stays.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="The data of all go; accounts stay.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete all scans, runs, uploads and studies of one visitor, or of all; while the server runs or not."""
    if [bool(session), bool(account), everything].count(True) != 1:
        raise UserError("bad_command", "It is not clear whose data go.", "Give one of --session, --account and --all.")
    services: Services = context.obj()
    if everything:
        if not yes and not _confirmed():
            raise UserError("not_confirmed", "Nothing was deleted.", "Answer y, or give --yes.")
        delete_all(services)
        typer.echo("The data of everybody are deleted.")
        return
    owner = services.accounts.find(account).session if account else session
    services.repo.require_session(owner)
    delete_all_of(services, owner)
    typer.echo(f"The data of {account or session} are deleted.")


def _confirmed() -> bool:
    try:
        return typer.confirm("Delete the data of everybody, with all backups of this folder?")
    except typer.Abort:
        return False
