from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pydicom
import pytest
from anyio import to_thread
from sqlalchemy import event
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from core.engine.protocol import JobSpec
from core.errors import UserError
from core.events import Event, Failed, Progress, Started
from core.files.nifti import read_own
from core.tasks import TASKS
from tests.hand_clock import HandClock
from tests.phantom import Phantom
from tests.waiting import LONGEST
from tests.webapp.api.programs import FILES, JOBS, Program, code, program
from tests.webapp.door.visits import Browser, visit
from tests.webapp.fakes import ORIGIN, FakeEngine, finish, load, services_of, stub_page
from webapp.api import api_jobs
from webapp.api.api_models import JobView, job_view
from webapp.app import build_services, create_app
from webapp.jobs.board import LIFE
from webapp.settings import Settings

Inputs = dict[str, str]


@pytest.fixture
def someone(server: ASGIApp) -> Program:
    """A program of a visitor who has nothing yet."""
    return program(server)


def loaded(one: Program, head: Phantom, folder: Path) -> Inputs:
    """Upload a scan and its mask and return the inputs of a job."""
    scan, mask = head.write(folder)
    t1 = one.upload(scan)
    return {"t1": t1["id"], "mask": one.upload(mask, kind="mask", belongs_to=t1["id"])["id"]}


def test_a_task_is_run_from_upload_to_download(someone: Program, head: Phantom, tmp_path: Path) -> None:
    scan, mask = head.write(tmp_path)
    t1 = someone.upload(scan)
    assert (t1["kind"], t1["name"], tuple(t1["shape"]), t1["belongs_to"]) == (
        "volume",
        scan.name,
        head.scan.shape,
        None,
    )
    lesion = someone.upload(mask, kind="mask", belongs_to=t1["id"])
    assert lesion["belongs_to"] == t1["id"] and lesion["facts"]["voxels"] > 0
    assert [one["id"] for one in someone.ask("GET", FILES).json()] == [lesion["id"], t1["id"]]
    assert someone.ask("GET", f"{FILES}/{t1['id']}").json() == t1
    made = someone.start({"t1": t1["id"], "mask": lesion["id"]}, preset="fast", params={"seed": 7})
    assert (made["task"], made["params"]["seed"], made["params"]["samples"]) == ("inpaint", 7, 1)
    job = someone.over(made["id"])
    assert (job["state"], job["fraction"], job["error"]) == ("done", 1.0, None) and job["result"]["version"] == 2
    assert [one["name"] for one in job["results"]] == ["result.nii.gz", "run.json", "report.html"]
    got = someone.ask("GET", job["results"][0]["address"])
    assert got.status_code == 200 and got.content[:2] == b"\x1f\x8b"
    assert got.headers["content-disposition"].startswith("attachment; filename=")
    assert someone.ask("GET", f"{JOBS}/{job['id']}/results/result").content == got.content
    assert someone.ask("GET", JOBS).json() == [job]
    assert someone.ask("DELETE", f"{JOBS}/{job['id']}").status_code == 204
    assert code(someone.ask("GET", f"{JOBS}/{job['id']}")) == (404, "not_found")
    assert someone.ask("DELETE", f"{FILES}/{t1['id']}").status_code == 204
    assert someone.ask("GET", FILES).json() == []


def test_a_result_is_downloaded_as_a_dicom_series(
    server: ASGIApp, someone: Program, head: Phantom, tmp_path: Path
) -> None:
    job = someone.over(someone.start(loaded(someone, head, tmp_path))["id"])
    got = someone.ask("GET", f"{job['results'][0]['address']}/dicom")
    assert got.status_code == 200 and got.headers["content-disposition"].endswith('-dicom.zip"')
    (tmp_path / "series").mkdir()
    with zipfile.ZipFile(io.BytesIO(got.content)) as archive:
        archive.extractall(tmp_path / "series")
    slices = [pydicom.dcmread(path) for path in sorted((tmp_path / "series").iterdir())]
    assert len(slices) == head.scan.shape[2]
    assert {str(one.PatientID) for one in slices} == {"SYNTHETIC"}
    assert all("Not for diagnosis" in one.DerivationDescription for one in slices)
    again = someone.upload(write_zip(tmp_path / "series.zip", tmp_path / "series"))
    assert sorted(again["shape"]) == sorted(head.scan.shape)
    (tmp_path / "result.nii.gz").write_bytes(someone.ask("GET", job["results"][0]["address"]).content)
    session = services_of(server).repo.session_of_job(job["id"])
    stored = services_of(server).blobs.path(services_of(server).repo.scan(again["id"], session).blob)
    before, after = (read_own(path).to_volume() for path in (tmp_path / "result.nii.gz", stored))
    assert np.allclose(before.affine, after.affine, atol=1e-3)
    assert np.abs(before.data - after.data).max() <= np.abs(before.data).max() / 60_000
    assert code(someone.ask("GET", f"{JOBS}/{job['id']}/results/report.html/dicom")) == (422, "no_result_volume")
    assert list((services_of(server).settings.data / "incoming").iterdir()) == []


def write_zip(path: Path, folder: Path) -> Path:
    """Write the files of a folder into a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    return path


def test_no_upload_is_left_behind(server: ASGIApp, someone: Program, head: Phantom, tmp_path: Path) -> None:
    loaded(someone, head, tmp_path)
    answer = someone.ask("POST", FILES, files={"files": ("t1.nii.gz", b"no scan")})
    assert answer.status_code == 422
    folder = services_of(server).settings.data
    assert [path for path in (folder / "uploads").rglob("*") if path.is_file()] == []
    assert list((folder / "incoming").iterdir()) == []


def test_events_come_until_a_job_is_over(someone: Program, head: Phantom, tmp_path: Path) -> None:
    job = someone.start(loaded(someone, head, tmp_path))
    with someone.client.stream("GET", f"{JOBS}/{job['id']}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in stream.iter_lines() if line]
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    states = [json.loads(line.removeprefix("data: "))["state"] for line in lines if line.startswith("data: ")]
    # a job that is over before anybody follows it has its end alone
    assert set(names[:-1]) <= {"progress"} and (names[-1], states[-1]) == ("end", "done")


def test_the_tasks_are_all_there_with_their_schemas(someone: Program) -> None:
    listed = someone.ask("GET", "/api/v1/tasks").json()
    assert [one["name"] for one in listed] == [task.name for task in TASKS]
    for one, task in zip(listed, TASKS, strict=True):
        assert one["schema"]["properties"].keys() == {param.name for param in task.params}
    assert someone.ask("GET", "/api/v1/tasks/superres").json() == listed[1]
    assert code(someone.ask("GET", "/api/v1/tasks/fly"))[1] == "unknown_task"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"task": "fly"}, "unknown_task"),
        ({"task": "inpaint"}, "input_missing"),
        ({"task": "inpaint", "inputs": {"t1": "0" * 32}}, "not_found"),
        ({"task": "inpaint", "inputs": {"t9": "0" * 32}}, "unknown_input"),
        ({"task": "inpaint", "preset": "nothing"}, "bad_parameter"),
        ({"task": "inpaint", "params": {"samples": -1}}, "bad_parameter"),
        ({"task": "inpaint", "params": {"samples": [{}]}}, "bad_parameter"),
        ({"task": "inpaint", "params": {"out": "/etc"}}, "bad_parameter"),
        ({"task": "inpaint", "inputs": {"t1": "../../etc/passwd"}}, "not_found"),
        ({"task": "inpaint", "inputs": {"t1": 1}}, "bad_request"),
        ({"task": "inpaint", "more": 1}, "bad_request"),
        ({"task": "inpaint", "inputs": {"t1": "0" * 65}}, "bad_request"),
        ({}, "bad_request"),
        ([], "bad_request"),
    ],
)  # fmt: skip
def test_a_job_that_cannot_be_is_refused_with_the_reason(someone: Program, body: Any, wanted: str) -> None:
    answer = someone.ask("POST", JOBS, json=body)
    assert code(answer)[1] == wanted and answer.status_code in (404, 422), answer.text


# half of a character, which JSON can write and no database can hold
LONE = rb'{"task": "inpaint", "inputs": {"t1": "\ud800"}}'


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"task": ' + b"9" * 6000 + b"}", b'{"task": "\xff"}', b"{", b"", LONE]
)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(someone: Program, body: bytes) -> None:
    answer = someone.ask("POST", JOBS, content=body, headers={"content-type": "application/json"})
    assert code(answer) == (422, "bad_request"), answer.text
    assert all(answer.json()[part] for part in ("message", "hint"))
    assert ("is no JSON from character 1 on" in answer.text) == (body == b"{")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"kind": "mask"}, "input_missing"),
        ({"kind": "mask", "belongs_to": "0" * 32}, "not_found"),
        ({"kind": "map"}, "bad_request"),
        ({"volume": "0"}, "bad_request"),
        ({"belongs_to": "0" * 32}, "bad_request"),
        ({"kind": "tissue"}, ""),
        ({"kind": "model"}, "model_unknown"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_the_reason(
    someone: Program, head: Phantom, tmp_path: Path, query: dict[str, str], wanted: str
) -> None:
    scan, _ = head.write(tmp_path)
    answer = someone.ask("POST", FILES, params=query, files={"files": (scan.name, scan.read_bytes())})
    assert answer.status_code in (404, 422) and (not wanted or code(answer)[1] == wanted), answer.text


def test_a_failed_job_has_its_reason_and_a_running_one_is_cancelled(
    settings: Settings, head: Phantom, tmp_path: Path
) -> None:
    running, pause = threading.Event(), threading.Event()

    def script(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        yield Started("cpu")
        if spec.params["seed"] == 1:
            yield Failed("no_head", "No head is found.", "Give a scan of a head.")
            return
        running.set()
        while spec.params["seed"] == 2:
            yield Progress(0.25, 1, 4, "Sampling")
            pause.wait(0.02)
        yield from finish(job_id, spec, attempt)

    server = create_app(settings, page=stub_page, engine=lambda: FakeEngine(script))
    with TestClient(server, base_url=ORIGIN):
        one = program(server)
        inputs = loaded(one, head, tmp_path)
        failed = one.over(one.start(inputs, params={"seed": 1})["id"])
        problem = {"code": "no_head", "message": "No head is found.", "hint": "Give a scan of a head."}
        assert (failed["state"], failed["error"], failed["results"]) == ("failed", problem, [])
        job = one.start(inputs, params={"seed": 2})
        waiting = one.start(inputs, params={"seed": 3})
        assert running.wait(LONGEST)
        assert one.ask("GET", f"{JOBS}/{waiting['id']}").json()["position"] == 1
        assert code(one.ask("DELETE", f"{FILES}/{inputs['t1']}")) == (409, "still_running")
        cancelled = one.ask("POST", f"{JOBS}/{job['id']}/cancel").json()
        assert cancelled["state"] == "cancelled"
        assert one.over(waiting["id"])["state"] == "done"
        # deletion of one that is not over cancels it first
        last = one.start(inputs, params={"seed": 2})
        assert one.ask("DELETE", f"{JOBS}/{last['id']}").status_code == 204
        assert [each["id"] for each in one.ask("GET", JOBS).json()] == [waiting["id"], job["id"], failed["id"]]


def test_a_stream_shows_that_it_lives_and_ends_when_its_job_is_deleted(
    server: ASGIApp, head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_jobs, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(api_jobs, "SILENT_SECONDS", 0.002)
    one = program(server)
    job = JobView.model_validate({**one.start(loaded(one, head, tmp_path)), "state": "running"})
    looks = [job] * 5

    async def read() -> JobView:
        if not looks:
            raise UserError("not_found", "m", "h")
        return looks.pop()

    async def collected() -> list[str]:
        return [sent async for sent in api_jobs.events(job, read)]

    sent = anyio.run(collected)
    assert sent[0].startswith("event: progress\n") and set(sent[1:]) == {": waiting\n\n"}


def test_all_streams_together_look_twice_a_second(
    settings: Settings, head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty followers who are in a hurry read the database as often as one: the board's clock stands still."""
    monkeypatch.setattr(api_jobs, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(api_jobs, "SILENT_SECONDS", 0.001)
    services = build_services(settings, FakeEngine)
    clock = services.dispatcher.board._clock = HandClock()
    scan, mask = load(services, head, tmp_path)
    job_id = services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {"method": "shell"})
    first = job_view(services.repo.job(job_id, "a"))
    statements: list[str] = []
    ended: list[str] = []
    received = ended.append

    async def follow(follower: api_jobs.Look) -> None:
        async for sent in api_jobs.events(first, follower):
            received(sent)

    async def all_of_them() -> None:
        looks = [api_jobs.follower(services, first, "a") for _ in range(20)]
        event.listen(services.repo.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        async with anyio.create_task_group() as group:
            for look in looks:
                group.start_soon(follow, look)
            while len(ended) < 200:
                await anyio.sleep(0.001)
            one_look = len(statements)
            clock.forward(LIFE)
            while len(ended) < 400:
                await anyio.sleep(0.001)
            assert one_look and len(statements) == 2 * one_look
            await to_thread.run_sync(services.dispatcher.cancel, job_id, "a")

    anyio.run(all_of_them)
    services.repo.engine.dispose()
    assert one_of_each(ended) == {"event: progress", ": waiting", "event: end"}
    assert sum(sent.startswith("event: end") for sent in ended) == 20


def one_of_each(sent: list[str]) -> set[str]:
    return {text.partition("\n")[0] for text in sent}


def test_the_description_is_there_for_tools_and_for_people(server: ASGIApp, browser: Browser) -> None:
    one, person = program(server), visit(browser)
    described = one.ask("GET", "/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.") and described["security"] == [{"token": []}]
    assert all(path.startswith("/api/v1/") for path in described["paths"]) and len(described["paths"]) == 10
    assert described["paths"]["/api/v1/files"]["post"]["requestBody"]["content"].keys() == {"multipart/form-data"}
    page = person.get("/api/v1")
    assert page.status_code == 200 and page.headers["content-security-policy"].startswith("default-src 'none'")
    assert all(path in page.text for path in described["paths"])
    assert "<script" not in page.text and "http" not in page.text.replace("https://", "http").partition("<body")[2]


def test_a_server_without_the_api_has_none(settings: Settings) -> None:
    server = create_app(settings.model_copy(update={"api": False}), page=stub_page, engine=FakeEngine)
    with TestClient(server, base_url=ORIGIN, headers={"origin": ORIGIN}) as person:
        one = program(server)
        assert code(one.ask("GET", JOBS)) == (403, "closed")
        person.get("/")
        assert "Tokens" not in person.get("/account").text
        assert person.post("/account/tokens", data={"days": "7"}).status_code == 404
