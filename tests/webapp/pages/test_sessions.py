from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from tests.phantom import Phantom
from tests.webapp.fakes import load, wait_for
from webapp.pages import kept_scans, sessions, thumbnails
from webapp.pages.kit.templates import piece
from webapp.services import Services


def test_what_is_deleted_is_named(services: Services, head: Phantom, tmp_path: Path) -> None:
    services.dispatcher.start()
    scan, mask = load(services, head, tmp_path)
    inputs = {"t1": scan.id, "mask": mask.id}
    first, second = (
        wait_for(services, services.dispatcher.submit("a", "inpaint", inputs, {"method": "shell"})) for _ in range(2)
    )
    gone = sessions._delete(services, first.id, "a")
    assert gone == f"the run on t1.nii.gz, Pseudo-healthy inpainting: Shell mean, with {len(first.artifacts)} files"
    assert [row["id"] for row in sessions.rows(services, "a")] == [second.id]
    assert kept_scans._delete(services, scan.id, "a") == "t1.nii.gz with 1 mask and 1 run"
    assert sessions.rows(services, "a") == []
    assert "Deleted: &lt;b&gt;." in piece("sessions", "deleted", what="<b>")


def test_a_run_is_listed_with_its_picture_size_and_file(services: Services, head: Phantom, tmp_path: Path) -> None:
    services.dispatcher.start()
    scan, mask = load(services, head, tmp_path)
    inputs = {"t1": scan.id, "mask": mask.id}
    job = wait_for(services, services.dispatcher.submit("a", "inpaint", inputs, {"method": "shell"}))
    assert sessions.rows(services, "b") == []
    (row,) = sessions.rows(services, "a")
    result = job.artifact("result")
    assert result
    assert row["picture"] == f"/thumbnail/{job.id}.webp"
    assert row["file"] == f"/files/{result.id}"
    assert str(row["size"]).endswith("kB")
    assert row["over"]
    named = {**row, "subject": "<img onerror=1> ${x}"}
    table = piece("sessions", "table", runs=[named], states=(("done", "Done"),), days=0)
    assert "<img onerror" not in table and "${" not in table

    made = thumbnails._drawn("inpaint", (("mask", services.blobs.path(mask.blob)),), services.blobs.path(result.blob))
    pixels = np.asarray(Image.open(BytesIO(made)))
    assert pixels.shape[:2] == (thumbnails.SIDE, thumbnails.SIDE)
    assert len(made) < 10_000
    assert pixels.std() > 30
