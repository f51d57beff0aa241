from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from core.errors import UserError
from tests.phantom import Phantom
from tests.webapp.fakes import load, wait_for
from tests.webapp.study.folders import write_folder
from webapp.services import Services
from webapp.study import creation as making
from webapp.study import design
from webapp.study.design import Design


def designed(folder: Path, **more: Any) -> Design:
    """Return a design over a folder that asks for everything."""
    ask = {"real": True, "prefer": True, "scales": ["realism"], "mark": True}
    return design.parse({"title": "T", "ask": ask, "folder": str(folder), **more})


def test_a_folder_becomes_items_and_images_that_are_alike(services: Services, tmp_path: Path) -> None:
    write_folder(tmp_path / "images")
    lines: list[str] = []
    made, _ = making.create(
        services, designed(tmp_path / "images", training=["case0"], catch=["case3"]), "a", lines.append
    )
    studies = services.studies
    items, images = studies.items(made), studies.images(made)
    assert len(images) == 12
    # three singles and three pairs of each case; practice comes first
    assert [item.use for item in items] == ["training"] * 6 + ["item"] * 12 + ["catch"] * 6
    assert {image.truth for image in images.values() if image.method == "truth"} == {"real"}
    headers = {services.blobs.path(image.blob).read_bytes()[:352] for image in images.values()}
    sizes = {services.blobs.path(image.blob).stat().st_size for image in images.values()}
    assert len(headers) == len(sizes) == 1
    assert len({image.blob for image in images.values()}) == 12
    assert made.notes == ()
    assert len(lines) == 4
    one = next(image for image in images.values() if image.method == "ours" and image.case == "case1")
    assert one.measures == {"psnr": 28.9, "ssim": 0.9}
    shown = np.asarray(nib.load(services.blobs.path(one.blob)).dataobj)
    assert list(shown.shape) == made.design["shape"]
    assert one.region
    assert shown.ravel(order="F")[one.region[0]] > 0


def test_only_named_methods_and_pairs_are_in_it(services: Services, tmp_path: Path) -> None:
    write_folder(tmp_path / "images")
    ask = {"prefer": True}
    made, _ = making.create(services, designed(tmp_path / "images", ask=ask, pairs=[["ours", "mean"]]), None)
    studies = services.studies
    images = studies.images(made)
    pairs = [[images[one].method for one in item.images] for item in studies.items(made)]
    assert pairs == [["ours", "mean"]] * 4
    assert "4 of 12 images are in no item." in made.notes
    few, _ = making.create(services, designed(tmp_path / "images", methods=["truth", "mean"]), None)
    assert {image.method for image in studies.images(few).values()} == {"truth", "mean"}


def test_what_could_unblind_is_noted(services: Services, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "images")
    (folder / "ours" / "case1.nii.gz").unlink()
    for method in ("ours", "mean"):
        (folder / method / "case2.nii.gz").unlink()
    made, _ = making.create(services, designed(folder), None)
    assert any("ours is missing in 2 of 4" in note for note in made.notes)
    assert any("1 of 4 cases are only real or only synthetic" in note for note in made.notes)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"methods": ["truth"]}, "bad_study"),
        ({"training": ["case9"]}, "bad_study"),
        ({"training": ["case0", "case1", "case2", "case3"]}, "bad_study"),
        ({"real": ["nothing"]}, "bad_study"),
        ({"pairs": [["ours", "other"]]}, "bad_study"),
        ({"pairs": [["ours", "mean"], ["ours", "other"]]}, "bad_study"),
        ({"methods": ["truth", "ours", "typo"]}, "bad_study"),
        ({"jobs": ["none"]}, "not_found"),
    ],
)
def test_a_study_that_cannot_be_made_leaves_nothing(
    services: Services, tmp_path: Path, change: dict[str, Any], code: str
) -> None:
    write_folder(tmp_path / "images")
    with pytest.raises(UserError) as refused:
        making.create(services, designed(tmp_path / "images", **change), None)
    assert refused.value.code == code
    assert services.studies.studies(None) == ()
    assert not list(services.blobs.root.rglob("*.nii"))


def test_a_folder_that_is_not_there_is_named(services: Services, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no folder images"):
        making.create(services, designed(tmp_path / "images"), None)


def test_a_damaged_image_leaves_no_blobs(services: Services, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "images")
    (folder / "mean" / "case3.nii.gz").write_bytes(b"no scan")
    with pytest.raises(UserError):
        making.create(services, designed(folder), None)
    assert not list(services.blobs.root.rglob("*.nii"))


def test_measures_must_be_measures(services: Services, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "images")
    (folder / "measures.json").write_text(json.dumps({"ours": [1]}))
    with pytest.raises(UserError, match="bad_study"):
        making.create(services, designed(folder), None)


def test_a_finished_run_of_this_visitor_can_be_rated(
    services: Services, head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan, mask = load(services, head, tmp_path)
    inputs = {"t1": scan.id, "mask": mask.id, "reference": scan.id}
    job = services.dispatcher.submit("a", "inpaint", inputs, {"method": "shell"})
    services.dispatcher.start()
    wait_for(services, job)
    asked = design.parse({"title": "T", "ask": {"real": True, "prefer": True}, "jobs": [job]})
    with pytest.raises(UserError, match="not_found"):
        making.create(services, asked, "b")
    # files that this program wrote may pack as tightly as they do: masks are nearly all zero
    monkeypatch.setattr("core.files.voxel_stream.MAX_RATIO", 0)
    monkeypatch.setattr("core.files.nifti.SCAN_FREE_BYTES", 0)
    for who in ("a", None):
        made, _ = making.create(services, asked, who)
        images = services.studies.images(made)
        found = {(image.method, image.truth): image for image in images.values()}
        assert set(found) == {("shell", "synthetic"), ("reference", "real")}
        assert found["shell", "synthetic"].region
        assert found["reference", "real"].region == ()
