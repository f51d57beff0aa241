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

Browser = Callable[[], TestClient]
NOW = 1_000_000.0
PLACE = f"{'1' * 32}/{'2' * 64}"
FORM = {"content-type": "multipart/form-data; boundary=x"}
PART = b'--x\r\nContent-Disposition: form-data; name="files"; filename="t1.nii"\r\n\r\n'


def folder_of(client: TestClient) -> Path:
    return services_of(client.app).settings.data / "uploads"


@pytest.mark.parametrize(
    ("path", "owned"),
    [
        (f"/up/a/{PLACE}/t1.nii.gz", True),
        (f"/up/a/{PLACE}/a b é.nii", True),
        (f"/up/b/{PLACE}/t1.nii.gz", False),
        (f"/up/a/{PLACE}", False),
        (f"/up/a/{PLACE}/..", False),
        (f"/up/a/{PLACE}/.", False),
        (f"/up/a/{PLACE}/x/t1.nii.gz", False),
        (f"/up/a/../a/{PLACE}/t1.nii.gz", False),
        (f"/up/a//{PLACE}/t1.nii.gz", False),
        (f"/up/a/{PLACE}/t1\0.nii.gz", False),
        (f"/up/a/{PLACE}/{'x' * 1024}", False),
        (f" /up/a/{PLACE}/t1.nii.gz", False),
        (f"file:///up/a/{PLACE}/t1.nii.gz", False),
        ("/up/a", False),
        ("", False),
    ],
)
def test_a_path_tells_its_owner(path: str, owned: bool) -> None:
    assert Uploads(Path("/up")).owns(path, "a") is owned


def aged(path: Path, seconds: float) -> Path:
    """Write a file or, for a name without a dot, make a folder of this age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix:
        path.write_bytes(b"scan")
    else:
        path.mkdir(exist_ok=True)
    for one in (path, *path.parents[:4]):
        os.utime(one, (NOW - seconds, NOW - seconds))
    return path


def test_an_upload_has_one_life(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b" / "uploads"
    uploads = Uploads(root, life=100.0, clock=lambda: NOW)
    unused = aged(root / "v" / "1" / "h" / "t1.nii", 101)
    used = aged(root / "v" / "2" / "h", 101)
    litter = aged(root / "tmp.x", 101)
    gone = aged(root / "w" / "1", 101).parent
    fresh = aged(root / "v" / "3" / "h" / "t1.nii", 99)
    growing = aged(root / "v" / "4" / "h" / "t1.nii", 101)
    os.utime(growing, (NOW - 5, NOW - 5))
    uploads.sweep()
    assert [path.exists() for path in (unused, used, litter)] == [False, False, False]
    assert fresh.exists() and growing.exists()
    os.utime(gone, (NOW - 101, NOW - 101))
    uploads.sweep()
    assert not gone.exists()


def test_a_new_upload_removes_old_ones(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, life=100.0, clock=lambda: NOW)
    old = aged(tmp_path / "w" / "1" / "h" / "t1.nii", 101)
    made = uploads.fresh("v")
    assert made.is_dir() and made.parent == tmp_path / "v" and not old.exists()
    assert uploads.owns(str(made / ("2" * 64) / "t1.nii"), "v")


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
    before = len(list(folder_of(client).rglob("*/*/*")))
    answer = client.post(f"/gradio_api/upload{query}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_upload")
    assert len(list(folder_of(client).rglob("*/*/*"))) == before


def test_a_file_beyond_the_limit_leaves_nothing(browser: Browser) -> None:
    client = visit(browser)
    before = len(list(folder_of(client).rglob("*/*/*")))
    answer = client.post("/gradio_api/upload", files={"files": ("t1.nii", bytes((8 << 20) + 1))})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert len(list(folder_of(client).rglob("*/*/*"))) == before


def test_half_an_upload_leaves_nothing(tmp_path: Path) -> None:
    app = FastAPI()
    app.include_router(router(Uploads(tmp_path), 1 << 20, lambda: None))
    seen: list[list[Path]] = []

    async def parts() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": PART + b"begun", "more_body": True}
        seen.append([path for path in tmp_path.rglob("*") if path.is_file()])
        yield {"type": "http.disconnect"}

    async def run() -> None:
        coming = parts()
        await asked(app, "/gradio_api/upload", "POST", headers=FORM, session="v", receive=coming.__anext__)

    with pytest.raises(UserError) as refused:
        finished(run())
    assert refused.value.code == "bad_upload"
    assert len(seen[0]) == 1
    assert [path for path in tmp_path.rglob("*") if path.parent.parent == tmp_path] == []


def test_a_full_disk_is_said_before_the_upload(tmp_path: Path) -> None:
    def full() -> None:
        raise UserError("disk_full", "The disk is full.", "Wait.")

    app = FastAPI()
    app.include_router(router(Uploads(tmp_path), 1 << 20, full))
    with pytest.raises(UserError) as refused:
        finished(asked(app, "/gradio_api/upload", "POST", headers=FORM, session="v"))
    assert refused.value.code == "disk_full" and list(tmp_path.iterdir()) == []


def test_an_upload_that_is_gone_may_still_be_named(browser: Browser) -> None:
    # the event then explains it; a refusal of the door would be a blank page
    client = visit(browser)
    path = upload(client)
    Path(path).unlink()
    assert join(client, "gone-upload", {"path": path, "meta": {"_type": "gradio.FileData"}}) == 200
