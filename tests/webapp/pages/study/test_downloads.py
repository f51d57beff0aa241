from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.webapp.door.visits import session_in
from tests.webapp.fakes import ORIGIN
from tests.webapp.study.sitting import answered, sit, study_of
from webapp.door.guard import Guard
from webapp.door.identity import Identity
from webapp.door.uploads import Uploads
from webapp.endpoints import add_routes
from webapp.pages.study.downloads import WRITERS, router
from webapp.services import Services
from webapp.store.study_records import StudyRecord
from webapp.study.collection import collect
from webapp.study.rating import Sitting


@pytest.fixture
def study(services: Services, tmp_path: Path) -> StudyRecord:
    """A study with three answers of one rater."""
    made = study_of(services, tmp_path / "images", ask={"real": True, "scales": ["realism"]})
    key, _ = sit(services, made, "Dr =A")
    for _ in range(3):
        sitting = Sitting.of(services.studies, key, "")
        sitting.save(answered(sitting.state()["next"]))
    return made


@pytest.fixture
def page(services: Services, tmp_path: Path) -> Iterator[TestClient]:
    """A visitor of a server that has nothing but these addresses."""
    app = FastAPI()
    add_routes(app, services)
    app.include_router(router(services))
    app.get("/")(lambda: "page")
    guard = Guard(app, services, Identity(services), Uploads(tmp_path, services.owners))
    with TestClient(guard, base_url=ORIGIN) as client:
        client.get("/")
        yield client


def manage(page: TestClient, services: Services, study: StudyRecord) -> None:
    """Let the visitor manage the study."""
    studies = services.studies
    studies.manage(studies.renew_key(study), session_in(services, page))


def test_only_managers_get_the_files(page: TestClient, services: Services, study: StudyRecord) -> None:
    for kind in (*WRITERS, "view"):
        assert page.get(f"/study/{study.id}/{kind}").status_code == 404
    manage(page, services, study)
    for kind in WRITERS:
        got = page.get(f"/study/{study.id}/{kind}")
        assert got.status_code == 200
        assert got.headers["content-disposition"].startswith("attachment")
        assert "no-store" in got.headers["cache-control"]
    assert page.get(f"/study/{study.id}/other").status_code == 404


def test_the_files_say_what_the_database_says(page: TestClient, services: Services, study: StudyRecord) -> None:
    manage(page, services, study)
    found = collect(services.studies, study)
    rows = list(csv.DictReader(io.StringIO(page.get(f"/study/{study.id}/csv").content.decode("utf-8-sig"))))
    assert [row["rater"] for row in rows] == ["R01"] * 3
    assert [int(row["position"]) for row in rows] == [answer.position for answer in found.answers]
    told = json.loads(page.get(f"/study/{study.id}/json").content)
    assert len(told["collected"]["answers"]) == 3
    with zipfile.ZipFile(io.BytesIO(page.get(f"/study/{study.id}/zip").content)) as archive:
        assert archive.read("answers.csv") == page.get(f"/study/{study.id}/csv").content


def test_names_are_given_only_when_asked_for(page: TestClient, services: Services, study: StudyRecord) -> None:
    manage(page, services, study)
    assert b"Dr =A" not in page.get(f"/study/{study.id}/zip").content
    assert b"Dr =A" not in page.get(f"/study/{study.id}/csv").content
    assert b"Dr =A" in page.get(f"/study/{study.id}/csv", params={"labels": True}).content


def test_the_report_on_the_page_is_shut_in(page: TestClient, services: Services, study: StudyRecord) -> None:
    manage(page, services, study)
    shown = page.get(f"/study/{study.id}/view")
    assert shown.headers["content-type"].startswith("text/html")
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts;")
    assert "default-src 'none'" in policy
