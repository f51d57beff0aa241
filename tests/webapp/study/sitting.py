"""A study over a small folder, and a rater who answers whatever is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.webapp.study.folders import write_folder
from webapp.services import Services
from webapp.store.study_records import StudyRecord
from webapp.study import creation as making
from webapp.study import design
from webapp.study.rating import Sitting

ASK = {"real": True, "prefer": True, "scales": ["realism"], "mark": True}


def study_of(services: Services, folder: Path, session: str | None = None, **more: Any) -> StudyRecord:
    """Make a study of four cases of three methods; ``more``: changes to its design."""
    if not folder.exists():
        write_folder(folder)
    asked = design.parse({"title": "T", "ask": ASK, "folder": str(folder), **more})
    return making.create(services, asked, session)[0]


def sit(services: Services, study: StudyRecord, label: str = "", start: bool = True) -> tuple[str, Sitting]:
    """Invite a rater, who agrees with ``start``; returns the key of the invitation and the sitting."""
    studies = services.studies
    _, key = studies.invite(study, label)
    if start:
        Sitting.of(studies, key, "/rate/x").start("Radiologist", 7)
    return key, Sitting.of(studies, key, "/rate/x")


def answered(showing: dict[str, Any], client_id: str | None = None, **more: Any) -> dict[str, Any]:
    """Return what a browser would send for a showing: the first choice, the middle of every scale."""
    values: dict[str, Any] = {}
    usual = {"scale": 3, "mark": None, "text": ""}
    for question in showing["questions"]:
        kind = question["kind"]
        values[question["name"]] = question["options"][0][0] if kind == "choice" else usual[kind]
    sent = {"client_id": client_id or f"client-{showing['id']}", "showing": showing["id"], "answers": values}
    return {**sent, "seconds": 2.5, "changes": 1, "slices": {"axial": 3}, "client": {"width": 800}, **more}
