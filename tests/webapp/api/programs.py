"""What tests of the addresses for programs do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from tests.waiting import wait_until
from tests.webapp.fakes import ORIGIN, services_of
from webapp.store.clock import new_id, now

DAY = timedelta(days=1)
FILES, JOBS = "/api/v1/files", "/api/v1/jobs"


class Program:
    """A program that sends a token, without cookies and without an origin."""

    def __init__(self, server: ASGIApp, token: str | None) -> None:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self.client = TestClient(server, base_url=ORIGIN, headers=headers)

    def ask(self, method: str, path: str, **more: Any) -> Response:
        """Send a request."""
        return self.client.request(method, path, follow_redirects=False, **more)

    def upload(self, path: Path, **query: str) -> dict[str, Any]:
        """Upload a file and return what the server got to know of it."""
        answer = self.ask("POST", FILES, params=query, files={"files": (path.name, path.read_bytes())})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def start(self, inputs: Mapping[str, str], task: str = "inpaint", **more: object) -> dict[str, Any]:
        """Queue a job and return it."""
        answer = self.ask("POST", JOBS, json={"task": task, "inputs": inputs, **more})
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        assert answer.headers["location"] == f"{JOBS}/{found['id']}"
        return found

    def over(self, job_id: str) -> dict[str, Any]:
        """Return a job once it is over."""

        def look() -> dict[str, Any]:
            found: dict[str, Any] = self.ask("GET", f"{JOBS}/{job_id}").json()
            return found

        return wait_until(look, lambda job: job["state"] not in ("queued", "running"))


def program(server: ASGIApp, session: str = "", account: str = "") -> Program:
    """Return a program with a token of a session or an account, without either of a new visitor."""
    services = services_of(server)
    who = services.accounts.find(account) if account else None
    owner = who.session if who else session or new_id()
    return Program(server, services.tokens.add(owner, who, "", now() + DAY)[1])


def code(answer: Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    problem = answer.json()
    assert {"code", "message", "hint"} <= problem.keys(), problem
    return answer.status_code, str(problem["code"])
