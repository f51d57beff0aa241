"""What tests of the door have a browser do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient

from webapp.door.identity import COOKIE
from webapp.services import Services

Browser = Callable[[], TestClient]


def visit(browser: Browser) -> TestClient:
    """Return a browser with a session."""
    client = browser()
    assert client.get("/").status_code == 200
    return client


def session_in(services: Services, client: TestClient) -> str:
    """Return the session of a browser."""
    known = services.browsers.find(client.cookies[COOKIE])
    assert known is not None
    return known.session


def upload(client: TestClient, content: bytes = b"scan", name: str = "t1.nii.gz") -> str:
    """Upload a file and return the path that the page would hand on."""
    answer = client.post("/gradio_api/upload", files={"files": (name, content)})
    assert answer.status_code == 200, answer.text
    return str(answer.json()[0])


def file_data(path: str, **more: object) -> dict[str, object]:
    """Return a file as the page hands it on."""
    return {"path": path, "orig_name": "t1.nii.gz", "meta": {"_type": "gradio.FileData"}, **more}


def join(client: TestClient, page: str, data: object = None) -> int:
    """Run the event of the stub page on ``data`` and return the status of the answer."""
    body = {"data": [data], "fn_index": 0, "session_hash": page, "trigger_id": None, "event_data": None}
    return client.post("/gradio_api/queue/join", json=body).status_code


def events(client: TestClient, page: str) -> list[dict[str, Any]]:
    """Return what the events of a page have sent it, once they are over."""
    with client.stream("GET", f"/gradio_api/queue/data?session_hash={page}") as stream:
        return [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
