from __future__ import annotations

import inspect
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.declaration import Context, Estimate, Param, Reference, Run, Task
from core.errors import UserError
from core.events import Event, Finished
from core.result import Result
from core.tasks import TASKS, find

STEPS = Param("steps", "int", 2, "Steps", "", low=1, high=8)
GROW = Param("grow", "float", 0.0, "Grow", "", low=0, high=10, unit="mm")
MODE = Param("mode", "choice", "a", "Mode", "", choices=("a", "b"))
FLAG = Param("flag", "bool", True, "Flag", "")


@pytest.mark.parametrize(
    ("param", "given_value", "expected"),
    [
        (STEPS, "3", 3),
        (STEPS, 8, 8),
        (STEPS, 2.0, 2),
        (GROW, "1e0", 1.0),
        (GROW, 0, 0.0),
        (MODE, "b", "b"),
        (FLAG, "False", False),
        (FLAG, True, True),
        (FLAG, "1", True),
    ],
)
def test_values_take_the_type_of_their_parameter(param: Param, given_value: object, expected: object) -> None:
    parsed = param.parse(given_value)
    assert (parsed, type(parsed)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("param", "value"),
    [
        (STEPS, 0),
        (STEPS, 9),
        (STEPS, 2.5),
        (STEPS, "two"),
        (STEPS, None),
        (STEPS, math.nan),
        (STEPS, math.inf),
        (STEPS, "1" * 400),
        (GROW, -1e-9),
        (GROW, 10.01),
        (GROW, math.nan),
        (GROW, [1]),
        (MODE, "c"),
        (MODE, 1),
        (FLAG, "maybe"),
        (FLAG, 2),
    ],
)
def test_values_out_of_bounds_are_refused(param: Param, value: object) -> None:
    with pytest.raises(UserError) as caught:
        param.parse(value)
    assert caught.value.code == "bad_parameter"
    assert len(str(caught.value)) < 300


@given(st.sampled_from([STEPS, GROW, MODE, FLAG]), st.none() | st.text() | st.integers() | st.floats() | st.booleans())
def test_any_value_is_parsed_within_bounds_or_refused(param: Param, value: Any) -> None:
    try:
        parsed = param.parse(value)
    except UserError:
        return
    if param.low is not None and param.high is not None:
        assert isinstance(parsed, int | float)
        assert param.low <= parsed <= param.high
    if param.choices:
        assert parsed in param.choices
    assert param.parse(parsed) == parsed


def test_an_unknown_parameter_or_task_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        TASKS[0].parse({"stepz": 1})
    assert caught.value.code == "bad_parameter"
    with pytest.raises(UserError) as caught:
        find("nothing")
    assert caught.value.code == "unknown_task"
    assert find(TASKS[0].name) is TASKS[0]


SEVERAL = Param("kinds", "several", ("b",), "Kinds", "", choices=("a", "b", "c"))


@pytest.mark.parametrize(
    ("value", "parsed"), [("c, a", ("a", "c")), (["b"], ("b",)), (("a", "a"), ("a",)), ("a,b,c", ("a", "b", "c"))]
)
def test_several_are_taken_in_the_order_of_the_choices(value: object, parsed: tuple[str, ...]) -> None:
    assert SEVERAL.parse(value) == parsed


BESIDE = Param("beside", "several", (), "Beside", "", choices=("a", "b"))


@pytest.mark.parametrize(("value", "parsed"), [("", ()), ([], ()), ((), ()), ("b", ("b",)), (("b", "a"), ("a", "b"))])
def test_none_of_several_may_be_chosen_where_that_is_the_default(value: object, parsed: tuple[str, ...]) -> None:
    assert BESIDE.parse(value) == parsed


@pytest.mark.parametrize("value", ["c", None, 0, False, ["a", 1]])
def test_others_are_refused_there_too(value: object) -> None:
    with pytest.raises(UserError):
        BESIDE.parse(value)


@pytest.mark.parametrize("value", ["", "d", "a,d", [], [1], 3, None, {"a": 1}, [["a"]]])
def test_none_or_unknown_of_several_are_refused(value: object) -> None:
    with pytest.raises(UserError) as caught:
        SEVERAL.parse(value)
    assert caught.value.code == "bad_parameter"
    assert "one or more of a, b, c" in caught.value.hint


AXES = Param("spacing", "axes", (), "Voxel size", "Along X, Y and Z.", low=0.2, high=5, unit="mm")


@pytest.mark.parametrize(
    ("value", "parsed"),
    [("1 1 2.5", (1.0, 1.0, 2.5)), ("1,1,2", (1.0, 1.0, 2.0)), ([1, 1, 1], (1.0, 1.0, 1.0)), ("", ()), ((), ())],
)
def test_three_sizes_or_none_are_parsed(value: object, parsed: tuple[float, ...]) -> None:
    assert AXES.parse(value) == parsed


@pytest.mark.parametrize("value", ["1 1", "a b c", [1, 1, 9], [1, 1, float("nan")], 3, None, {"x": 1}])
def test_other_sizes_are_refused(value: object) -> None:
    with pytest.raises(UserError) as caught:
        AXES.parse(value)
    assert caught.value.code == "bad_parameter"
    assert "three numbers" in caught.value.hint


def unmarked(context: Context, inputs: object, params: object) -> str:
    """A function to be found by its place."""
    return context.device


def test_a_reference_is_imported_when_it_is_called(tmp_path: Path) -> None:
    assert Reference(f"{__name__}:unmarked")(Context("cpu", tmp_path), inputs={}, params={}) == "cpu"
    assert Reference(f"{__name__}:unmarked").load() is unmarked
    for place, error in (("core.nowhere:run", ImportError), ("core.tasks:nothing", AttributeError)):
        with pytest.raises(error):
            Reference(place).load()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_what_a_declaration_refers_to_is_there_and_takes_what_it_is_given(task: Task) -> None:
    for function, arguments in ((task.run, 3), (task.estimate, 3)):
        assert isinstance(function, Reference)
        assert len(inspect.signature(function.load()).parameters) == arguments
    for method in task.methods:
        assert len(inspect.signature(method.load()).parameters) == 2


def test_declarations_load_neither_numpy_nor_torch() -> None:
    script = "import sys, core.tasks; sys.exit(bool({'numpy', 'scipy', 'torch'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_task_needs_neither_methods_presets_nor_measures() -> None:
    def run(context: Context, inputs: object, params: object) -> Iterator[Event]:
        yield Finished(Result())

    plain: Run = run
    task = Task("smooth", "Smooth", "Smooths.", (), (), (), plain, lambda inputs, params, device: Estimate(1.0, 1, 0))
    assert (task.methods, task.presets, task.measures, task.weights, task.required) == ((), (), (), (), ())
    with pytest.raises(KeyError):
        task.method("volume")


LINE = Param("class_names", "text", "", "Names", "Of the classes.", high=12)


@pytest.mark.parametrize(("value", "parsed"), [("", ""), ("  a, b ", "a, b"), (7, "7"), ("µ" * 12, "µ" * 12)])
def test_a_line_of_text_is_trimmed(value: object, parsed: str) -> None:
    assert LINE.parse(value) == parsed
    assert LINE.option == "class-names"


@pytest.mark.parametrize("value", ["a" * 13, "a\nb", "\x00", None, True, ["a"], {"a": 1}])
def test_what_is_no_line_is_refused(value: object) -> None:
    with pytest.raises(UserError) as caught:
        LINE.parse(value)
    assert caught.value.code == "bad_parameter" and "12 characters" in caught.value.hint
