"""Add accounts, list and disable them; passwords and tokens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated

import typer

from core.commands.command_line import STYLE
from core.errors import UserError
from webapp.roles import Role
from webapp.services import Services
from webapp.store.accounts import Accounts
from webapp.store.clock import now

app = typer.Typer(no_args_is_help=True, help=__doc__, **STYLE)
token = typer.Typer(no_args_is_help=True, help="Make, list and end the tokens by which programs come in.", **STYLE)
app.add_typer(token, name="token")

Name = Annotated[str, typer.Argument(help="Name of the account.")]
Chosen = Annotated[Role, typer.Option(help="What the account may do, each with all before it.")]


def run(arguments: Sequence[str], services: Callable[[], Services]) -> object:
    """Run a command and return its exit code, if it has one; services: opens the store once a command needs it."""
    return app(arguments, prog_name="counterscan users", standalone_mode=False, obj=services)


@app.command()
def add(
    context: typer.Context,
    name: Name,
    role: Chosen = "visitor",
    external: Annotated[
        bool, typer.Option("--external", help="Without a password: a proxy or a provider checks who it is.")
    ] = False,
) -> None:
    """Add an account; the password is asked for, or read from the standard input."""
    made = _accounts(context).add(name, role, None if external else _password())
    typer.echo(f"{made.name} is {made.role}.")


@app.command("list")
def show(context: typer.Context) -> None:
    """List all accounts with role, kind and state."""
    for one in _accounts(context).all():
        ways = ["password"] * one.local + ["linked"] * one.linked
        state = "disabled" if one.disabled else "open"
        typer.echo(f"{one.name}  {one.role}  {'+'.join(ways) or 'external'}  {state}  {one.created:%Y-%m-%d}")


@app.command()
def disable(
    context: typer.Context, name: Name, enable: Annotated[bool, typer.Option("--enable", help="Open it again.")] = False
) -> None:
    """Close an account and end its visits; what it owns stays."""
    _accounts(context).disable(name, not enable)
    typer.echo(f"{name} is {'open' if enable else 'disabled'}.")


@app.command()
def reset(context: typer.Context, name: Name) -> None:
    """Give an account a new password, end its visits and its waits after wrong ones."""
    _accounts(context).set_password(name, _password())
    typer.echo(f"{name} has a new password.")


@app.command()
def link(
    context: typer.Context,
    name: Name,
    subject: Annotated[str, typer.Argument(help="The log-in, as the refused log-in page shows it: one argument.")],
) -> None:
    """Give an account to who has a log-in of the OpenID Connect provider, and end its visits."""
    _accounts(context).link(name, subject)
    typer.echo(f"{name} is linked.")


@app.command("role")
def change_role(
    context: typer.Context, name: Name, role: Annotated[Role, typer.Argument(help="The new role.")]
) -> None:
    """Give an account another role."""
    _accounts(context).set_role(name, role)
    typer.echo(f"{name} is {role}.")


@token.command("add")
def add_token(
    context: typer.Context,
    name: Name,
    title: Annotated[str, typer.Option(help="What the token is for.")] = "",
    days: Annotated[int, typer.Option(min=1, max=365, help="After how many days it ends.")] = 30,
) -> None:
    """Print a new token of an account; it is not shown again."""
    services = _services(context)
    found = services.accounts.find(name)
    if found.disabled:
        raise UserError("no_account", f"{found.name} is disabled.", "Open the account again first.")
    typer.echo(services.tokens.add(found.session, found, title, now() + timedelta(days=days))[1])


@token.command("list")
def show_tokens(context: typer.Context, name: Name) -> None:
    """List the tokens of an account: id, end, last use, what each is for."""
    services = _services(context)
    for one in services.tokens.of(services.accounts.find(name).session):
        used = f"{one.last_seen:%Y-%m-%d}" if one.last_seen else "never"
        typer.echo(f"{one.id}  until {one.ends:%Y-%m-%d}  used {used}  {one.title}")


@token.command("end")
def end_token(
    context: typer.Context, name: Name, token_id: Annotated[str, typer.Argument(metavar="ID", help="Of the list.")]
) -> None:
    """End a token of an account."""
    services = _services(context)
    services.tokens.end(token_id, services.accounts.find(name).session)
    typer.echo("The token opens nothing any more.")


def _services(context: typer.Context) -> Services:
    services: Callable[[], Services] = context.obj
    return services()


def _accounts(context: typer.Context) -> Accounts:
    return _services(context).accounts


def _password() -> str:
    """Return a password, typed twice where a person is at the terminal."""
    if sys.stdin.isatty():
        typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise UserError("bad_password", "No password came from the standard input.", "Type one, or pipe it in.")
    return line
