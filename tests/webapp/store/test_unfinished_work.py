"""What stopped jobs leave: found again by the same job alone, and gone with its visitor or after its time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.phantom import Phantom
from tests.webapp.fakes import load
from webapp.services import Services
from webapp.store.unfinished_work import UNFINISHED, UnfinishedWork


def fill(work: UnfinishedWork, session: str, seed: int = 0) -> Path:
    folder = work.of_job(session, "augment", {"data": "a"}, {"seed": seed})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "one.json").write_text("{}")
    return folder / "one.json"


def test_only_the_same_job_of_the_same_visitor_finds_it(tmp_path: Path) -> None:
    work = UnfinishedWork(tmp_path)
    first = work.of_job("a", "augment", {"data": "x"}, {"seed": 0, "bases": ("30",)})
    assert first == work.of_job("a", "augment", {"data": "x"}, {"bases": ["30"], "seed": 0})
    others = [
        work.of_job("b", "augment", {"data": "x"}, {"seed": 0, "bases": ("30",)}),
        work.of_job("a", "failure", {"data": "x"}, {"seed": 0, "bases": ("30",)}),
        work.of_job("a", "augment", {"data": "y"}, {"seed": 0, "bases": ("30",)}),
        work.of_job("a", "augment", {"data": "x"}, {"seed": 1, "bases": ("30",)}),
    ]
    assert len({first, *others}) == 5 and all(tmp_path in each.parents for each in others)


def test_what_is_old_goes_and_leaves_no_folder(tmp_path: Path) -> None:
    work = UnfinishedWork(tmp_path)
    old, new = fill(work, "a"), fill(work, "b")
    os.utime(old, (1000, 1000))
    work.delete_old(time.time() - 60)
    assert not old.parent.exists() and not old.parent.parent.exists() and new.exists()
    work.delete("b")
    assert not new.exists()
    work.delete("b")


@pytest.mark.parametrize("how", ["job", "scan", "session", "all"])
def test_it_goes_with_what_its_visitor_deletes(services: Services, head: Phantom, tmp_path: Path, how: str) -> None:
    work = UnfinishedWork(services.settings.data / UNFINISHED)
    mine, other = fill(work, "a"), fill(work, "b")
    scan, _ = load(services, head, tmp_path)
    if how == "job":
        job = services.dispatcher.queue.add("a", "inpaint", {}, {}, own=5, total=5)
        services.dispatcher.cancel(job, "a")
        services.erasure.delete_job(job, "a")
    if how == "scan":
        services.erasure.delete_scan(scan.id, "a")
    if how == "session":
        services.erasure.delete_session("a")
    if how == "all":
        services.erasure.delete_all()
    assert not mine.exists() and other.exists() == (how != "all")
