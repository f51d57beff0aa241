"""Fields follow from the declaration of a task."""

from __future__ import annotations

import json

import gradio as gr
import pytest

from core.declaration import Param, Preset, Task
from core.imaging.inpaint.task import TASK
from core.tasks import TASKS
from webapp.pages.kit.expected_time import offered
from webapp.pages.kit.forms import field, preset_of, preset_script, preset_values, run_values, values


@pytest.mark.parametrize(
    ("param", "kind"),
    [
        (Param("a", "bool", True, "A", ""), gr.Checkbox),
        (Param("a", "choice", "x", "A", "", choices=("x", "y")), gr.Radio),
        (Param("a", "choice", "x", "A", "", choices=("x", "y", "z", "w")), gr.Dropdown),
        (Param("a", "int", 2, "A", "", low=1, high=8), gr.Slider),
        (Param("a", "int", 0, "A", "", low=0, high=2**31 - 1), gr.Number),
        (Param("a", "float", 0.5, "A", ""), gr.Number),
        (Param("a", "text", "b", "A", ""), gr.Textbox),
    ],
)
def test_each_kind_has_its_field(param: Param, kind: type) -> None:
    made = field(param)
    assert type(made) is kind
    assert made.value == param.default


def test_a_unit_is_part_of_the_label() -> None:
    assert field(Param("a", "float", 0, "Grow", "", low=0, high=5, unit="mm")).label == "Grow (mm)"


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_fields_parse_to_the_defaults_of_the_task(task: Task) -> None:
    shown = [field(param).value for param in task.params]
    assert task.parse(values(task.params, shown)) == task.parse({})


@pytest.mark.parametrize("preset", TASK.presets, ids=lambda preset: preset.name)
def test_a_preset_leaves_alone_what_it_does_not_name(preset: Preset) -> None:
    params = preset.params
    for param, value in zip(TASK.params, preset_values(TASK.params, params), strict=True):
        if param.name in params:
            assert value == params[param.name]
        else:
            assert value == gr.skip()


def test_a_short_range_is_set_finely_and_axes_are_typed() -> None:
    relax = field(Param("relax", "float", 0.0, "Relax", "Help.", low=0, high=1))
    assert isinstance(relax, gr.Slider)
    assert relax.step == pytest.approx(0.05)
    axes = field(Param("spacing", "axes", (), "Target voxel", "Help.", low=0.2, high=10, unit="mm"))
    assert isinstance(axes, gr.Textbox)
    assert axes.value == ""


def test_several_are_chosen_by_boxes() -> None:
    param = Param("recipes", "several", ("a",), "Recipes", "Help.", choices=("a", "b"), titles={"a": "First"})
    made = field(param)
    assert isinstance(made, gr.CheckboxGroup)
    assert made.choices == [("First", "a"), ("B", "b")]
    assert param.parse(made.value) == ("a",)
    assert preset_values([param], {"recipes": ("a", "b")}) == [["a", "b"]]


def test_the_script_of_the_presets_holds_what_the_server_would_fill_in() -> None:
    script = preset_script(TASK.params, {preset.name: preset.params for preset in TASK.presets})
    table = json.loads(script[script.index("({") + 1 : script.index("[name]")])
    for preset in TASK.presets:
        filled = preset_values(TASK.params, preset.params)
        silent = [place for place, param in enumerate(TASK.params) if param.name not in preset.params]
        assert table[preset.name] == {str(place): value for place, value in enumerate(filled) if place not in silent}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_run_fills_the_form_with_what_makes_it_again(task: Task) -> None:
    """Kept as JSON, parsed again, the fields are the settings of the run, and its preset is found by them."""
    begun = [field(param).value for param in task.params]
    assert run_values(task.params, {}, begun) == begun
    for preset in offered(task):
        ran = task.parse(preset.params)
        shown = run_values(task.params, json.loads(json.dumps(ran)), begun)
        assert task.parse(values(task.params, shown)) == ran
        found = preset_of(offered(task), values(task.params, shown))
        assert found is not None
        assert task.parse(found.params) == ran


def test_axes_are_written_as_they_are_typed() -> None:
    size = Param("size", "axes", (), "Size", "", low=0.1, high=10)
    assert run_values([size], {"size": [1, 0.5, 2]}, [""]) == ["1 0.5 2"]
    assert run_values([size], {"size": []}, ["1 1 1"]) == [""]


def test_settings_of_ones_own_are_no_preset() -> None:
    given = {**{param.name: param.default for param in TASK.params}, "grow": 3.0, "samples": 7}
    assert preset_of(offered(TASK), given) is None
