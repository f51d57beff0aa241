"""The disk fills or the database fails while a scan comes in; nothing half-done may stay."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from core.errors import UserError
from tests.phantom import Phantom
from webapp.intake.scans import accept
from webapp.services import Services
from webapp.store.records import NewScan, ScanRecord


def files(services: Services) -> list[Path]:
    return [path for path in services.blobs.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("call", ["fsync", "rename", "replace"])
def test_a_full_disk_at_any_step(
    services: Services, head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    t1, _ = head.write(tmp_path)

    def full(*arguments: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(UserError) as refused:
            accept(services, t1, "t1.nii.gz", "a")
    assert refused.value.code == "disk_full"
    assert files(services) == [] and services.repo.scans("a") == () and not t1.exists()
    t1, _ = head.write(tmp_path)
    assert accept(services, t1, "t1.nii.gz", "a")


def test_a_database_that_fails(
    services: Services, head: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    t1, _ = head.write(tmp_path)

    def locked(new: NewScan) -> ScanRecord:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(services.repo, "add_scan", locked)
    with pytest.raises(OperationalError):
        accept(services, t1, "t1.nii.gz", "a")
    assert files(services) == [] and not t1.exists()
