"""Make a study, invite raters, take the results away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from core.commands.command_line import STYLE
from core.errors import UserError
from webapp.services import Services
from webapp.store.clock import now
from webapp.store.data_lock import DataLock
from webapp.store.studies import Studies
from webapp.store.study_records import StudyRecord
from webapp.study import creation
from webapp.study.collection import progress
from webapp.study.design import LONGEST_DAYS, read, schema

app = typer.Typer(no_args_is_help=True, help=__doc__, **STYLE)

Id = Annotated[str, typer.Argument(help="Id of the study, or its first letters.")]
Number = Annotated[int, typer.Argument(min=1, help="Number of the rater: 3 for R03.")]
Days = Annotated[
    float | None,
    typer.Option(
        min=0.01, max=LONGEST_DAYS, help="How long the link is valid, by default as in the study; 0.04 is an hour."
    ),
]
Url = Annotated[str, typer.Option(help="Address of the server; else this machine's own.")]


@dataclass(frozen=True)
class Program:
    """What the commands take from the program around them, called once a command needs it.

    services: opens the store. archive: returns all files of a study as one zip, with the names that its managers gave
    the raters if its last argument is true.
    """

    services: Callable[[], Services]
    archive: Callable[[Studies, StudyRecord, bool], bytes]


def run(arguments: Sequence[str], program: Program) -> object:
    """Run a command and return its exit code, if it has one; UserError for a problem the user can solve."""
    return app(arguments, prog_name="counterscan study", standalone_mode=False, obj=program)


@app.command()
def create(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The study as YAML or JSON; see docs/reader-study.md.")],
    raters: Annotated[int, typer.Option(min=0, max=500, help="Number of raters to invite at once.")] = 0,
    url: Url = "",
) -> None:
    """Make a study and print the link that opens its results in a browser."""
    services = _services(context)
    design = read(file)
    # a server that starts meanwhile must not take files on their way in for left over
    with DataLock(services.settings.data):
        study, key = creation.create(services, design, None, typer.echo)
    typer.echo(f"study {study.id}")
    for note in study.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"manage {_address(services, url)}/?study={key}")
    for _ in range(raters):
        _invite(services, study, "", None, url)


@app.command("schema")
def print_schema() -> None:
    """Print the JSON schema of the file of a study, with which editors check it."""
    typer.echo(schema(), nl=False)


@app.command("list")
def show(context: typer.Context) -> None:
    """List all studies with their raters and their progress."""
    studies = _services(context).studies
    for study in studies.studies(None):
        state = "closed" if study.closed else "open"
        typer.echo(f"{study.id}  {study.created:%Y-%m-%d}  {state}  {study.title}")
        for record, counted in zip(studies.raters(study), progress(studies, study), strict=True):
            revoked = ", link revoked" if record.revoked else ""
            typer.echo(f"  {record.name}  {record.label or '-'}  {counted.done} of {counted.total}{revoked}")


@app.command()
def invite(
    context: typer.Context,
    study: Id,
    label: Annotated[str, typer.Option(help="Your own name for the rater; exports leave it out.")] = "",
    expertise: Annotated[str, typer.Option(help="Group of the rater; when it is empty, the page asks for it.")] = "",
    years: Annotated[float | None, typer.Option(min=0, max=80, help="Years of experience.")] = None,
    days: Days = None,
    url: Url = "",
) -> None:
    """Invite a rater and print the link, which is shown only once."""
    services = _services(context)
    _invite(services, _find(services, study), label, days, url, expertise, years)


@app.command()
def renew(context: typer.Context, study: Id, rater: Number, days: Days = None, url: Url = "") -> None:
    """Print a new link for a rater; the old one ends, the answers stay."""
    services = _services(context)
    found = _find(services, study)
    made, key = services.studies.renew(found, rater, _until(found, days))
    typer.echo(f"{made.name} {_address(services, url)}/rate/{key}")


@app.command()
def revoke(context: typer.Context, study: Id, rater: Number) -> None:
    """End a rater's link; the answers stay."""
    services = _services(context)
    made = services.studies.revoke(_find(services, study), rater)
    typer.echo(f"{made.name} can no longer rate.")


@app.command()
def close(
    context: typer.Context, study: Id, reopen: Annotated[bool, typer.Option("--reopen", help="Open it again.")] = False
) -> None:
    """End the rating of a study for everybody."""
    services = _services(context)
    made = services.studies.close(_find(services, study), not reopen)
    typer.echo(f"{made.id} is {'open' if reopen else 'closed'}.")


@app.command()
def manage(context: typer.Context, study: Id, url: Url = "") -> None:
    """Print a new link that opens the results in a browser; the one before opens nothing more."""
    services = _services(context)
    key = services.studies.renew_key(_find(services, study))
    typer.echo(f"manage {_address(services, url)}/?study={key}")


@app.command()
def export(
    context: typer.Context,
    study: Id,
    out: Annotated[Path | None, typer.Option(help="The zip to write; else study-<id>.zip here.")] = None,
    labels: Annotated[bool, typer.Option("--labels", help="Add your own names of the raters to R01 ...")] = False,
) -> None:
    """Write all answers (CSV, JSON), the data dictionary and the report into one zip."""
    services = _services(context)
    found = _find(services, study)
    path = out or Path(f"study-{found.id[:8]}.zip")
    try:
        path.write_bytes(_program(context).archive(services.studies, found, labels))
    except OSError as error:
        raise UserError("write_failed", f"{path} cannot be written.", "Choose another folder or free space.") from error
    typer.echo(str(path))


def _program(context: typer.Context) -> Program:
    program: Program = context.obj
    return program


def _services(context: typer.Context) -> Services:
    return _program(context).services()


def _find(services: Services, start: str) -> StudyRecord:
    found = [one for one in services.studies.studies(None) if start and one.id.startswith(start)]
    if len(found) != 1:
        raise UserError("not_found", f"{len(found)} studies begin with {start[:40]!r}.", "See: counterscan study list.")
    return found[0]


def _invite(
    services: Services,
    study: StudyRecord,
    label: str,
    days: float | None,
    url: str,
    expertise: str = "",
    years: float | None = None,
) -> None:
    made, key = services.studies.invite(study, label, expertise, years, _until(study, days))
    typer.echo(f"{made.name} {_address(services, url)}/rate/{key}")


def _until(study: StudyRecord, days: float | None) -> datetime:
    return now() + timedelta(days=days or study.design["days"])


def _address(services: Services, url: str) -> str:
    settings = services.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return url.rstrip("/") or f"http://{host}:{settings.port}"
