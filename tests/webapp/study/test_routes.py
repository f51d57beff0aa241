from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from tests.webapp.fakes import services_of
from tests.webapp.study.sitting import answered, study_of
from webapp.services import Services
from webapp.store.studies import Studies
from webapp.store.study_records import StudyRecord
from webapp.study.collection import collect
from webapp.study.export import to_csv

Browser = Callable[[], TestClient]
WORDS = re.compile(rb"truth|\bours|mean|case\d|synthetic|region|psnr|flipped|repeat|catch|method", re.IGNORECASE)


@pytest.fixture(scope="module")
def study(server: ASGIApp, tmp_path_factory: pytest.TempPathFactory) -> StudyRecord:
    """Pairs and singles of three methods."""
    ask = {"prefer": True, "scales": ["realism"]}
    return study_of(services_of(server), tmp_path_factory.mktemp("study") / "images", ask=ask, title="Study")


@pytest.fixture
def services(server: ASGIApp) -> Services:
    """The parts of the running server."""
    return services_of(server)


class Rater:
    """A browser with an invitation."""

    def __init__(self, client: TestClient, services: Services, study: StudyRecord) -> None:
        self.client = client
        self.record, self.key = services.studies.invite(study, "Dr Secret")
        self.page = client.get(f"/rate/{self.key}")

    def get(self, path: str) -> Any:
        """Return the answer to a question of the page."""
        return self.client.get(f"/rate/{self.key}/{path}")

    def post(self, path: str, body: Any) -> Any:
        """Return the answer to something that is sent."""
        return self.client.post(f"/rate/{self.key}/{path}", json=body)

    def start(self) -> dict[str, Any]:
        """Agree and return the first showing."""
        first: dict[str, Any] = self.post("start", {"consent": True, "expertise": "Resident", "years": 2}).json()[
            "next"
        ]
        return first

    def everything(self) -> Iterator[dict[str, Any]]:
        """Answer everything and yield each showing."""
        shown = self.start()
        while shown is not None:
            yield shown
            shown = self.post("answers", answered(shown)).json()["next"]


@pytest.fixture
def rater(browser: Browser, services: Services, study: StudyRecord) -> Rater:
    """A rater who has not begun."""
    return Rater(browser(), services, study)


def test_the_page_is_the_same_for_everybody_and_strict(rater: Rater, browser: Browser) -> None:
    assert rater.page.status_code == 200
    assert "unsafe-eval" not in rater.page.headers["content-security-policy"]
    assert "script-src 'self';" in rater.page.headers["content-security-policy"]
    other = browser().get("/rate/somebody-elses-key")
    assert other.content == rater.page.content
    assert WORDS.search(rater.page.content) is None


def test_a_first_visit_by_the_link_gets_a_cookie_and_can_answer(
    rater: Rater, services: Services, study: StudyRecord
) -> None:
    shown = rater.start()
    saved = rater.post("answers", answered(shown))
    assert saved.status_code == 200
    assert saved.json()["progress"]["done"] == 1
    found = collect(services.studies, study)
    assert found.raters[rater.record.number - 1].done == 1


def test_two_images_of_an_item_differ_in_nothing_but_voxels(rater: Rater) -> None:
    pairs = 0
    told: set[str] = set()
    for shown in rater.everything():
        got = [rater.client.get(url) for url in shown["images"]]
        for one in got:
            heads = {name: value for name, value in one.headers.items() if name not in ("date", "x-request-id")}
            told.add(json.dumps(heads, sort_keys=True) + one.content[:352].hex())
        assert [len(url) for url in shown["images"]] == [len(shown["images"][0])] * len(got)
        pairs += len(got) == 2
        clean = {**shown, "images": [], "id": "", "answers": None}
        assert WORDS.search(json.dumps(clean).encode()) is None
    assert pairs >= 12
    # one set of headers for every image of the study, be it real or made
    assert len(told) == 1


def test_the_server_tells_nothing_of_a_study_elsewhere(rater: Rater, study: StudyRecord) -> None:
    rater.start()
    for path in ("/config", "/gradio_api/info", "/openapi.json", "/", "/healthz"):
        body = rater.client.get(path).content
        assert study.id.encode() not in body
        assert rater.key.encode() not in body
        assert b"Dr Secret" not in body


def test_a_key_opens_only_its_own(rater: Rater, browser: Browser, services: Services, study: StudyRecord) -> None:
    mine = rater.start()
    other = Rater(browser(), services, study)
    theirs = other.start()
    assert mine["id"] != theirs["id"]
    assert other.client.get(mine["images"][0].replace(rater.key, other.key)).status_code == 404
    assert other.post("answers", answered(mine)).status_code == 404
    assert other.get("showing/9").status_code == 404
    assert other.client.get("/rate/none/state").status_code == 404


def test_a_link_that_is_over_says_so(rater: Rater, services: Services, study: StudyRecord) -> None:
    shown = rater.start()
    services.studies.revoke(study, rater.record.number)
    for answer in (rater.get("state"), rater.post("answers", answered(shown)), rater.client.get(shown["images"][0])):
        assert answer.status_code == 410
        assert answer.json()["code"] == "invitation_over"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_answer_is_refused(rater: Rater, body: bytes) -> None:
    rater.start()
    answer = rater.client.post(f"/rate/{rater.key}/answers", content=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "bad_rating"


def test_texts_that_no_file_can_hold_are_mended(rater: Rater, services: Services, study: StudyRecord) -> None:
    shown = rater.start()
    sent = answered(shown, seconds=10**400, slices={"axial": "x", "=evil": 1, "coronal": 4})
    sent["answers"]["comment"] = "half \ud83d and nul \0"
    body = json.dumps(sent)
    saved = rater.client.post(f"/rate/{rater.key}/answers", content=body)
    assert saved.status_code == 200
    found = next(one for one in collect(services.studies, study).answers if one.rater == rater.record.name)
    assert found.values["comment"] == "half ? and nul "
    assert found.slices == {"axial": 0, "coronal": 4}
    assert found.seconds == 0
    assert to_csv(collect(services.studies, study)).encode()


def test_consent_is_needed(rater: Rater) -> None:
    for body in ({}, {"consent": "yes"}, {"consent": True, "years": 900}):
        assert rater.post("start", body).status_code == 422
    assert rater.get("state").json()["started"] is False
    assert rater.get("showing/1").status_code == 422


def test_another_site_cannot_answer(rater: Rater) -> None:
    shown = rater.start()
    headers = {"origin": "https://elsewhere.example"}
    sent = rater.client.post(f"/rate/{rater.key}/answers", json=answered(shown), headers=headers)
    assert sent.status_code == 403


def locked(*_: object, **__: object) -> None:
    raise OperationalError("INSERT", {"answers": "secret"}, Exception("database is locked"))


def test_a_locked_database_is_tried_again_later(
    rater: Rater,
    services: Services,
    study: StudyRecord,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shown = rater.start()
    with monkeypatch.context() as patched:
        patched.setattr(Studies, "rate", locked)
        patched.setattr(Studies, "show", locked)
        patched.setattr(Studies, "start", locked)
        busy = [rater.post("answers", answered(shown)), rater.get("showing/2"), rater.post("start", {"consent": True})]
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in busy} == {(503, "1")}
    assert {answer.json()["code"] for answer in busy} == {"busy"}
    assert "database is locked" in caplog.text
    assert "secret" not in caplog.text and rater.key not in "".join(line.getMessage() for line in caplog.records)
    assert rater.post("answers", answered(shown)).status_code == 200
    assert collect(services.studies, study).raters[rater.record.number - 1].done == 1


def test_a_visit_that_cannot_be_noted_is_tried_again_later(
    rater: Rater, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(services.browsers, "touch", locked)
        busy = rater.post("start", {"consent": True})
    assert (busy.status_code, busy.json()["code"]) == (503, "busy")
    assert rater.post("start", {"consent": True}).status_code == 200
