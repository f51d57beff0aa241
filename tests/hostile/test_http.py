"""Requests that nobody's page sends: every address answers them with a promise, none with a fault or a trace of one.

Our own addresses are read from the OpenAPI of the server (schemathesis makes the parameters), those of Gradio from the
table of routes and from the events of the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from httpx2 import Response
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from tests.phantom import make_phantom
from tests.webapp.door.visits import events, session_in
from tests.webapp.fakes import ORIGIN, FakeEngine, load, services_of, wait_for
from tests.webapp.study.sitting import sit, study_of
from webapp.app import create_app
from webapp.settings import Settings
from webapp.store.clock import now

# an address that ends the visit or what the visitor has
ENDING = ("/data/delete", "/account/sign-out", "/account/sign-out-everywhere")
# what never ends
ENDLESS = ("/gradio_api/queue/data", "/gradio_api/heartbeat/x", "/gradio_api/upload_progress")
TYPES = ("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "image/png", "")
GRADIO = (
    "queue/join",
    "run/predict",
    "cancel",
    "reset",
    "upload",
    "component_server",
    "call/v2/x",
    "process_recording",
)
# what no answer has
LEAKS = ("Traceback", 'File "', "site-packages", "sqlalchemy", "/webapp/")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["data", "fn_index", "session_hash", "event_id", "path", "url", "meta", "trigger_id", "consent", "x"]
    ), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
BODIES = st.one_of(
    VALUES.map(lambda value: json.dumps(value).encode()), st.binary(max_size=200), st.just(b"[" * 20_000)
)


@dataclass(frozen=True)
class Site:
    """The whole server without log-in, a browser, and the names of things of its visitor."""

    server: ASGIApp
    client: TestClient
    things: Mapping[str, str]

    def ask(self, method: str, path: str, **more: Any) -> Response:
        """Send a request and check the answer."""
        answer = self.client.request(method, path, follow_redirects=False, **more)
        assert answer.status_code < 500, (method, path, more, answer.status_code)
        if "text/html" not in answer.headers.get("content-type", "") or answer.status_code >= 400:
            assert not [leak for leak in LEAKS if leak.encode() in answer.content], (method, path, answer.text[:400])
        return answer


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for the file."""
    folder = tmp_path_factory.mktemp("http")
    options = Settings(
        data=folder / "data", warm=False, disk_reserve_mb=1, max_upload_mb=8, post_burst=100_000, post_rate=10_000,
        queue_per_session=3,
    )  # fmt: skip
    server = create_app(options, engine=FakeEngine)
    services = services_of(server)
    with TestClient(server, base_url=ORIGIN, headers={"origin": ORIGIN}, raise_server_exceptions=False) as client:
        client.get("/")
        session = session_in(services, client)
        _, token = services.tokens.add(session, None, "", now() + timedelta(days=1))
        client.headers["authorization"] = f"Bearer {token}"
        yield Site(server, client, things(services, session, folder))


def things(services: Any, session: str, folder: Path) -> dict[str, str]:
    """Let a visitor have one of everything, and return the names of these by those of the parameters of addresses."""
    scan, mask = load(services, make_phantom(), folder, session)
    job_id = services.dispatcher.submit(session, "inpaint", {"t1": scan.id, "mask": mask.id}, {"method": "shell"})
    job = wait_for(services, job_id, session)
    study = study_of(services, folder / "images", session)
    rater = sit(services, study, start=False)[0]
    return {
        "token": scan.token, "scan_id": scan.id, "file_id": scan.id, "job_id": job.id, "name": "result.nii.gz",
        "artifact_id": job.artifacts[0].id, "study_id": study.id, "key": rater, "part": "result",
        "position": "1", "axis": "1", "over": mask.token,
        "share": services.shares.add(job.id, session, now() + timedelta(days=1))[1],
    }  # fmt: skip


def operations(site: Site) -> list[Any]:
    inner: Any = site.server
    schema = schemathesis.openapi.from_dict(inner._app.openapi())
    found: list[Any] = list(schema.get_all_operations())
    return [one.ok() for one in found]


def fuzz(site: Site, examples: int) -> int:
    """Ask every own address ``examples`` times, half of the times for things that exist; return how many there are."""
    wanted = [operation for operation in operations(site) if operation.path not in ENDING]
    # what is deleted cannot be asked for any more
    wanted.sort(key=lambda operation: operation.method.upper() == "DELETE")
    for operation in wanted:
        fuzz_one(site, operation, examples)
    return len(wanted)


def fuzz_one(site: Site, operation: Any, examples: int) -> None:
    known = {**site.things, "key": site.things["share" if operation.path.startswith("/shared") else "key"]}

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(), real=st.booleans(), body=BODIES, kind=st.sampled_from(TYPES))
    def check(case: Case[Any], real: bool, body: bytes, kind: str) -> None:
        path = case.path
        for name, value in (case.path_parameters or {}).items():
            path = path.replace(f"{{{name}}}", quote(str(known.get(name, value) if real else value), safe=""))
        more = {"content": body, "headers": {"content-type": kind}} if case.method == "POST" else {}
        query = {name: str(value) for name, value in (case.query or {}).items()}
        site.ask(case.method, path, params=query or None, **more)

    check()


def test_every_own_address_answers_whatever_is_asked(site: Site) -> None:
    assert fuzz(site, 3) > 25
    assert site.ask("GET", "/healthz").text == "ok"


@pytest.mark.slow
def test_every_own_address_answers_for_long(site: Site) -> None:
    assert fuzz(site, 100) > 25


def fuzz_gradio(site: Site, examples: int) -> None:
    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(name=st.sampled_from(GRADIO), body=BODIES, kind=st.sampled_from(TYPES), query=st.text(max_size=9))
    def check(name: str, body: bytes, kind: str, query: str) -> None:
        headers = {"content-type": kind}
        site.ask("POST", f"/gradio_api/{name}", content=body, headers=headers, params={"upload_id": query})

    check()


def test_gradios_addresses_answer_whatever_is_sent(site: Site) -> None:
    fuzz_gradio(site, 120)


@pytest.mark.slow
def test_gradios_addresses_answer_for_long(site: Site) -> None:
    fuzz_gradio(site, 2000)


WRONG: tuple[Any, ...] = (None, 1e300, ["x", 1], {"value": [{}]})


def wrong_events(site: Site, step: int, wrong: tuple[Any, ...]) -> int:
    """Send every ``step``-th event of the page values of wrong types, and return how many were sent."""
    inner: Any = site.server
    config = inner._app.routes[-1].app._app.blocks.config
    sent = 0
    for event in config["dependencies"][::step]:
        if event["backend_fn"] is not True:
            continue
        for value in wrong:
            page = f"p{event['id']}-{sent}"
            body = {"data": [value] * len(event["inputs"]), "fn_index": event["id"], "session_hash": page}
            answer = site.ask("POST", "/gradio_api/queue/join", json={**body, "event_data": {"id": value}})
            if answer.status_code == 200 and event["queue"]:
                told = json.dumps(events(site.client, page))
                assert not [leak for leak in LEAKS if leak in told], (event["id"], value, told[:300])
            sent += 1
    return sent


def test_events_answer_values_of_wrong_types(site: Site) -> None:
    assert wrong_events(site, 20, (None, {"path": ""})) > 10


@pytest.mark.slow
def test_every_event_answers_values_of_wrong_types(site: Site) -> None:
    assert wrong_events(site, 1, WRONG) > 400
