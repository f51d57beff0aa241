from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.webapp.door.visits import events, file_data, join
from tests.webapp.fakes import ORIGIN, stub_page
from webapp.app import mount_page, prepare_gradio
from webapp.services import Services


@pytest.fixture
def unguarded(services: Services) -> Iterator[TestClient]:
    """The page without the door."""
    prepare_gradio(services.settings.data)
    app = FastAPI()
    mount_page(app, services, stub_page)
    with TestClient(app, base_url=ORIGIN) as client:
        yield client


def test_gradio_itself_refuses_files_of_the_server(unguarded: TestClient, services: Services, tmp_path: Path) -> None:
    uploaded = services.settings.data / "uploads" / "t1.nii.gz"
    secret = tmp_path / "T1.nii.gz"
    for path, allowed in ((uploaded, True), (secret, False)):
        path.write_bytes(b"scan")
        page = f"page{allowed}"
        assert join(unguarded, page, file_data(str(path.resolve()))) == 200
        done = [one for one in events(unguarded, page) if one["msg"] == "process_completed"]
        assert [one["success"] for one in done] == [allowed]
        assert allowed or str(tmp_path) not in str(done)
