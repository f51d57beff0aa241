from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from core.files.nifti import read_stored
from tests.phantom import Phantom
from tests.webapp.door.visits import session_in
from tests.webapp.fakes import load, services_of, wait_for
from webapp.door.file_answers import page_address
from webapp.services import Services
from webapp.store.records import JobRecord, ScanRecord

VIEWER = "viewer/viewer.js"

Browser = Callable[[], TestClient]


@dataclass(frozen=True)
class Visitor:
    """A browser with a scan, a mask and a finished job."""

    client: TestClient
    session: str
    scan: ScanRecord
    mask: ScanRecord
    job: JobRecord


@pytest.fixture(scope="module")
def services(server: ASGIApp) -> Services:
    """The parts of the running server."""
    return services_of(server)


@pytest.fixture
def visitor(browser: Browser, services: Services, head: Phantom, tmp_path: Path) -> Visitor:
    """A visitor whose job is done."""
    client = browser()
    client.get("/")
    session = session_in(services, client)
    scan, mask = load(services, head, tmp_path, session)
    job_id = services.dispatcher.submit(session, "inpaint", {"t1": scan.id, "mask": mask.id}, {})
    return Visitor(client, session, scan, mask, wait_for(services, job_id, session))


def drawn(head: Phantom, affine: object = None, shape: tuple[int, ...] | None = None) -> bytes:
    """A mask as the viewer sends it."""
    data = head.mask.astype(np.uint8) if shape is None else np.ones(shape, np.uint8)
    image = nib.Nifti1Image(data, head.affine if affine is None else affine)
    return gzip.compress(image.to_bytes())


@pytest.mark.parametrize("path", ["/files/{}", "/vol/{}/x.nii.gz", "/slice/{}/0", "/progress/{}"])
def test_who_opens_an_address_that_leads_nowhere_sees_a_page(visitor: Visitor, path: str) -> None:
    person = {"accept": "text/html,application/xhtml+xml", "sec-fetch-mode": "navigate"}
    for headers, kind in ((person, "text/html"), ({**person, "sec-fetch-mode": "cors"}, "application/json")):
        answer = visitor.client.get(path.format("0" * 32), headers=headers)
        assert answer.status_code == 404 and answer.headers["content-type"].startswith(kind), path
        assert ("not_found" in answer.text) and answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("end", ["", "/"])
def test_a_slash_at_the_end_of_an_address_makes_no_difference(visitor: Visitor, end: str) -> None:
    artifact = visitor.job.artifacts[0]
    for path in (f"/vol/{visitor.scan.token}/t1.nii.gz", f"/files/{artifact.id}", f"/progress/{visitor.job.id}"):
        assert visitor.client.get(f"{path}{end}").status_code == 200, path
    for path in (f"/files/{'0' * 32}", f"/vol/{'0' * 43}/x"):
        assert visitor.client.get(f"{path}{end}").json().keys() == {"code", "message", "hint"}, path


def test_the_owner_reads_and_downloads(visitor: Visitor, services: Services) -> None:
    result, record, _ = visitor.job.artifacts
    for token in (visitor.scan.token, visitor.mask.token, result.token):
        answer = visitor.client.get(f"/vol/{token}/anything.nii.gz")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
        assert answer.headers["cache-control"] == "private, max-age=86400, immutable"
        assert answer.headers["vary"] == "cookie"
        assert answer.content[:2] == b"\x1f\x8b" and "content-encoding" not in answer.headers
    answer = visitor.client.get(f"/files/{result.id}")
    name = f"counterscan-inpaint-result-{visitor.job.id[:8]}.nii.gz"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.content == services.blobs.path(result.blob).read_bytes()
    assert visitor.client.get(f"/files/{record.id}").headers["content-disposition"].endswith('.json"')


def test_a_report_is_only_ever_a_download(visitor: Visitor) -> None:
    result, record, report = visitor.job.artifacts
    answer = visitor.client.get(f"/files/{report.id}")
    name = f"counterscan-inpaint-report-{visitor.job.id[:8]}.html"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text.startswith("<!doctype html>")
    for artifact, status in ((report, 404), (record, 404), (result, 200)):
        assert visitor.client.get(f"/vol/{artifact.token}/report.html").status_code == status


def test_nobody_else_can_tell_that_anything_is_there(visitor: Visitor, browser: Browser, head: Phantom) -> None:
    other, nobody = browser(), browser()
    other.get("/")
    result = visitor.job.artifacts[0]
    pairs = [
        (f"/vol/{visitor.scan.token}/v.nii.gz", f"/vol/{'x' * 43}/v.nii.gz"),
        (f"/vol/{result.token}/v.nii.gz", f"/vol/{'x' * 43}/v.nii.gz"),
        (f"/files/{result.id}", f"/files/{'0' * 32}"),
    ]
    for real, invented in pairs:
        for stranger in (other, nobody):
            seen, unseen = stranger.get(real), stranger.get(invented)
            assert seen.status_code in (403, 404)
            assert (seen.status_code, seen.content) == (unseen.status_code, unseen.content)
    sent, missed = (other.post(f"/mask/{x}", content=drawn(head)) for x in (visitor.scan.id, "0" * 32))
    assert (sent.status_code, sent.content) == (404, missed.content)
    assert nobody.post(f"/mask/{visitor.scan.id}", content=drawn(head)).status_code == 403


def test_a_drawn_mask_comes_back_voxel_for_voxel(visitor: Visitor, services: Services, head: Phantom) -> None:
    answer = visitor.client.post(f"/mask/{visitor.scan.id}", content=drawn(head))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"scan_id", "token", "voxels", "volume_ml", "warnings"}
    assert body["voxels"] == int(head.mask.sum())
    record = services.repo.scan(body["scan_id"], visitor.session)
    assert (record.role, record.parent) == ("mask", visitor.scan.id)
    stored = read_stored(services.blobs.path(record.blob))
    assert stored.values.dtype == np.uint8
    np.testing.assert_array_equal(stored.values, head.mask)
    np.testing.assert_allclose(stored.affine, head.affine, atol=1e-4)
    assert not list((services.settings.data / "incoming").iterdir())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (lambda head: drawn(head, shape=(20, 20, 20)), "mask_grid"),
        (
            lambda head: drawn(head, affine=head.affine + np.diag([0.1, 0, 0, 0])),
            "mask_grid",
        ),
        (lambda head: drawn(head)[:50], "gzip_truncated"),
        (lambda head: b"", "file_empty"),
        (lambda head: b"\x89PNG\r\n\x1a\n" + bytes(400), "not_nifti"),
    ],
)
def test_a_drawn_mask_that_is_none(
    visitor: Visitor, services: Services, head: Phantom, body: Callable[[Phantom], bytes], code: str
) -> None:
    before = len(services.repo.scans(visitor.session))
    answer = visitor.client.post(f"/mask/{visitor.scan.id}", content=body(head))
    assert 400 <= answer.status_code < 500
    assert set(answer.json()) == {"code", "message", "hint"}
    assert answer.json()["code"] == code
    assert len(services.repo.scans(visitor.session)) == before
    assert not list((services.settings.data / "incoming").iterdir())


@pytest.mark.parametrize("name", ["viewer/viewer.js", "rate/rating.js", "rate/rate.css", "style/style.css"])
def test_the_page_is_static(browser: Browser, name: str) -> None:
    answer = browser().get(f"/ui/{name}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


def test_a_file_of_the_page_is_kept_by_the_digest_of_all_alone(browser: Browser) -> None:
    """Modules name each other without a digest, so that a browser would mix those of two releases."""
    kept, plain, old = (browser().get(at) for at in (page_address(VIEWER), f"/ui/{VIEWER}", f"/ui/{'0' * 16}/{VIEWER}"))
    assert kept.content == plain.content == old.content
    assert [one.headers["cache-control"] for one in (kept, old)] == ["max-age=31536000, immutable", "no-cache"]
    assert browser().get(page_address("weights/manifest.json")).status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "viewer/package.json",
        "package.json",
        "viewer/..%2f..%2fREADME.md",
        "viewer/..%2frate%2frating.js",
        "..%2f..%2fREADME.md",
        "viewer/.hidden.js",
        "viewer/none.js",
        "viewer.js",
        "weights/manifest.json",
        "viewer/node_modules/@niivue/niivue/dist/index.js",
    ],
)
def test_nothing_but_the_page_is_static(browser: Browser, name: str) -> None:
    assert browser().get(f"/ui/{name}").status_code == 404


def test_slices_are_pictures_for_their_owner_alone(visitor: Visitor, browser: Browser) -> None:
    address = f"/slice/{visitor.scan.token}/2?at=0.4&over={visitor.mask.token}"
    answer = visitor.client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    assert answer.headers["cache-control"] == "private, max-age=86400, immutable"
    assert visitor.client.get(f"/slice/{visitor.scan.token}/3").status_code == 422
    assert visitor.client.get(f"/slice/{visitor.scan.token}/2?over=unknown").status_code == 404
    stranger = browser()
    stranger.get("/")
    assert stranger.get(address).status_code == 404
