"""What a link shows of a run to somebody without a session, and that it shows nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from core.engine.protocol import JobSpec
from core.errors import UserError
from core.events import Event, Finished, Started
from core.result import REPORT, RESULT, RUN, Note, Result, Row, artifact_in
from tests.phantom import Phantom
from tests.webapp.fakes import FakeEngine, wait_for
from tests.webapp.pages.lab.test_stored_results import script as lab_script
from webapp.app import build_services
from webapp.door.visitor import KEY
from webapp.endpoints import add_routes
from webapp.intake.scans import accept
from webapp.pages import shared_links
from webapp.pages.kit import share_form
from webapp.pages.shared import shared_routes
from webapp.pages.shared.shared_run import shown_until
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.clock import now
from webapp.store.records import JobRecord, ScanRecord

CANARY = "canary-7f3a"
DAY = timedelta(days=1)
HTML = {"accept": "text/html", "sec-fetch-mode": "navigate"}


def script(job_id: str, spec: JobSpec, attempt: int) -> Iterator[Event]:
    """A run with a result, a table, a note, a report with a script in it, and the record of its settings."""
    if spec.task == "failure":
        yield from lab_script(job_id, spec, attempt)
        return
    yield Started("cpu")
    result = artifact_in(Path(spec.out), RESULT, ".nii.gz")
    Path(result.path).write_bytes(Path(next(iter(spec.inputs.values()))).read_bytes())
    report, record = artifact_in(Path(spec.out), REPORT, ".html"), artifact_in(Path(spec.out), RUN, ".json")
    Path(report.path).write_text("<!doctype html><title>Report</title><script>1</script>")
    Path(record.path).write_text(json.dumps({"canary": CANARY}))
    table = (Row("shell", "Shell mean", {"psnr": 21.5}),)
    yield Finished(Result((result, report, record), table, (Note("warning", "A <note> of the run."),)))


@dataclass(frozen=True)
class Shared:
    """A run of "a" with names that must not be seen, a second run, and whoever has the link to the first."""

    services: Services
    scan: ScanRecord
    job: JobRecord
    second: JobRecord
    key: str

    @property
    def base(self) -> str:
        """Where the link leads."""
        return f"/shared/{self.key}"

    def get(self, path: str = "", **headers: str) -> Response:
        """Return an answer below the link, to somebody without a session."""
        app = FastAPI()
        add_routes(app, self.services)
        app.include_router(shared_routes.router(self.services))
        return TestClient(app).get(f"{self.base}{path}", headers=headers)


@pytest.fixture(scope="module")
def shared(head: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """One run shared, another not."""
    folder = tmp_path_factory.mktemp("shared")
    services = build_services(Settings(data=folder / "data", warm=False, disk_reserve_mb=1), lambda: FakeEngine(script))
    t1, lesion = head.write(folder)
    scan = accept(services, t1, f"{CANARY}.nii.gz", "a")
    mask = accept(services, lesion, f"{CANARY}-mask.nii.gz", "a", "mask", scan.id)
    services.dispatcher.start()
    runs = [
        wait_for(services, services.dispatcher.submit("a", "inpaint", {"t1": scan.id, "mask": mask.id}, {"method": m}))
        for m in ("shell", "harmonic")
    ]
    services.repo.add_rating(runs[0].id, "a", "x" * 32, 1, 2, 3, f"{CANARY} comment")
    _, key = services.shares.add(runs[0].id, "a", now() + DAY)
    yield Shared(services, scan, runs[0], runs[1], key)
    services.dispatcher.stop()
    services.repo.engine.dispose()


def scene_of(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="scene">(.*?)</script>', page)
    assert found
    scene: dict[str, object] = json.loads(found[1])
    return scene


def test_the_page_shows_the_run_and_its_marks(shared: Shared) -> None:
    answer = shared.get(**HTML)
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "private, no-store" and "noindex" in answer.headers["x-robots-tag"]
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    for words in ("Pseudo-healthy inpainting", "Synthetic.", "Research use only, not for diagnosis", "Shell mean"):
        assert words in answer.text
    assert "21.5" in answer.text and "A &lt;note&gt; of the run." in answer.text
    assert f'src="{shared.base}/report"' in answer.text
    scene = scene_of(answer.text)
    assert scene["drawable"] is False and scene["job"] == scene["address"] == ""
    addresses = re.findall(r'"url": "([^"]+)"', json.dumps(scene))
    assert set(addresses) == {f"{shared.base}/vol/{name}/v.nii.gz" for name in ("given-t1", "given-mask", "result")}
    for address in addresses:
        volume = shared.get(address.removeprefix(shared.base))
        assert volume.status_code == 200 and volume.headers["cache-control"] == "private, no-store"
        assert volume.content[:2] == b"\x1f\x8b"


def test_no_name_no_id_and_no_other_run_is_in_anything_that_a_link_shows(shared: Shared) -> None:
    scan, job, second = shared.scan, shared.job, shared.second
    secrets = [CANARY, scan.id, scan.token, scan.blob, job.id, second.id]
    secrets += [one for file in (*job.artifacts, *second.artifacts) for one in (file.id, file.token, file.blob)]
    for path in ("", "/report", "/vol/given-t1/v.nii.gz", "/vol/result/v.nii.gz", "/slice/given-t1/2"):
        answer = shared.get(path, **HTML)
        assert answer.status_code == 200, path
        seen = answer.content + json.dumps(dict(answer.headers)).encode()
        assert [secret for secret in secrets if secret.encode() in seen] == [], path


@pytest.mark.parametrize(
    "path",
    [
        "/vol/run/v.json", "/vol/report/v.html", "/vol/none/v.nii.gz", "/vol/{token}/v.nii.gz", "/vol/{scan}/v.nii.gz",
        "/vol/{second}/v.nii.gz", "/slice/run/2", "/slice/given-t1/2?over={token}", "/files/{artifact}", "/state", "/x",
    ],
)  # fmt: skip
def test_a_link_opens_nothing_else(shared: Shared, path: str) -> None:
    names = {"token": shared.scan.token, "scan": shared.scan.id, "artifact": shared.job.artifacts[0].id}
    answer = shared.get(path.format(**names, second=shared.second.artifacts[0].token))
    assert answer.status_code == 404, path


def test_a_report_runs_as_a_page_of_no_site(shared: Shared) -> None:
    answer = shared.get("/report")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts") and "allow-same-origin" not in policy
    assert "connect-src" not in policy and "default-src 'none'" in policy
    assert answer.headers["content-type"].startswith("text/html")


def test_a_run_of_the_lab_is_its_report(shared: Shared) -> None:
    services = shared.services
    job = wait_for(services, services.dispatcher.submit("b", "failure", {}, {}), "b")
    _, key = services.shares.add(job.id, "b", now() + DAY)
    lab = replace(shared, key=key)
    page, report = lab.get(**HTML), lab.get("/report")
    assert page.status_code == report.status_code == 200
    assert 'id="scene"' not in page.text and f"/shared/{key}/report" in page.text
    assert 'class="chart"' in report.text


def test_the_files_of_the_page_stand_below_the_link_alone(shared: Shared) -> None:
    for name in ("share/shared.js", "viewer/viewer.js", "style/colours.css"):
        assert shared.get(f"/ui/{name}").status_code == 200
        assert replace(shared, key="x" * 43).get(f"/ui/{name}").status_code == 404
    assert shared.get("/ui/weights/manifest.json").status_code == 404


def test_a_link_that_is_over_is_explained(shared: Shared) -> None:
    made, key = shared.services.shares.add(shared.job.id, "a", now() + DAY)
    other = replace(shared, key=key)
    assert other.get(**HTML).status_code == 200
    shared.services.shares.end(made.id, "a")
    answer = other.get(**HTML)
    assert answer.status_code == 404 and "This link shows nothing, or no longer." in answer.text
    assert other.get("/vol/result/v.nii.gz").json()["code"] == "link_over"


def test_an_address_may_ask_so_often(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_routes, "PER_MINUTE", 2)
    app = FastAPI()
    add_routes(app, shared.services)
    app.include_router(shared_routes.router(shared.services))
    client = TestClient(app)
    assert [client.get(f"/shared/{'x' * 43}/report").status_code for _ in range(3)] == [404, 404, 429]


def test_links_are_listed_with_their_ends(shared: Shared) -> None:
    made = shared_links.table(shared.services, "a")
    (link,) = shared.services.shares.of("a")
    assert f"{link.ends:%Y-%m-%d %H:%M} UTC" in made and f'data-item="{link.id}"' in made
    assert shared.key not in made and shared_links.table(shared.services, "c") == ""


def test_a_link_ends_with_its_run(shared: Shared) -> None:
    (link,) = shared.services.shares.of("a")
    job = replace(shared.job, finished=link.created)
    assert shown_until(link, job, None) == link.ends
    assert shown_until(link, job, DAY / 4) == link.created + DAY / 4
    assert shown_until(link, replace(job, keep_until=link.created + DAY / 2), DAY / 4) == link.created + DAY / 2
    assert shown_until(link, replace(job, keep_until=link.ends + DAY), DAY / 4) == link.ends


def asking(shared: Shared, sharing: bool = True, chosen: str = "day", job: str = "") -> str:
    """Return what the form answers, the code of an error."""
    services = replace(shared.services, settings=shared.services.settings.model_copy(update={"sharing": sharing}))
    request: Any = SimpleNamespace(scope={KEY: "a", "scheme": "https", "headers": [(b"host", b"scans.example.org")]})
    try:
        return share_form._link(services, request, job or shared.job.id, chosen)
    except UserError as error:
        return error.code


def test_the_form_gives_a_link_to_a_run_of_ones_own_for_a_time_that_is_offered(shared: Shared) -> None:
    made = asking(shared)
    found = re.search(r'value="https://scans.example.org/shared/([A-Za-z0-9_-]{43})"', made)
    assert found and shared.services.shares.opened(found[1]).job == shared.job.id
    shared.services.shares.end(shared.services.shares.opened(found[1]).id, "a")
    assert asking(shared, chosen="year") == "bad_parameter" and asking(shared, job="0" * 32) == "not_found"
    assert asking(shared, sharing=False) == "not_allowed"


def test_the_spans_are_a_day_a_week_and_a_month() -> None:
    assert [days for _, days in share_form.SPANS.values()] == [1, 7, 30] and share_form.USUAL in share_form.SPANS
