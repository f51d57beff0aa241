"""Every command of the documentation does what it shows, or at least is understood."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from core.assets import ASSETS
from core.engine.execute import execute
from core.engine.protocol import JobSpec
from core.events import Finished
from tests.blocks import Block, blocks, inline_commands
from tests.contract.phantom import WRITERS, write_inputs
from tests.source import ROOT
from tests.webapp.study.folders import write_folder
from webapp.console import main

# what takes more than seconds, or goes on until it is stopped: these are only parsed
PARSED = (
    ("backup",), ("batch",), ("bench",), ("bids",), ("pack",), ("restore",), ("run", "augment"), ("run", "failure"),
    ("serve",), ("train",),
)  # fmt: skip
# what is run in a scratch folder that holds synthetic scans under the names of the documentation
RUN = (
    ("failure", "simulate"), ("run", "inpaint"), ("run", "superres"), ("run", "translate"), ("settings",),
    ("study", "create"), ("study", "export"), ("study", "list"), ("synth",), ("tasks",),
)  # fmt: skip
NAMES = {"t1": "T1", "mask": "mask", "image": "THICK", "t1ce": "T1CE", "t2": "T2"}
# files that a reader brings and the examples lack
BROUGHT = ("aseg.nii.gz",)
# the study that the page names in its examples
STUDY = "4f1c"
# blocks without a command; yaml is the study that is made, pycon comes from docstrings that are run, bash and r are
# examples of docs/api.md, run by tests/contract/test_examples_of_api.py and by hand
OTHER = ("bash", "nginx", "pycon", "r", "text", "yaml")
# written from the program by tests.documents, which a test compares
WRITTEN = ("docs/python.md",)
PYTHON = ("README.md", "docs/CONTRIBUTING.md", "docs/api.md", *WRITTEN)

BLOCKS = blocks()
COMMANDS = [(block, words) for block in BLOCKS if block.language == "sh" for words in block.commands]
# the task that docs/CONTRIBUTING.md adds
ADDED = "smooth"
OURS = sorted(
    words
    for words in {words for _, words in COMMANDS} | set(inline_commands("counterscan"))
    if words[0] == "counterscan" and ADDED not in words
)


def treatment(words: Sequence[str]) -> str:
    """Return what is done with a command: "run", "parsed", "make" or "docker"; ``ValueError`` for one of no class."""
    if words[0] != "counterscan":
        if words[0] in ("make", "docker"):
            return words[0]
        raise ValueError(f"what is to be done with {' '.join(words)}?")
    for name, kinds in (("parsed", PARSED), ("run", RUN)):
        if any(tuple(words[1 : 1 + len(kind)]) == kind for kind in kinds):
            return "parsed" if set(BROUGHT) & set(words) else name
    raise ValueError(f"what is to be done with {' '.join(words)}?")


def at(block: Block) -> str:
    return f"{block.page}:{block.line}"


@pytest.mark.parametrize("block", BLOCKS, ids=at)
def test_every_block_has_a_class(block: Block) -> None:
    if block.language == "sh":
        assert block.commands and all(map(treatment, block.commands))
    elif block.language == "python":
        assert block.page in PYTHON
    else:
        assert block.language in OTHER, f"name the language of {at(block)}: {('sh', 'python', *OTHER)}"


@pytest.mark.parametrize("words", [("counterscan", "fly"), ("rm", "-r", "OUT"), ("python", "-m", "core")])
def test_a_command_of_no_class_is_seen(words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):
        treatment(words)


@pytest.mark.parametrize("words", OURS, ids=" ".join)
def test_a_command_names_what_there_is(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    # help is printed after every name of a command and of an option was found
    asked = words[1:] if "--help" in words else (*words[1:], "--help")
    assert main(asked) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.startswith("Usage: counterscan")


def test_an_unknown_option_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "volume_net", "--smoulder", "--help"]) == 2
    assert "[bad_usage]" in capsys.readouterr().err


def test_make_has_every_target_and_variable() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = {
        *re.findall(r"^([A-Z_]+) [?:]?=", makefile, re.MULTILINE),
        *re.findall(r"\$\((ARGS|TORCH_INDEX)\)", makefile),
    }
    used = [words for _, words in COMMANDS if words[0] == "make"] + inline_commands("make")
    assert used
    for words in used:
        given = {word.partition("=")[0] for word in words[1:] if "=" in word}
        named = {word for word in words[1:] if "=" not in word}
        assert (named <= targets, given <= variables) == (True, True), words


def test_docker_is_given_the_port_and_the_folder_of_the_image() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (port,) = re.findall(r"^EXPOSE (\d+)$", image, re.MULTILINE)
    (folder,) = re.findall(r"^VOLUME (\S+)$", image, re.MULTILINE)
    used = [words for _, words in COMMANDS if words[0] == "docker"]
    assert used
    for words in used:
        options = dict(pairwise(words))
        assert (
            options["-p"].endswith(f":{port}") and options["-v"].endswith(f":{folder}") and words[-1] == "counterscan"
        )


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder with the files that the documentation names, small ones, and a study with its images."""
    for task in WRITERS:
        give(tmp_path, task)
    write_folder(tmp_path / "images", 8)
    (study,) = [block for block in BLOCKS if block.language == "yaml"]
    (tmp_path / "study.yaml").write_text(study.text, encoding="utf-8")
    return tmp_path


def give(folder: Path, task: str) -> None:
    """Write inputs of ``task`` under the names of the documentation; those of a task are of one head."""
    (folder / task).mkdir(exist_ok=True)
    for name, path in write_inputs(task, folder / task).items():
        shutil.copyfile(path, folder / f"{NAMES[name]}.nii.gz")


@pytest.mark.long
@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if any(block is each and treatment(words) == "run" for each, words in COMMANDS)],
    ids=at,
)
def test_the_commands_of_a_block_run(
    block: Block, scratch: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(scratch)
    monkeypatch.setenv("COUNTERSCAN_DATA", str(scratch / "data"))
    written, folders = "", set()
    for words in block.commands:
        if treatment(words) != "run":
            continue
        if "translate" in words:
            give(scratch, "translate")
        if "inpaint" in words:
            give(scratch, "inpaint")
        made = re.findall(r"^study (\w{32})$", written, re.MULTILINE)
        code = main([made[0][:6] if word == STUDY else word for word in words[1:]])
        output = capsys.readouterr()
        assert code == 0, (words, output.err)
        written += output.out
        folders |= {words[place + 1] for place, word in enumerate(words) if word == "--out"}
    assert written and all((scratch / folder).exists() for folder in folders)


@pytest.mark.long
def test_the_python_of_the_readme_runs(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # with the example that the page offers
    for name, file in (("T1", "t1"), ("mask", "mask")):
        shutil.copyfile(ASSETS / "examples/cavity-brain" / f"{file}.nii.gz", scratch / f"{name}.nii.gz")
    monkeypatch.chdir(scratch)
    (block,) = [block for block in BLOCKS if (block.page, block.language) == ("README.md", "python")]
    names: dict[str, Any] = {}
    exec(compile(block.text, "example.py", "exec"), names)  # noqa: S102
    assert names["healthy"].data.ndim == 3 and names["healthy"].affine.shape == (4, 4)
    assert (scratch / "FILLED" / "result.nii.gz").is_file()


def test_the_task_that_contributing_adds_works(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [block for block in BLOCKS if (block.page, block.language) == ("docs/CONTRIBUTING.md", "python")]
    declared, done = found
    for name, text in (("task", declared.text), ("run", done.text)):
        module: Any = ModuleType(f"core.imaging.{ADDED}.{name}")
        exec(compile(text, name, "exec"), module.__dict__)  # noqa: S102
        monkeypatch.setitem(sys.modules, module.__name__, module)
    registry: Any = ModuleType("registry")
    registry.TASKS = (sys.modules[f"core.imaging.{ADDED}.task"].TASK,)
    monkeypatch.setitem(sys.modules, "registry", registry)
    (scratch / "out").mkdir()
    spec = JobSpec(ADDED, {"image": str(scratch / "T1.nii.gz")}, {}, str(scratch / "out"), "cpu")
    *_, last = execute(spec, "registry")
    assert isinstance(last, Finished), last
    assert {path.name for path in (scratch / "out").iterdir()} == {"result.nii.gz", "report.html", "run.json"}
