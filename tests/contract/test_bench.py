"""What the bench writes is a folder of which a reader study can be made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.bench.volume_files import Volumes
from tests.core.bench.test_case import BRAIN, TRUTH
from tests.core.bench.test_volume_files import CASE, NAME, row
from tests.webapp.conftest import engine, services, settings
from webapp.services import Services
from webapp.study import creation as making
from webapp.study import design

__all__ = ["engine", "services", "settings"]


def test_a_study_can_be_made_of_them(tmp_path: Path, services: Services) -> None:
    noise = np.random.default_rng(0).random(TRUTH.shape, dtype=np.float32)
    head = replace(CASE, truth=np.where(BRAIN, 50 + 50 * TRUTH, 0).astype(np.float32))
    for method in ("net", "net/realistic"):
        image = np.where(BRAIN, head.truth + 5 * noise, 0).astype(np.float32)
        Volumes(tmp_path / "bench").add(head, row(method, psnr=20.0), image)
    asked = design.parse({"title": "T", "ask": {"real": True}, "folder": str(tmp_path / "bench")})
    study, _ = making.create(services, asked, None)
    images = services.studies.images(study).values()
    assert {(one.method, one.case, one.truth, one.measures.get("psnr")) for one in images} == {
        ("truth", NAME, "real", None),
        ("net", NAME, "synthetic", 20.0),
        ("net-realistic", NAME, "synthetic", 20.0),
    }
    made = {one.method: sum((one.region or ())[1::2]) for one in images}
    assert made["truth"] == 0 and made["net"] == made["net-realistic"] == BRAIN.sum()
