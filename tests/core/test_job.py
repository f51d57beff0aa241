from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import core
from core import job
from core.errors import UserError
from core.events import Event, Failed, Finished, Started
from tests.contract.phantom import write_phantom


def test_the_public_names_are_there_and_load_lazily() -> None:
    code = "import core, sys; print([n for n in ('torch', 'scipy', 'numpy', 'core.tasks') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert core.run is job.run
    assert [task.name for task in core.TASKS] == ["inpaint"]
    assert callable(core.read_volume)
    assert callable(core.write_volume)
    with pytest.raises(AttributeError):
        core.nothing  # noqa: B018


def test_a_run_returns_its_files_and_tells_its_events(tmp_path: Path) -> None:
    heard: list[Event] = []
    done = core.run(
        "inpaint",
        write_phantom(tmp_path),
        tmp_path / "deep" / "out",
        method="shell",
        compare=False,
        device="cpu",
        on_event=heard.append,
    )
    assert Path(done.files["result"]) == tmp_path / "deep" / "out" / "result.nii.gz"
    assert isinstance(heard[0], Started)
    assert isinstance(heard[-1], Finished)


def test_a_failure_is_raised_and_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.nii.gz").write_text("old")
    with pytest.raises(UserError) as caught:
        core.run("inpaint", write_phantom(tmp_path), tmp_path / "out", method="magic")
    assert caught.value.code == "bad_parameter"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["result.nii.gz"]


def test_a_listener_that_raises_stops_the_job_and_leaves_nothing(tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        core.run("inpaint", write_phantom(tmp_path), tmp_path / "out", method="shell", on_event=stop)
    assert not list((tmp_path / "out").iterdir())


def test_an_internal_failure_is_raised_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "execute", lambda spec: iter([Failed("internal", "m", "h")]))
    with pytest.raises(UserError) as caught:
        core.run("inpaint", {}, tmp_path)
    assert (caught.value.code, caught.value.message, caught.value.hint) == ("internal", "m", "h")


def test_a_result_that_cannot_take_its_place_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "out" / "result.nii.gz").mkdir(parents=True)
    with pytest.raises(UserError) as caught:
        core.run("inpaint", write_phantom(tmp_path), tmp_path / "out", method="shell", compare=False)
    assert caught.value.code == "write_failed"
