from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UserError
from tests.webapp.study.folders import write_folder
from tests.webapp.study.sitting import answered
from webapp.pages.study.downloads import archive_of
from webapp.services import Services
from webapp.study import command as study_command
from webapp.study.rating import Sitting

STUDY = "title: T\nask: {real: true}\nfolder: images\ntraining: [case0]\n"
Command = Callable[..., str]


@pytest.fixture
def command(services: Services, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command on the services of this test and returns what it printed."""
    program = study_command.Program(lambda: services, lambda *found: archive_of(*found[:2], labels=found[2]))

    def run(*arguments: object) -> str:
        assert not study_command.run([str(one) for one in arguments], program)
        return capsys.readouterr().out

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A study file beside its images."""
    write_folder(tmp_path / "images", 3)
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path / "study.yaml"


def test_a_study_from_its_making_to_its_export(command: Command, services: Services, file: Path) -> None:
    said = command("create", file, "--raters", 2, "--url", "https://x.example/")
    study = re.findall(r"study (\w{32})", said)[0]
    keys = re.findall(r"R\d\d https://x\.example/rate/(\S+)", said)
    assert len(keys) == 2
    assert "manage https://x.example/?study=" in said
    studies = services.studies
    Sitting.of(studies, keys[0], "").start("", None)
    sitting = Sitting.of(studies, keys[0], "")
    sitting.save(answered(sitting.state()["next"]))
    invited = command("invite", study[:6], "--label", "Dr A", "--days", 1)
    assert re.fullmatch(r"R03 http://127\.0\.0\.1:7860/rate/\S+\n", invited)
    listed = command("list")
    assert "R01  -  1 of 10" in listed
    assert "R03  Dr A  0 of 10" in listed
    out = file.parent / "out.zip"
    assert command("export", study, "--out", out) == f"{out}\n"
    with zipfile.ZipFile(out) as archive:
        assert b"R01" in archive.read("answers.csv")
    command("export", study, "--out", out, "--labels")
    with zipfile.ZipFile(out) as archive:
        assert b"Dr A" in archive.read("report.html")


def test_the_schema_of_a_study_is_printed(command: Command) -> None:
    assert json.loads(command("schema"))["title"] == "Design"


def test_links_end_and_are_renewed(command: Command, services: Services, file: Path) -> None:
    said = command("create", file, "--raters", 1)
    study, old = re.findall(r"study (\w{32})", said)[0], re.findall(r"/rate/(\S+)", said)[0]
    studies = services.studies
    command("revoke", study, 1)
    with pytest.raises(UserError, match="invitation_over"):
        studies.by_key(old)
    new = re.findall(r"/rate/(\S+)", command("renew", study, 1))[0]
    assert studies.by_key(new)
    command("close", study)
    with pytest.raises(UserError, match="closed"):
        studies.by_key(new)
    command("close", study, "--reopen")
    assert studies.by_key(new)
    key = re.findall(r"study=(\S+)", command("manage", study))[0]
    assert studies.manage(key, "a").id == study


def test_what_does_not_exist_is_named(services: Services, file: Path) -> None:
    program = study_command.Program(lambda: services, lambda *found: archive_of(*found[:2], labels=found[2]))
    for arguments, code in (
        (["create", "none.yaml"], "bad_study"),
        (["export", "0"], "not_found"),
        (["export", ""], "not_found"),
    ):
        with pytest.raises(UserError) as refused:
            study_command.run(arguments, program)
        assert refused.value.code == code
