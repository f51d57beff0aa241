from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Message

from core.errors import UserError
from tests.webapp.door.asgi import asked, finished
from tests.webapp.door.visits import join, upload, visit
from tests.webapp.fakes import services_of
from webapp.door.uploads import Uploads, router
from webapp.services import Services

Browser = Callable[[], TestClient]
NOW = 1_000_000.0
FORM = {"content-type": "multipart/form-data; boundary=x"}
PART = b'--x\r\nContent-Disposition: form-data; name="files"; filename="t1.nii"\r\n\r\n'


def folder_of(client: TestClient) -> Path:
    return services_of(client.app).settings.data / "uploads"


@pytest.mark.parametrize(
    ("path", "owned"),
    [
        ("{up}/{mine}/{hash}/t1.nii.gz", True),
        ("{up}/{mine}/{hash}/a b é.nii", True),
        ("{up}/{other}/{hash}/t1.nii.gz", False),
        ("{up}/{unknown}/{hash}/t1.nii.gz", False),
        ("{up}/{mine}/{hash}", False),
        ("{up}/{mine}/{hash}/..", False),
        ("{up}/{mine}/{hash}/.", False),
        ("{up}/{mine}/{hash}/x/t1.nii.gz", False),
        ("{up}/../up/{mine}/{hash}/t1.nii.gz", False),
        ("{up}/{other}/../{mine}/{hash}/t1.nii.gz", False),
        ("{up}//{mine}/{hash}/t1.nii.gz", False),
        ("{up}/{mine}/{hash}/t1\0.nii.gz", False),
        ("{up}/{mine}/{hash}/{long}", False),
        (" {up}/{mine}/{hash}/t1.nii.gz", False),
        ("file://{up}/{mine}/{hash}/t1.nii.gz", False),
        ("{up}/{mine}", False),
        ("{up}", False),
        ("", False),
    ],
)
def test_a_path_has_an_owner(tmp_path: Path, services: Services, path: str, owned: bool) -> None:
    up = tmp_path / "up"
    up.mkdir()
    uploads = Uploads(up, services.owners)
    mine, other = uploads.begin("a").name, uploads.begin("b").name
    place = path.format(up=up, mine=mine, other=other, unknown="0" * 32, hash="2" * 64, long="x" * 1024)
    assert uploads.owns(place, "a") is owned
    # what the database knows outlives this server
    assert Uploads(up, services.owners).owns(place, "a") is owned


def aged(path: Path, seconds: float) -> Path:
    """Write a file or, for a name without a dot, make a folder of this age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix:
        path.write_bytes(b"scan")
    else:
        path.mkdir(exist_ok=True)
    for one in (path, *path.parents[:2]):
        os.utime(one, (NOW - seconds, NOW - seconds))
    return path


def test_an_upload_has_one_life(tmp_path: Path, services: Services) -> None:
    root = tmp_path / "a" / "b" / "uploads"
    root.mkdir(parents=True)
    uploads = Uploads(root, services.owners, life=100.0, clock=lambda: NOW)
    unused, used, fresh, growing = (uploads.begin("v") for _ in range(4))
    aged(unused / "h" / "t1.nii", 101)
    aged(used / "h", 101)
    aged(fresh / "h" / "t1.nii", 99)
    os.utime(aged(growing / "h" / "t1.nii", 101), (NOW - 5, NOW - 5))
    litter = aged(root / "tmp.x", 101)
    uploads.sweep()
    assert [path.exists() for path in (unused, used, litter, fresh, growing)] == [False, False, False, True, True]
    assert [services.owners.owner_of_upload(one.name) for one in (unused, used, fresh)] == [None, None, "v"]


def test_an_upload_that_is_given_up_leaves_nothing(tmp_path: Path, services: Services) -> None:
    uploads = Uploads(tmp_path, services.owners)
    half = uploads.begin("v")
    (half / "t1.nii").write_bytes(b"half")
    uploads.give_up(half)
    assert not half.exists() and services.owners.owner_of_upload(half.name) is None


def test_every_upload_has_a_place_of_its_own(browser: Browser) -> None:
    client = visit(browser)
    first, second = upload(client), upload(client)
    assert first != second and Path(first).read_bytes() == Path(second).read_bytes() == b"scan"
    Path(first).unlink()
    assert client.get(f"/gradio_api/file={second}").content == b"scan"


def test_several_files_come_together(browser: Browser) -> None:
    client = visit(browser)
    files = [("files", (f"{number}.dcm", str(number).encode())) for number in range(3)]
    paths = client.post("/gradio_api/upload", files=files).json()
    assert [Path(path).name for path in paths] == ["0.dcm", "1.dcm", "2.dcm"]
    assert [Path(path).read_bytes() for path in paths] == [b"0", b"1", b"2"]
    assert len({Path(path).parents[1] for path in paths}) == 1


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"no form", {"content-type": "text/plain"}),
        (b"no form", {"content-type": "multipart/form-data"}),
        (b"no form", FORM),
        (PART + b"half", FORM),
        (b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\ntext\r\n--x--\r\n', FORM),
        (b"--x\r\n\r\ntext\r\n--x--\r\n", FORM),
        (PART.replace(b"t1.nii", b"..") + b"x\r\n--x--\r\n", FORM),
    ],
)
@pytest.mark.parametrize("progress", [False, True])
def test_what_is_no_upload_leaves_nothing(
    browser: Browser, body: bytes, headers: dict[str, str], progress: bool
) -> None:
    client = visit(browser)
    query = f"?upload_id={secrets.token_hex(6)}" if progress else ""
    before = len(list(folder_of(client).rglob("*/*")))
    answer = client.post(f"/gradio_api/upload{query}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_upload")
    assert len(list(folder_of(client).rglob("*/*"))) == before


def test_a_file_beyond_the_limit_leaves_nothing(browser: Browser) -> None:
    client = visit(browser)
    before = len(list(folder_of(client).rglob("*/*")))
    answer = client.post("/gradio_api/upload", files={"files": ("t1.nii", bytes((8 << 20) + 1))})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert len(list(folder_of(client).rglob("*/*"))) == before


def test_half_an_upload_leaves_nothing(tmp_path: Path, services: Services) -> None:
    app, root = FastAPI(), tmp_path / "uploads"
    root.mkdir()
    app.include_router(router(Uploads(root, services.owners), 1 << 20, lambda: None))
    seen: list[list[Path]] = []

    async def parts() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": PART + b"begun", "more_body": True}
        seen.append([path for path in root.rglob("*") if path.is_file()])
        yield {"type": "http.disconnect"}

    async def run() -> None:
        coming = parts()
        await asked(app, "/gradio_api/upload", "POST", headers=FORM, session="v", receive=coming.__anext__)

    with pytest.raises(UserError) as refused:
        finished(run())
    assert refused.value.code == "bad_upload"
    assert len(seen[0]) == 1
    assert list(root.iterdir()) == []


def test_a_full_disk_is_said_before_the_upload(tmp_path: Path, services: Services) -> None:
    def full() -> None:
        raise UserError("disk_full", "The disk is full.", "Wait.")

    app, root = FastAPI(), tmp_path / "uploads"
    root.mkdir()
    app.include_router(router(Uploads(root, services.owners), 1 << 20, full))
    with pytest.raises(UserError) as refused:
        finished(asked(app, "/gradio_api/upload", "POST", headers=FORM, session="v"))
    assert refused.value.code == "disk_full" and list(root.iterdir()) == []


def test_an_upload_that_is_gone_may_still_be_named(browser: Browser) -> None:
    # the event then explains it; a refusal of the door would be a blank page
    client = visit(browser)
    path = upload(client)
    Path(path).unlink()
    assert join(client, "gone-upload", {"path": path, "meta": {"_type": "gradio.FileData"}}) == 200
