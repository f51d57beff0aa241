"""A zip of scans becomes a batch of jobs; a bad scan in it is one sentence, and a table leads nowhere else."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from core.errors import UserError
from core.tasks import find
from tests.phantom import Phantom
from tests.webapp.fakes import load as load_scan
from webapp.intake.scan_zips import Loaded, Wanted, begin, load, read_in
from webapp.pages.many.many_archive import archive, picture_of, place_of, tables
from webapp.pages.many.many_state import ManyState, batch_state
from webapp.services import Services
from webapp.store.clock import now
from webapp.store.records import JobRecord
from webapp.store.repository import not_found


def packed(folder: Path, files: dict[str, bytes], name: str = "scans.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as out:
        for place, content in files.items():
            out.writestr(place, content)
    return path


@pytest.fixture
def pair(head: Phantom, tmp_path: Path) -> tuple[bytes, bytes]:
    """The bytes of a head and of its lesion."""
    t1, mask = head.write(tmp_path)
    return t1.read_bytes(), mask.read_bytes()


def begun(services: Services, loaded: Loaded, wanted: Wanted, session: str = "a") -> ManyState:
    """Record a batch and read it in."""
    batch_id = begin(services, session, "scans.zip", loaded, wanted)
    read_in(services, session, batch_id, loaded, wanted)
    return state_of(services, batch_id, session)


def state_of(services: Services, batch_id: str, session: str = "a") -> ManyState:
    return batch_state(services, session, services.batches.one(batch_id, session))


def run_all(services: Services) -> None:
    while steps := services.dispatcher.next_job():
        for _ in steps:
            pass


WANTED = Wanted(find("inpaint"), {"seed": 3})


def test_a_zip_that_would_fill_the_disk_is_not_unpacked(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path, {"a_t1.nii": bytes(1000), "a_mask.nii": bytes(24)})
    monkeypatch.setattr(services.blobs, "room", lambda: 1023)
    with pytest.raises(UserError) as caught:
        load(services, [path], WANTED)
    assert caught.value.code == "disk_full"
    assert not list(services.settings.data.rglob("*.nii"))


def test_nothing_unpacked_is_left_of_a_batch_that_is_refused(services: Services, tmp_path: Path) -> None:
    most = services.settings.batch_scans
    files = {f"{number}_{kind}.nii": b"" for number in range(most + 1) for kind in ("t1", "mask")}
    loaded = load(services, [packed(tmp_path, files)], WANTED)
    with pytest.raises(UserError) as caught:
        begin(services, "a", "scans.zip", loaded, WANTED)
    assert caught.value.code == "queue_full" and not loaded.folder.exists()


def test_a_batch_runs_and_comes_out_as_a_zip(services: Services, pair: tuple[bytes, bytes], tmp_path: Path) -> None:
    t1, mask = pair
    files = {
        "a_t1.nii": t1,
        "a_mask.nii": mask,
        "b/t1.nii": t1,
        "b/mask.nii": mask,
        "c_t1.nii": b"no scan",
        "c_mask.nii": mask,
    }
    loaded = load(services, [packed(tmp_path, files)], WANTED)
    assert not (tmp_path / "scans.zip").exists()
    state = begun(services, loaded, WANTED)
    assert [(one.name, one.state) for one in state.scans] == [("a", "queued"), ("b", "queued"), ("c", "failed")]
    assert not loaded.folder.exists() and not state.over
    run_all(services)
    state = state_of(services, state.record.id)
    assert state.over and state.counts == {"done": 2, "failed": 1}
    assert all(one.job.params["seed"] == 3 for one in state.scans if one.job)
    with zipfile.ZipFile(io.BytesIO(b"".join(archive(services, state, lambda job: b"picture")))) as out:
        assert out.testzip() is None
        names = set(out.namelist())
        assert {"summary.csv", "failed.csv", "overview.html", "a/thumbnail.webp", "b/report.html"} <= names
        assert not any(name.startswith("c/") for name in names)
        for scan in state.scans[:2]:
            assert scan.job is not None
            for artifact in scan.job.artifacts:
                assert out.read(place_of(scan, artifact)) == services.blobs.path(artifact.blob).read_bytes()
        assert b"c,not_nifti," in out.read("failed.csv")
    # planes side by side above and below each other, as the overview describes them
    first = state.scans[0].job
    assert first is not None
    with Image.open(io.BytesIO(picture_of(services, "a", first))) as sheet:
        assert sheet.width > sheet.height > 0 and sheet.mode == "RGB"

    def gone(job: JobRecord) -> bytes:
        """Do what the picture of a run that is deleted meanwhile does."""
        raise not_found()

    with zipfile.ZipFile(io.BytesIO(b"".join(archive(services, state, gone)))) as out:
        assert out.testzip() is None and names - set(out.namelist()) == {"a/thumbnail.webp", "b/thumbnail.webp"}
    written = tables(state)
    assert [line.partition(",")[0] for line in written["summary.csv"].splitlines()] == ["name", "a", "b", "c"]
    assert 'src="a/thumbnail.webp"' in written["overview.html"]


def test_a_table_names_files_and_settings(services: Services, pair: tuple[bytes, bytes], tmp_path: Path) -> None:
    t1, mask = pair
    inside = packed(
        tmp_path, {"x/one.nii": t1, "x/m.nii": mask, "manifest.csv": b"t1,mask,seed\nx/one.nii,x/m.nii,5\n"}
    )
    state = begun(services, load(services, [inside], WANTED), WANTED)
    job = state.scans[0].job
    assert job is not None and job.params["seed"] == 5
    table = tmp_path / "list.csv"
    table.write_text("t1;mask;name\nx/one.nii;x/m.nii;first\nx/one.nii;x/m.nii;second\nx/none.nii;x/m.nii;third\n")
    beside = packed(tmp_path, {"x/one.nii": t1, "x/m.nii": mask})
    before = len(services.repo.scans("a"))
    state = begun(services, load(services, [table, beside], WANTED), WANTED)
    assert [(one.name, one.state) for one in state.scans] == [
        ("first", "queued"),
        ("second", "queued"),
        ("third", "failed"),
    ]
    # a file that two rows name is taken in once
    assert len(services.repo.scans("a")) == before + 2
    error = state.scans[2].error
    assert error is not None and error.code == "file_missing" and error.message.endswith(": x/none.nii.")


@pytest.mark.parametrize("path", ["../secret.nii", "/etc/passwd", "x/../../secret.nii", "link.nii"])
def test_a_table_leads_to_no_other_file(
    services: Services, pair: tuple[bytes, bytes], tmp_path: Path, path: str
) -> None:
    secret = tmp_path / "data" / "work" / "secret.nii"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_bytes(pair[0])
    inside = packed(tmp_path, {"m.nii": pair[1], "manifest.csv": f"t1,mask\n{path},m.nii\n".encode()})
    if path == "link.nii":
        with zipfile.ZipFile(inside, "a") as out:
            link = zipfile.ZipInfo("link.nii")
            link.external_attr = 0o120777 << 16
            out.writestr(link, "../secret.nii")
    with pytest.raises(UserError) as refused:
        load(services, [inside], WANTED)
    assert refused.value.code in ("manifest_wrong", "zip_unsafe")
    assert [one.name for one in (tmp_path / "data" / "work").iterdir()] == ["secret.nii"]


@pytest.mark.parametrize("top", ["", "set/"])
def test_a_bids_data_set_is_taken_by_its_names(
    services: Services, pair: tuple[bytes, bytes], tmp_path: Path, top: str
) -> None:
    t1, mask = pair
    description = b'{"Name": "n", "BIDSVersion": "1.10.0"}'
    files = {
        f"{top}derivatives/dataset_description.json": description,
        f"{top}derivatives/lesions/sub-01/anat/sub-01_label-lesion_mask.nii": mask,
        # no table of scans, though the only table there is
        f"{top}participants.tsv": b"\xef\xbb\xbfparticipant_id\tage\nsub-01\t44\n",
        f"{top}sub-01/anat/sub-01_T1w.nii": t1,
        f"{top}sub-02/anat/sub-02_T1w.nii": t1,
        f"{top}dataset_description.json": description,
    }
    loaded = load(services, [packed(tmp_path, files)], WANTED)
    state = begun(services, loaded, WANTED)
    assert [one.state for one in state.scans] == ["queued"] and "sub-01" in state.scans[0].name
    assert any("sub-02" in one for one in loaded.left_out)


@pytest.mark.parametrize("uploads", [["a.csv"], ["a.zip", "b.zip"], ["a.zip", "a.csv", "b.csv"], []])
def test_a_batch_is_one_zip(services: Services, tmp_path: Path, uploads: list[str]) -> None:
    paths = [packed(tmp_path, {}, name) for name in uploads]
    with pytest.raises(UserError) as refused:
        load(services, paths, WANTED)
    assert refused.value.code == "batch_upload"
    assert not any(path.exists() for path in paths)


def test_limits_of_a_visitor_count_each_scan(
    services: Services, pair: tuple[bytes, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.dispatcher._limits._visitors, "_each", 1)
    files = {f"{name}_{kind}.nii": content for name in "ab" for kind, content in zip(("t1", "mask"), pair, strict=True)}
    state = begun(services, load(services, [packed(tmp_path, files)], WANTED), WANTED)
    assert [(one.state, one.error and one.error.code) for one in state.scans] == [
        ("queued", None),
        ("failed", "job_limit"),
    ]


def test_a_cancelled_batch_is_not_read_on(services: Services, pair: tuple[bytes, bytes], tmp_path: Path) -> None:
    loaded = load(services, [packed(tmp_path, {"a_t1.nii": pair[0], "a_mask.nii": pair[1]})], WANTED)
    batch_id = services.batches.add("a", "inpaint", "scans.zip", ["a"], 10)
    services.batches.cancel(batch_id, "a")
    read_in(services, "a", batch_id, loaded, WANTED)
    assert [one.state for one in state_of(services, batch_id).scans] == ["cancelled"]
    assert not services.repo.scans("a") and not loaded.folder.exists()


def test_a_batch_is_deleted_with_its_scans_but_those_that_other_runs_use(
    services: Services, head: Phantom, pair: tuple[bytes, bytes], tmp_path: Path
) -> None:
    files = {f"{name}_{kind}.nii": content for name in "ab" for kind, content in zip(("t1", "mask"), pair, strict=True)}
    state = begun(services, load(services, [packed(tmp_path, files)], WANTED), WANTED)
    with pytest.raises(UserError, match="still_running"):
        services.erasure.delete_batch(state.record.id, "a")
    run_all(services)
    with pytest.raises(UserError, match="not_found"):
        services.erasure.delete_batch(state.record.id, "b")
    first = state.scans[0].job
    assert first is not None
    other = services.dispatcher.submit("a", "inpaint", first.inputs, {})
    alone, _ = load_scan(services, head, tmp_path)
    assert services.erasure.delete_batch(state.record.id, "a") == (2, 2)
    assert {one.id for one in services.repo.scans("a")} == {*first.inputs.values(), alone.id, _.id}
    assert [one.id for one in services.repo.jobs("a")] == [other] and not services.batches.of("a")


def test_retention_and_the_visitor_take_batches_along(
    services: Services, pair: tuple[bytes, bytes], tmp_path: Path
) -> None:
    files = {"a_t1.nii": pair[0], "a_mask.nii": pair[1], "b_t1.nii": b"no", "b_mask.nii": pair[1]}
    begun(services, load(services, [packed(tmp_path, files)], WANTED), WANTED)
    # one without any job
    services.batches.fail(
        services.batches.add("a", "inpaint", "none.zip", ["x"], 10), 0, UserError("bad", "No.", "Else.")
    )
    run_all(services)
    later = now() + timedelta(days=1)
    services.erasure.delete_old(later, later)
    assert not services.batches.of("a") and not services.repo.blobs()
    begun(services, load(services, [packed(tmp_path, files)], WANTED), WANTED)
    run_all(services)
    services.erasure.delete_session("a")
    assert not services.batches.of("a") and not services.repo.blobs()
