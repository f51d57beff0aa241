"""Events that programs call by the name of a task: what they take, and whose files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from core.tasks import TASKS
from tests.phantom import Phantom
from tests.webapp.api.programs import Program, program
from tests.webapp.door.visits import events, upload
from tests.webapp.fakes import ORIGIN, FakeEngine
from webapp.app import create_app
from webapp.pages import named_events
from webapp.services import Services
from webapp.settings import Settings


def only_these(services: Services) -> gr.Blocks:
    """A page with nothing but these events."""
    blocks = gr.Blocks()
    with blocks:
        named_events.build(services)
    return blocks


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    settings = Settings(data=tmp_path_factory.mktemp("named") / "data", warm=False, max_upload_mb=8, disk_reserve_mb=1)
    server = create_app(settings, page=only_these, engine=FakeEngine)
    with TestClient(server, base_url=ORIGIN):
        yield server


def described(path: str) -> dict[str, object]:
    """Return a file as gradio_client hands it on."""
    return {"path": path, "orig_name": "a", "meta": {"_type": "gradio.FileData"}}


def call(one: Program, page: str, *data: object) -> Any:
    """Call the event of the first task, and return the last thing that it gives, or the error."""
    body = {"data": list(data), "fn_index": 0, "session_hash": page}
    assert one.ask("POST", "/gradio_api/queue/join", json=body).status_code == 200
    *_, last = [message for message in events(one.client, page) if message["msg"] == "process_completed"]
    return last["output"]["data"][0] if last["success"] else last["output"]["error"]


def test_every_task_is_there_by_its_name_with_its_inputs(site: ASGIApp) -> None:
    named = program(site).ask("GET", "/gradio_api/info").json()["named_endpoints"]
    assert list(named) == [f"/{task.name}" for task in TASKS]
    for task in TASKS:
        given = named[f"/{task.name}"]["parameters"]
        assert [one["parameter_name"] for one in given] == [*(entry.name for entry in task.inputs), "preset", "params"]
        required = [one["parameter_name"] for one in given if not one["parameter_has_default"]]
        assert required == [entry.name for entry in task.required]


def test_a_call_gives_its_job_when_it_is_over(site: ASGIApp, head: Phantom, tmp_path: Path) -> None:
    one = program(site)
    scan, mask = head.write(tmp_path)
    files = [described(upload(one.client, path.read_bytes(), path.name)) for path in (scan, mask)]
    job = call(one, "whole", *files, None, "fast", {"seed": 5})
    assert (job["state"], job["params"]["seed"], job["params"]["samples"]) == ("done", 5, 1)
    assert one.ask("GET", job["results"][0]["address"]).status_code == 200
    again = call(one, "again", job["inputs"]["t1"], job["inputs"]["mask"], None, "", {})
    assert again["state"] == "done" and again["inputs"] == job["inputs"]


def test_a_call_that_cannot_be_is_refused_with_the_reason(site: ASGIApp, head: Phantom, tmp_path: Path) -> None:
    one, other = program(site), program(site)
    scan, _ = head.write(tmp_path)
    others = other.upload(scan)["id"]
    cases: list[tuple[str, tuple[object, ...]]] = [
        ("input_missing", (None, None, None, "", {})),
        ("bad_parameter", (None, None, None, "nothing", {})),
        ("bad_request", (None, None, None, 5, {})),
        ("bad_request", ({}, None, None, "", {})),
        ("bad_request", ([{"x": 1}], None, None, "", {})),
        ("bad_request", (1, None, None, "", {})),
        ("not_found", (others, None, None, "", {})),
        ("not_found", ("../../counterscan.db", None, None, "", {})),
    ]
    for number, (code, data) in enumerate(cases):
        error = call(one, f"page{number}", *data)
        assert isinstance(error, str) and error.endswith(f"[{code}]"), (data, error)


def test_nobody_names_a_file_that_is_not_theirs(site: ASGIApp) -> None:
    one, other = program(site), program(site)
    theirs = upload(other.client)
    for path in (theirs, "/etc/passwd", f"{theirs}/../../x"):
        body = {"data": [described(path), None, None, "", {}], "fn_index": 0, "session_hash": "stolen"}
        answer = one.ask("POST", "/gradio_api/queue/join", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "closed"), path


def test_an_event_has_no_way_around_the_queue(site: ASGIApp) -> None:
    one = program(site)
    for path in ("run/inpaint", "run/inpaint/", "call/inpaint", "api/inpaint"):
        body: dict[str, object] = {"data": [None, None, None, "", {}], "session_hash": "around"}
        assert one.ask("POST", f"/gradio_api/{path}", json=body).status_code in (403, 404), path
