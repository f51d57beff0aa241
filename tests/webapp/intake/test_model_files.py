"""Models on their way in: kept byte for byte, named by their format, refused where they are no program."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from core import tasks
from core.errors import UserError
from tests.core.failure.models.model_files import write_onnx
from tests.webapp.intake.test_spectra_files import kept
from tests.webapp.intake.test_spectra_files import write as write_patches
from webapp.intake.model_files import accept_model
from webapp.pages.kit.page_state import Held
from webapp.pages.kit.panel_actions import load, remove
from webapp.services import Services


def test_a_model_is_kept_as_it_is(services: Services, tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "my model.onnx", np.eye(3, dtype=np.float32))
    content = path.read_bytes()
    record = accept_model(services, [path], "a")
    assert not path.exists() and (record.role, record.filename) == ("model", "my model.onnx")
    assert record.facts["Holds"] == "A model, ONNX"
    digest = hashlib.sha256(content).hexdigest()
    assert record.facts["files"] == [{"name": "my model.onnx", "bytes": len(content), "sha256": digest}]
    assert services.blobs.path(record.blob).read_bytes() == content


def test_a_pickle_is_not_kept(services: Services, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(pickle.dumps({"weights": [1]}))
    with pytest.raises(UserError) as caught:
        accept_model(services, [tmp_path / "model.pt"], "a")
    assert caught.value.code == "model_pickled" and kept(services) == []


def test_other_data_leave_the_model_on_the_page(services: Services, tmp_path: Path) -> None:
    task = tasks.find("failure")
    model = str(write_onnx(tmp_path / "model.onnx", np.eye(3, dtype=np.float32)))
    held = load(services, "a", task, "model", Held(), model)
    held = load(services, "a", task, "data", held, str(write_patches(tmp_path / "patches.npz")))
    assert set(held.inputs) == {"model", "data"}
    assert set(remove(task, "data", held).inputs) == {"model"}
    job = services.dispatcher.submit("a", "failure", dict(held.inputs), task.parse({}))
    assert services.repo.job(job, "a").inputs == held.inputs
    with pytest.raises(UserError) as caught:
        services.dispatcher.submit("a", "failure", {"model": held.inputs["data"]}, task.parse({}))
    assert caught.value.code == "wrong_input"
