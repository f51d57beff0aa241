"""What programs send and get on ``/api/v1``: one model each, from which its OpenAPI is written."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from core.result_json import to_json
from webapp.store.records import ArtifactRecord, JobRecord, ScanRecord
from webapp.store.states import State

ROOT = "/api/v1"
# of an input, or of a file; what has a length is UTF-8, which ids in the database must be
Name = Annotated[str, Field(max_length=64)]
# of "tissue" pictures without spectra are another kind, because only some tasks take them
Kind = Literal["volume", "mask", "tissue", "pictures", "model"]


class Problem(BaseModel):
    """Why something was refused; every code is in docs/errors.md."""

    code: str
    message: str
    hint: str


class FileView(BaseModel):
    """A checked file of this visitor.

    shape and spacing (mm) follow the axes X, Y, Z (RAS+); warnings are sentences; facts: what was read of it, by
    name. volumes: what a DICOM folder holds, in words, where it holds several; volume: the one taken, from 1.
    """

    id: str
    kind: str
    name: str
    belongs_to: str | None
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    orientation: str
    warnings: tuple[str, ...]
    facts: dict[str, Any]
    created: datetime
    volumes: tuple[str, ...] = ()
    volume: int | None = None


class JobRequest(BaseModel):
    """A job to queue: the name of a task, input name -> id of a file, and its settings.

    preset: one of the task's, or several with commas; params: name -> value, on top of the preset; what neither names
    has its default. Their JSON schema is part of the task.
    """

    model_config = ConfigDict(extra="forbid")

    task: str = Field(max_length=40)
    inputs: dict[Name, Name] = {}
    preset: str | None = Field(default=None, max_length=200)
    params: dict[str, JsonValue] = {}


class ResultFile(BaseModel):
    """One file of a finished job; method: the method run beside the chosen one that made it, "" for the chosen one."""

    name: str
    title: str
    method: str
    address: str


class JobView(BaseModel):
    """A job as it stands.

    fraction: how much is done, in [0, 1]; text: what it does now; position: its place in the queue while it waits,
    1 is next; error: why it failed; result: tables, notes and findings once it is done, as assets/schema has them.
    """

    id: str
    task: str
    state: State
    fraction: float
    text: str
    position: int | None
    error: Problem | None
    inputs: dict[str, str]
    params: dict[str, Any]
    created: datetime
    started: datetime | None
    finished: datetime | None
    seconds: float | None
    result: dict[str, Any] | None
    results: tuple[ResultFile, ...]


def file_view(scan: ScanRecord, volumes: tuple[str, ...] = (), volume: int | None = None) -> FileView:
    """Return what a program gets to know of a file."""
    return FileView(
        id=scan.id,
        kind="volume" if scan.role == "result" else scan.role,
        name=scan.filename,
        belongs_to=scan.parent,
        shape=scan.shape,
        spacing=scan.spacing,
        orientation=scan.orientation,
        warnings=scan.warnings,
        facts=scan.facts,
        created=scan.created,
        volumes=volumes if len(volumes) > 1 else (),
        volume=volume if len(volumes) > 1 else None,
    )


def job_view(job: JobRecord) -> JobView:
    """Return what a program gets to know of a job."""
    failed = job.error
    return JobView(
        id=job.id,
        task=job.task,
        state=job.state,
        fraction=job.fraction,
        text=job.text,
        position=job.position,
        error=None if failed is None else Problem(code=failed.code, message=failed.message, hint=failed.hint),
        inputs=job.inputs,
        params=job.params,
        created=job.created,
        started=job.started,
        finished=job.finished,
        seconds=job.seconds,
        result=_values(job) if job.state == "done" else None,
        results=tuple(_result_file(job.id, one) for one in job.artifacts),
    )


def file_name(artifact: ArtifactRecord) -> str:
    """Return the name of a result file: that of the artifact with the ending of what is stored."""
    return artifact.name + artifact.blob[artifact.blob.index(".") :]


def _values(job: JobRecord) -> dict[str, Any]:
    """Return what a job found, without its files, which have addresses of their own."""
    return {name: value for name, value in to_json(job.result).items() if name != "artifacts"}


def _result_file(job_id: str, artifact: ArtifactRecord) -> ResultFile:
    name = file_name(artifact)
    address = f"{ROOT}/jobs/{job_id}/results/{name}"
    return ResultFile(name=name, title=artifact.title, method=artifact.method, address=address)
