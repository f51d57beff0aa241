from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import jsonschema_rs
import pytest
from mcp.types import CallToolRequestParams, CallToolResult

from core.engine.protocol import JobSpec
from core.errors import UserError
from core.events import Event, Failed
from tests.phantom import Phantom
from tests.waiting import LONGEST
from tests.webapp.fakes import FakeEngine, finish, load
from webapp.api import mcp_tools
from webapp.api.mcp_server import McpServer
from webapp.app import build_services
from webapp.door.visitor import KEY
from webapp.services import Services
from webapp.settings import Settings


def call(services: Services, name: str, session: str = "a", **arguments: Any) -> Mapping[str, Any]:
    return anyio.run(partial(mcp_tools.called, services, session, name, arguments))


def refused(services: Services, name: str, session: str = "a", **arguments: Any) -> str:
    with pytest.raises(UserError) as caught:
        call(services, name, session, **arguments)
    return caught.value.code


def test_tools_have_names_texts_and_schemas() -> None:
    found = {tool.name: tool for tool in mcp_tools.tools()}
    assert list(found)[:2] == ["inpaint", "superres"] and len(found) == 9
    for tool in found.values():
        assert tool.text.endswith(".") and jsonschema_rs.meta.is_valid(dict(tool.schema))
    check = jsonschema_rs.validator_for(dict(found["inpaint"].schema))
    assert check.is_valid({"t1": "x", "mask": "y", "preset": "fast", "params": {"seed": 1}, "wait": 5})
    for wrong in ({}, {"t1": "x"}, {"t1": "x", "mask": "y", "params": {"seed": -1}}, {"t1": "x", "mask": "y", "z": 1}):
        assert not check.is_valid(wrong)


def test_a_task_is_run_followed_and_found(services: Services, head: Phantom, tmp_path: Path) -> None:
    scan, mask = load(services, head, tmp_path)
    services.dispatcher.start()
    job = call(services, "inpaint", t1=scan.id, mask=mask.id, preset="fast", params={"seed": 4}, wait=50)
    assert (job["state"], job["params"]["seed"]) == ("done", 4)
    assert call(services, "read_job", job=job["id"]) == job == call(services, "list_jobs")["jobs"][0]
    assert [one["id"] for one in call(services, "list_files")["files"]] == [mask.id, scan.id]
    # nothing of it is another's
    assert call(services, "list_jobs", "b") == {"jobs": []} and call(services, "list_files", "b") == {"files": []}
    for name in ("read_job", "cancel_job"):
        assert refused(services, name, "b", job=job["id"]) == "not_found"
    assert refused(services, "inpaint", "b", t1=scan.id, mask=mask.id) == "not_found"


def test_a_call_waits_no_longer_than_it_may_and_a_job_is_cancelled(
    settings: Settings, head: Phantom, tmp_path: Path
) -> None:
    go = threading.Event()

    def script(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        go.wait(LONGEST)
        yield from finish(job_id, spec, attempt)

    services = build_services(settings, lambda: FakeEngine(script))
    scan, mask = load(services, head, tmp_path)
    services.dispatcher.start()
    try:
        job = call(services, "inpaint", t1=scan.id, mask=mask.id, wait=0)
        assert job["state"] in ("queued", "running") and job["results"] == []
        assert call(services, "cancel_job", job=job["id"])["state"] == "cancelled"
    finally:
        go.set()
        services.dispatcher.stop()
        services.repo.engine.dispose()


def test_a_job_that_failed_is_an_error_of_the_call_that_waited_for_it(
    settings: Settings, head: Phantom, tmp_path: Path
) -> None:
    def script(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
        yield Failed("no_head", "There is no head.", "Load another scan.")

    services = build_services(settings, lambda: FakeEngine(script))
    server = McpServer(services)
    scan, mask = load(services, head, tmp_path)
    services.dispatcher.start()

    def answer(name: str, **arguments: Any) -> CallToolResult:
        context: Any = SimpleNamespace(request=SimpleNamespace(scope={KEY: "a"}))
        return anyio.run(server._called, context, CallToolRequestParams(name=name, arguments=arguments))

    try:
        made = answer("inpaint", t1=scan.id, mask=mask.id, wait=50)
        assert made.structured_content is not None
        job = made.structured_content["id"]
        assert made.is_error and made.structured_content["error"]["code"] == "no_head"
        assert answer("read_job", job=job).is_error
        # these were asked for something else, and gave it
        assert not answer("list_jobs").is_error and not answer("cancel_job", job=job).is_error
    finally:
        services.dispatcher.stop()
        services.repo.engine.dispose()


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("nothing", {}, "unknown_task"),
        ("inpaint", {}, "input_missing"),
        ("inpaint", {"t1": 1}, "bad_request"),
        ("inpaint", {"wait": 51}, "bad_request"),
        ("inpaint", {"wait": True}, "bad_request"),
        ("inpaint", {"wait": "x"}, "bad_request"),
        ("inpaint", {"t1": "../x"}, "not_found"),
        ("inpaint", {"params": []}, "bad_request"),
        ("inpaint", {"preset": "nothing"}, "bad_parameter"),
        ("read_job", {}, "bad_request"),
        ("cancel_job", {"job": {}}, "bad_request"),
        ("read_job", {"job": "x"}, "not_found"),
    ],
)
def test_a_call_that_cannot_be_is_refused(services: Services, name: str, arguments: dict[str, Any], code: str) -> None:
    assert refused(services, name, **arguments) == code


def test_without_the_package_the_start_is_refused(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.lowlevel", None)
    with pytest.raises(UserError) as caught:
        McpServer(services)
    assert caught.value.code == "not_installed" and "counterscan[mcp]" in caught.value.hint
