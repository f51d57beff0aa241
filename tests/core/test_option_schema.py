"""The schema of a task's parameters and what the task itself accepts agree."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from core import tasks
from core.declaration import LINE_CHARACTERS, Param, Task
from core.errors import UserError
from core.option_schema import option_schema, param_schema


def outside(param: Param) -> list[object]:
    """Return values that a parameter does not have."""
    wrong: list[object] = [{}, None]
    if param.kind in ("int", "float"):
        wrong += [
            value for bound, step in ((param.low, -1), (param.high, 1)) if bound is not None for value in [bound + step]
        ]
        wrong += ["much"]
    if param.kind == "int":
        wrong.append(0.5)
    if param.kind == "choice":
        wrong.append("no such choice")
    if param.kind == "several":
        wrong += [["no such choice"], "x" if param.default else ["x"]]
    if param.kind == "axes":
        wrong += [[1.0], [1e9, 1.0, 1.0]]
    if param.kind == "text":
        wrong += ["two\nlines", "x" * (int(param.high or LINE_CHARACTERS) + 1)]
    return wrong


@pytest.mark.parametrize("task", tasks.TASKS, ids=lambda task: task.name)
def test_presets_and_defaults_fit_the_schema(task: Task) -> None:
    check = jsonschema_rs.validator_for(option_schema(task))
    for preset in task.presets:
        given: dict[str, Any] = {
            name: list(value) if isinstance(value, tuple) else value for name, value in preset.params.items()
        }
        assert check.is_valid(given), (preset.name, next(check.iter_errors(given)).message)
    defaults = {param.name: param_schema(param)["default"] for param in task.params}
    assert check.is_valid(defaults) and task.parse(defaults) == task.parse({})
    assert not check.is_valid({"no_such_parameter": 1})


@pytest.mark.parametrize(
    ("task", "param"), [(task, param) for task in tasks.TASKS for param in task.params], ids=lambda one: one.name
)
def test_what_the_task_refuses_is_outside_the_schema(task: Task, param: Param) -> None:
    check = jsonschema_rs.validator_for(option_schema(task))
    for value in outside(param):
        assert not check.is_valid({param.name: value}), value
        if value is not None:
            with pytest.raises(UserError):
                param.parse(value)
