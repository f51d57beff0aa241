"""A task added to core has its tab: nothing in webapp names it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from core.tasks import TASKS
from tests.new_task import call, write_program
from tests.source import modules

BUILD = """
import json, sys
from pathlib import Path
from webapp.app import build_services, prepare_gradio
from webapp.settings import Settings

data = Path(sys.argv[1])
prepare_gradio(data)
from webapp.pages import layout

print(json.dumps(layout.build(build_services(Settings(data=data, device="cpu"))).get_config_file(), default=str))
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the page of a program that knows one more task, as Gradio sends it to the browser."""
    folder = tmp_path_factory.mktemp("new-task")
    program = write_program(folder, "core", "webapp")
    found: dict[str, Any] = json.loads(call(program, "-c", BUILD, str(folder / "data")).splitlines()[-1])
    return found


def test_a_task_added_has_its_tab(config: dict[str, Any]) -> None:
    labels = [one["props"].get("label") for one in config["components"] if one["type"] == "tabitem"]
    others = ("Batch", "Rate", "Sessions", "About")
    own = [label for label in labels if not str(label).startswith(others)][: len(TASKS) + 1]
    assert own == [*(task.page.tab or task.title for task in TASKS), "Smooth"]


def test_the_tab_has_what_the_task_declares(config: dict[str, Any]) -> None:
    parts = {one["props"].get("elem_id"): one["props"] for one in config["components"]}
    assert parts["smooth-scan-file"]["label"] == "Scan: drop it here, or click to choose"
    assert {"smooth-run", "smooth-cancel", "smooth-downloads", "smooth-rating"} <= parts.keys()
    # it has neither presets nor methods
    assert parts["smooth-preset"]["visible"] is False
    assert "smooth-comparison" not in parts
    widths = [one["props"] for one in config["components"] if one["props"].get("label") == "Width (mm)"]
    assert [one["value"] for one in widths] == [2.0]


def test_results_of_other_tabs_can_be_sent_to_it_and_run(config: dict[str, Any]) -> None:
    ids = {one["id"]: one["props"].get("elem_id") for one in config["components"]}
    clicked = {
        ids.get(number) for one in config["dependencies"] for number, event in one["targets"] if event == "click"
    }
    assert {"smooth-run", "send-smooth", "superres-send-smooth", "smooth-send-inpaint"} <= clicked


def test_nothing_in_webapp_names_a_task() -> None:
    names = "|".join(task.name for task in TASKS)
    quoted = re.compile(rf"""["']({names})["']""")
    assert [module.path for module in modules("webapp") if quoted.search(module.text)] == []
    folder = Path(__file__).resolve().parents[3] / "assets" / "viewer"
    scripts = sorted(folder.glob("*.js"))
    assert scripts and [path.name for path in scripts if quoted.search(path.read_text(encoding="utf-8"))] == []
