"""Words that name a person, planted in every place of a file of each format: none is in anything a demo keeps or shows.

Each format makes one visit: upload, load, a run, a link, and a damaged copy that is refused.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from core import tasks
from core.declaration import Task
from tests.core.failure.made_up_patches import BANDS, patches
from tests.dicom_files import PERSONAL, Series
from tests.phantom import make_phantom
from tests.webapp.door.visits import session_in, upload, visit
from tests.webapp.fakes import ORIGIN, FakeEngine, services_of, stub_page, wait_for
from tests.webapp.pages.shared.test_shared_run import script
from webapp.app import create_app
from webapp.endpoints import add_routes
from webapp.pages import kept_scans, sessions, shared_links
from webapp.pages.imaging import result_scene
from webapp.pages.kit import page_state, panel_actions
from webapp.pages.kit.page_state import Held
from webapp.pages.kit.templates import piece
from webapp.pages.kit.trouble import attempt
from webapp.pages.kit.upload_slot import card
from webapp.pages.shared import shared_routes
from webapp.services import Services
from webapp.settings import Settings
from webapp.store.clock import now
from webapp.telemetry.log import formatter

CANARY = "canary"
HEAD = make_phantom()
VALUES = HEAD.scan.astype(np.int16)
# the places of a file, so that the count of what is checked is known: (format, places)
Made = dict[str, bytes]
Maker = Callable[["Plants"], Made]


class Plants:
    """Hands out a word for each place; all of them contain CANARY."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def word(self, length: int = 16) -> str:
        """Return a word of at most ``length`` letters that no other place has."""
        self.words.append(f"{CANARY}{len(self.words):03d}{'x' * max(0, length - 9)}"[:length])
        return self.words[-1]


def nifti(plants: Plants) -> Made:
    image = nib.Nifti1Image(VALUES, HEAD.affine)
    for name, length in (("descrip", 79), ("aux_file", 23), ("intent_name", 15), ("db_name", 17), ("data_type", 9)):
        image.header[name] = plants.word(length).encode()
    for code in ("comment", "afni", "dicom"):
        image.header.extensions.append(nib.nifti1.Nifti1Extension(code, plants.word(32).encode()))
    packed = io.BytesIO()
    with gzip.GzipFile(plants.word(), "wb", fileobj=packed) as file:
        file.write(image.to_bytes() + plants.word().encode())
    return {f"{plants.word()}.nii.gz": packed.getvalue()}


def mgz(plants: Plants) -> Made:
    image = nib.MGHImage(VALUES.astype(np.float32), HEAD.affine)
    tail = b"".join(plants.word(40).encode() + b"\0" for _ in range(3))
    return {f"{plants.word()}.mgz": gzip.compress(image.to_bytes() + tail)}


def nrrd(plants: Plants) -> Made:
    lines = [
        "NRRD0004", f"# {plants.word()}", "type: int16", "dimension: 3", "space: right-anterior-superior",
        f"sizes: {' '.join(map(str, VALUES.shape))}", "space directions: (6,0,0) (0,6,0) (0,0,6)",
        "space origin: (0,0,0)", "endian: little", "encoding: raw", f"content: {plants.word()}",
        f"{plants.word()}:={plants.word()}", f"sample units: {plants.word()}", "", "",
    ]  # fmt: skip
    return {f"{plants.word()}.nrrd": "\n".join(lines).encode() + VALUES.tobytes(order="F")}


def mha(plants: Plants) -> Made:
    lines = [
        "ObjectType = Image", "NDims = 3", f"Comment = {plants.word()}", f"Name = {plants.word()}",
        "BinaryData = True", "BinaryDataByteOrderMSB = False", "TransformMatrix = 1 0 0 0 1 0 0 0 1",
        "Offset = 0 0 0", "ElementSpacing = 6 6 6", f"DimSize = {' '.join(map(str, VALUES.shape))}",
        f"{plants.word()} = {plants.word()}", "ElementType = MET_SHORT", "ElementDataFile = LOCAL", "",
    ]  # fmt: skip
    return {f"{plants.word()}.mha": "\n".join(lines).encode() + VALUES.tobytes(order="F")}


def dicom(plants: Plants) -> Made:
    texts = {tag: (kind, plants.word(16)) for tag, (kind, _) in PERSONAL.items() if kind != "DA"}
    texts |= {(0x0018, 0x1000): ("LO", plants.word()), (0x0008, 0x2111): ("ST", plants.word())}
    series = Series(VALUES[:, :, ::2], HEAD.affine @ np.diag([1, 1, 2, 1.0]), description=plants.word(), extra=texts)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = plants.word().encode()
        folder = plants.word()
        # of a series that is left out
        scout = series.like(values=VALUES[:, :, :1], uid="1.2.3.5", description=plants.word())
        for number, content in enumerate([*series.files(), *scout.files()]):
            archive.writestr(f"{folder}/{number:03d}-{plants.words[0]}.dcm", content)
    return {f"{plants.word()}.zip": buffer.getvalue()}


def spectra(plants: Plants) -> Made:
    given, buffer = patches(30, level=0.2), io.BytesIO()
    texts = {plants.word(): np.array(plants.word()), "notes": np.array([plants.word(), plants.word()])}
    np.savez(buffer, ir=given.ir, y=given.labels, wn=BANDS, group=given.groups, **texts)  # type: ignore[arg-type]
    return {f"{plants.word()}.npz": buffer.getvalue()}


@dataclass(frozen=True)
class Site:
    """A public demo with the addresses of links."""

    services: Services
    client: TestClient
    session: str

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.services.settings.data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all formats."""
    options = Settings(
        data=tmp_path_factory.mktemp("canaries") / "data", warm=False, disk_reserve_mb=1, public_demo=True
    )
    server = create_app(options, page=stub_page, engine=lambda: FakeEngine(script))
    with TestClient(server, base_url=ORIGIN):
        client = visit(lambda: TestClient(server, base_url=ORIGIN, headers={"origin": ORIGIN}))
        yield Site(services_of(server), client, session_in(services_of(server), client))


def entry_of(name: str) -> tuple[Task, str]:
    task = tasks.find("failure" if name == "spectra" else "superres")
    return task, task.inputs[0].name


def taken(site: Site, name: str, content: Made) -> tuple[Held | None, str]:
    """Upload files and load them as the page does; return what the page then works on, and the box of an error."""
    task, entry = entry_of(name)
    paths = [upload(site.client, data, filename) for filename, data in content.items()]
    return attempt(lambda: panel_actions.load(site.services, site.session, task, entry, Held(), paths))


def shown(site: Site, held: Held, task: Task) -> str:
    """Return what the page shows of a run: card, scene, lists of scans, runs and links, and the link itself."""
    services, session = site.services, site.session
    view = page_state.view(services, session, task, held)
    runs = sessions.rows(services, session)
    texts = [card(one) for one in view.scans.values()]
    texts += [piece("sessions", "table", runs=runs, states=(), days=7), kept_scans.table(services.repo.scans(session))]
    texts.append(json.dumps(result_scene.scene(view).value()) if task.page.kind == "imaging" else "")
    _, key = services.shares.add(held.job, session, now() + timedelta(days=1))
    texts.append(shared_links.table(services, session))
    app = FastAPI()
    add_routes(app, services)
    app.include_router(shared_routes.router(services))
    stranger = TestClient(app)
    texts += [stranger.get(f"/shared/{key}{path}").text for path in ("", "/report")]
    return "\n".join(texts)


def exported(site: Site, held: Held) -> bytes:
    """Return all files of a run as downloads, unpacked, with their headers."""
    found = b""
    for one in site.services.repo.job(held.job, site.session).artifacts:
        answer = site.client.get(f"/files/{one.id}")
        found += str(answer.headers).encode() + unpacked(answer.content)
    return found


def unpacked(content: bytes) -> bytes:
    return content + (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else b"")


def below(folder: Path) -> bytes:
    """Return the names and the unpacked bytes of all files below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return b"".join(path.name.encode() + unpacked(path.read_bytes()) for path in files)


@pytest.mark.parametrize("make", [nifti, mgz, nrrd, mha, dicom, spectra], ids=lambda make: make.__name__)
def test_nothing_of_what_a_file_says_of_a_person_stays(
    site: Site, make: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.handler.setFormatter(formatter(json=True))
    name, plants = make.__name__, Plants()
    content = make(plants)
    planted = b"".join(key.encode() + unpacked(value) for key, value in content.items())
    assert len(plants.words) >= 4 and plants.words[-1].encode() in planted
    held, trouble = taken(site, name, content)
    assert held is not None, trouble
    task, _ = entry_of(name)
    job_id = site.services.dispatcher.submit(site.session, task.name, dict(held.inputs), {})
    done = held.with_job(wait_for(site.services, job_id, site.session).id)
    half = {key: value[: len(value) // 3] for key, value in content.items()}
    refused, box = taken(site, name, half)
    assert refused is None and "cs-problem" in box
    places = {
        "pages": shown(site, done, task).encode(),
        "exports": exported(site, done),
        "errors": box.encode(),
        "log": caplog.text.encode(),
        "blobs": below(site.data / "blobs"),
        "database": b"".join(path.read_bytes() for path in site.data.glob("counterscan.db*")),
        "temp": b"".join(below(site.data / one) for one in ("uploads", "incoming", "work")),
    }
    assert all(places[one] for one in ("pages", "exports", "errors", "log", "blobs", "database"))
    found = [(place, word) for place, text in places.items() for word in plants.words if word[:9].encode() in text]
    assert found == []
