from __future__ import annotations

import io
import json
import os
import re
import resource
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest

from core import __version__
from core.commands.command_line import command_line, main
from core.commands.tissue import write
from core.errors import UserError
from core.failure.task import TASK
from core.spectra.simulated_tissue import simulate
from tests.contract.phantom import write_phantom
from tests.dicom_files import as_series
from tests.waiting import LONGEST

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "numpy", "scipy", "nibabel", "safetensors", "gradio", "sqlalchemy", "rich")


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def call(*arguments: str, **environment: str) -> Done:
    """Run a command in this process, which has imported all there is."""
    out, error = io.StringIO(), io.StringIO()
    with patch.dict(os.environ, environment), redirect_stdout(out), redirect_stderr(error):
        code = main(command_line(), arguments)
    return Done(code, out.getvalue(), error.getvalue())


def start(*arguments: str) -> Done:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "core", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def refused(done: Done, code: str) -> None:
    assert done.returncode == 2, done
    assert re.fullmatch(rf"Error: .* \[{code}\]", done.stderr.strip().splitlines()[-1]), done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert done.stdout == ""


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_phantom(tmp_path_factory.mktemp("scan"))


def inpaint(phantom: dict[str, Path], out: Path, *more: str) -> list[str]:
    return ["run", "inpaint", "--t1", str(phantom["t1"]), "--mask", str(phantom["mask"]), "--out", str(out), *more]


def run(phantom: dict[str, Path], out: Path, *more: str) -> Done:
    return call(*inpaint(phantom, out, *more))


@pytest.mark.parametrize("arguments", [["tasks"], ["tasks", "--json"], ["--help"], ["run", "inpaint", "--help"]])
def test_questions_load_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from webapp.console import main\n"
        f"assert main({arguments!r}) == 0\n"
        f"sys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["--version"], ["bids", "--version"], ["bids", "-v"]])
def test_the_version_is_printed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command_line(), arguments) == 0
    assert capsys.readouterr().out == f"counterscan {__version__}\n"


def test_the_catalogue_is_quick() -> None:
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert start("tasks", "--json").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    # time of the processor, not of a clock that other programs share
    assert min(seconds) < 0.5


INPAINTING = ["inpaint-volume", "inpaint-plane", "inpaint-fusion"]


def test_the_catalogue_says_what_a_program_needs() -> None:
    listed = {task["name"]: task for task in json.loads(call("tasks", "--json").stdout)["tasks"]}
    assert {"inpaint", "superres", "translate"} <= listed.keys()
    task = listed["inpaint"]
    assert [entry["name"] for entry in task["inputs"]] == ["t1", "mask", "reference"]
    assert [entry["name"] for entry in task["inputs"] if entry["required"]] == ["t1", "mask"]
    assert {"method", "mode", "steps", "samples", "seed"} <= {param["name"] for param in task["params"]}
    assert {"volume", "biharmonic"} <= {method["name"] for method in task["methods"]}
    assert all({"name", "title", "source", "cost"} <= method.keys() for method in task["methods"])
    assert [preset["name"] for preset in task["presets"]] == ["realistic", "balanced", "fast", "best"]
    assert [entry["name"] for entry in task["weights"]] == INPAINTING


def test_missing_weights_are_listed_as_such_and_refused(tmp_path: Path, phantom: dict[str, Path]) -> None:
    listed = json.loads(call("tasks", "--json", COUNTERSCAN_WEIGHTS=str(tmp_path)).stdout)["tasks"]
    assert not any(entry["installed"] for task in listed for entry in task["weights"])
    (task,) = (task for task in listed if task["name"] == "inpaint")
    assert task["weights"] == [{"name": name, "installed": False} for name in INPAINTING]
    paths = ["--t1", str(phantom["t1"]), "--mask", str(phantom["mask"]), "--out", str(tmp_path / "out")]
    refused(call("run", "inpaint", *paths, COUNTERSCAN_WEIGHTS=str(tmp_path)), "weights_missing")


def test_a_run_writes_its_files_and_says_so(phantom: dict[str, Path], tmp_path: Path) -> None:
    done = start(*inpaint(phantom, tmp_path / "out", "--method", "harmonic", "--grow", "1.5"))
    assert done.returncode == 0, done.stderr
    listed = dict(line.split("\t") for line in done.stdout.splitlines())
    assert set(listed) == {
        "result", "uncertainty", "difference", "run", "report",
        "baseline-biharmonic", "baseline-shell", "baseline-mirror",
    }  # fmt: skip
    assert {Path(path) for path in listed.values()} == set((tmp_path / "out").iterdir())
    assert "\nInfo: Taken as " in done.stderr
    shares = [int(found) for found in re.findall(r"^ *(\d+)%", done.stderr, re.MULTILINE)]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["params"]["grow"] == 1.5
    assert record["inputs"].keys() == {"t1", "mask"}
    assert str(phantom["t1"].parent) not in json.dumps(record)


def test_files_of_an_earlier_run_are_replaced_and_others_kept(phantom: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "result.nii.gz").write_text("old")
    assert run(phantom, tmp_path, "--method", "shell", "--no-compare", "--quiet").returncode == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "result.nii.gz").stat().st_size > 100
    assert {path.name for path in tmp_path.iterdir()} == {
        "notes.txt", "result.nii.gz", "uncertainty.nii.gz", "difference.nii.gz", "run.json", "report.html",
    }  # fmt: skip


def test_quiet_says_nothing_on_stderr(phantom: dict[str, Path], tmp_path: Path) -> None:
    done = start(*inpaint(phantom, tmp_path, "--method", "shell", "--no-compare", "--quiet"))
    assert (done.returncode, done.stderr) == (0, "")


def test_notes_are_written_to_stderr_and_warnings_though_it_is_quiet(phantom: dict[str, Path], tmp_path: Path) -> None:
    series = as_series(phantom["t1"], tmp_path / "series")
    options = ["--t1", str(series), "--method", "shell", "--no-compare"]
    loud = run(phantom, tmp_path / "out", *options).stderr.splitlines()
    (warning,) = [line for line in loud if line.startswith("Warning: t1: The slices are")]
    assert any(line.startswith("Info: ") for line in loud)
    assert run(phantom, tmp_path / "out", *options, "--quiet").stderr == f"{warning}\n"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["--method", "magic"], "bad_parameter"),
        (["--steps", "9"], "bad_parameter"),
        (["--seed", "nan"], "bad_parameter"),
        (["--preset", "fastest"], "bad_parameter"),
        (["--device", "tpu"], "device_unavailable"),
        (["--t1", "nowhere.nii"], "file_missing"),
    ],
)
def test_what_cannot_be_done_is_one_line(phantom: dict[str, Path], tmp_path: Path, more: list[str], code: str) -> None:
    refused(run(phantom, tmp_path / "out", *more), code)
    assert not list((tmp_path / "out").iterdir()) if (tmp_path / "out").exists() else True


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(400), b"\x1f\x8b\x08\x00 broken"])
def test_a_hostile_file_is_one_line_and_leaves_nothing(
    phantom: dict[str, Path], tmp_path: Path, content: bytes
) -> None:
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(content)
    for option in ("--t1", "--mask"):
        done = run(phantom, tmp_path / "out", "--method", "shell", option, str(bad))
        refused(done, r"[a-z_]+")
        assert not list((tmp_path / "out").iterdir())


def test_an_output_folder_that_is_a_file_is_refused(phantom: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    refused(run(phantom, tmp_path / "out", "--method", "shell"), "write_failed")


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "inpaint", "--no-such-option"),
        ("run", "inpaint", "--out", "OUT"),
        ("run", "nothing"),
        ("nothing",),
        ("tasks", "nothing"),
        ("train", "--no-such-option"),
        ("bench", "methods", "--task", "nothing"),
        ("failure", "simulate", "--out", "a.npz", "--count", "many"),
    ],
)
def test_a_wrong_command_is_one_line_that_names_its_help(arguments: tuple[str, ...]) -> None:
    done = call(*arguments)
    refused(done, "bad_usage")
    assert len(done.stderr.splitlines()) == 1
    assert re.search(r"See counterscan[ a-z]* --help\. \[", done.stderr)


def test_a_refusal_is_the_exit_code_of_the_process(phantom: dict[str, Path], tmp_path: Path) -> None:
    refused(start("run", "nothing"), "bad_usage")
    refused(start(*inpaint(phantom, tmp_path / "out", "--t1", "nowhere.nii")), "file_missing")


@pytest.mark.parametrize("arguments", [(), ("run",), ("bench",)])
def test_no_command_lists_those_there_are(arguments: tuple[str, ...]) -> None:
    done = call(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Usage: {' '.join(('counterscan', *arguments))} [OPTIONS] COMMAND")


def test_a_preset_gives_way_to_an_option(phantom: dict[str, Path], tmp_path: Path) -> None:
    done = run(phantom, tmp_path, "--preset", "best", "--method", "shell", "--no-compare")
    assert done.returncode == 0, done.stderr
    params = json.loads((tmp_path / "run.json").read_text())["params"]
    assert (params["method"], params["steps"], params["samples"]) == ("shell", 2, 8)


@pytest.mark.parametrize(
    ("arguments", "word"), [(["train"], "--budget"), (["pack"], "--out"), (["bench", "inpaint"], "--data")]
)
def test_the_other_commands_are_imported_when_asked_for(arguments: list[str], word: str) -> None:
    done = start(*arguments, "--help")
    assert done.returncode == 0, done.stderr
    assert word in done.stdout
    assert call(*arguments, "--no-such-option").returncode == 2


def test_a_user_error_of_another_command_is_one_line(tmp_path: Path) -> None:
    refused(call("bench", "inpaint", "--data", str(tmp_path)), r"[a-z_]+")


def test_presets_are_joined_and_the_later_one_wins() -> None:
    assert TASK.preset_params(None) == {}
    joined = TASK.preset_params("band, standard")
    assert joined["tissue"] == "band" and joined["depth"] == "whole"
    assert TASK.preset_params("standard,quick")["depth"] == "quick"
    for wrong in ("", "band,nothing", "band,,quick"):
        with pytest.raises(UserError) as caught:
            TASK.preset_params(wrong)
        assert caught.value.code == "bad_parameter"


def test_the_failure_lab_prints_its_verdicts(tmp_path: Path) -> None:
    data, out = tmp_path / "patches.npz", tmp_path / "out"
    write(data, simulate("none", 90, 0))
    done = call(
        "run", "failure", "--data", str(data), "--out", str(out), "--preset", "none", "--patches", "80",
        "--epochs", "1", "--modalities", "ir", "--remedies", "erm", "--quiet",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, *others, last = done.stdout.strip().splitlines()
    assert first.startswith("Data: NONE FOUND. ")
    assert any(re.match(r"IR: (RED|AMBER|NONE FOUND|NOTHING LEARNT)\. ", line) for line in others)
    assert last.startswith("run\t")
    assert {path.name for path in out.iterdir()} == {"results.json", "table.csv", "report.html", "run.json"}


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_streams_may_be_closed(closed: tuple[int, ...]) -> None:
    def close() -> None:
        for stream in closed:
            os.close(stream)

    done = subprocess.run(
        [sys.executable, "-m", "core", "run", "superres", "--out", "nowhere"],
        cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=close,
    )  # fmt: skip
    # of the program itself, not of the stream that is not there
    assert done.returncode == 2
    assert not done.stdout and "Traceback" not in done.stderr


LEAVING = """
import atexit, sys, threading, time
from core.commands.command_line import leave
atexit.register(print, "registered")
{before}
print("printed")
leave(3)
"""


@pytest.mark.parametrize(
    ("before", "printed"),
    [
        ("", "printed\nregistered\n"),
        (
            "threading.Thread(target=lambda: (time.sleep(0.1), print('of a thread'))).start()",
            "printed\nof a thread\nregistered\n",
        ),
    ],
)
def test_a_program_leaves_with_its_code_and_all_that_it_printed(before: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVING.format(before=before)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, printed, "")
