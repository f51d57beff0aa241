"""Scans that stay after a reload: in the page's address, and in the list of uploads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.errors import UserError
from core.imaging.inpaint.task import TASK
from tests.phantom import Phantom
from tests.webapp.fakes import load
from webapp.pages import kept_scans
from webapp.pages.kit.page_state import Held, View, address, of_address, view
from webapp.services import Services
from webapp.store.records import ScanRecord


@pytest.fixture
def loaded(services: Services, head: Phantom, tmp_path: Path) -> tuple[ScanRecord, ScanRecord]:
    """A scan with its mask."""
    return load(services, head, tmp_path)


def test_the_address_of_a_tab_opens_its_scans_again(services: Services, loaded: tuple[ScanRecord, ScanRecord]) -> None:
    scan, mask = loaded
    held = Held({"t1": scan.id, "mask": mask.id})
    written = address(view(services, "a", TASK, held))
    assert written == f"task=inpaint&t1={scan.id}&mask={mask.id}"
    assert of_address(services, "a", f"?{written}") == (TASK, held)
    job = services.dispatcher.submit("a", "inpaint", dict(held.inputs), {})
    assert address(view(services, "a", TASK, held.with_job(job))) == f"job={job}"
    assert of_address(services, "a", f"job={job}") == (TASK, held.with_job(job))
    assert address(View(TASK)) == ""
    for nothing in ("", "?", "task=inpaint", "task=unknown&t1=1", "view=1"):
        assert of_address(services, "a", nothing) is None


def test_an_address_opens_nobody_else_s_scans_and_none_of_another_kind(
    services: Services, loaded: tuple[ScanRecord, ScanRecord], head: Phantom, tmp_path: Path
) -> None:
    scan, mask = loaded
    (tmp_path / "other").mkdir()
    other, _ = load(services, head, tmp_path / "other")
    for session, query in (
        ("b", f"task=inpaint&t1={scan.id}"),
        ("a", "task=inpaint&t1=unknown"),
        ("a", f"task=inpaint&t1={mask.id}"),
        ("a", f"task=inpaint&t1={other.id}&mask={mask.id}"),
        ("a", f"task=inpaint&t1={scan.id}&mask={scan.id}"),
    ):
        with pytest.raises(UserError) as refused:
            of_address(services, session, query)
        assert refused.value.code == "not_found"


def test_uploads_are_listed_with_their_masks_and_links_into_the_tabs(
    services: Services, loaded: tuple[ScanRecord, ScanRecord]
) -> None:
    scan, mask = loaded
    html = str(kept_scans.table(services.repo.scans("a")))
    assert html.count('class="cs-file"') == 1
    assert "with a mask" in html
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="\?([^"]+)"', html)]
    assert links == [
        f"task=inpaint&t1={scan.id}&mask={mask.id}", f"task=superres&image={scan.id}", f"task=translate&t1={scan.id}"
    ]  # fmt: skip
    assert all(of_address(services, "a", link) for link in links)
    assert "No scan yet." in str(kept_scans.table(services.repo.scans("b")))
