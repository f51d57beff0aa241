"""The parameters of a task as a JSON schema: what programs read to know what a task may be given."""

from __future__ import annotations

from typing import Any

from core.declaration import LINE_CHARACTERS, Param, Task

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def option_schema(task: Task) -> dict[str, Any]:
    """Return the JSON schema of the parameters of ``task``; every one may be left out, for its default.

    ``Param.parse`` accepts what fits the schema; it also reads numbers that come as texts.
    """
    properties = {param.name: param_schema(param) for param in task.params}
    return {"$schema": DIALECT, "type": "object", "properties": properties, "additionalProperties": False}


def param_schema(param: Param) -> dict[str, Any]:
    """Return the JSON schema of one parameter, with its title, what it means, and its default."""
    default = list(param.default) if isinstance(param.default, tuple) else param.default
    unit = f" In {param.unit}." if param.unit else ""
    return {"title": param.title, "description": f"{param.help}{unit}", **_values(param), "default": default}


def _values(param: Param) -> dict[str, Any]:
    """Return which values a parameter may have."""
    if param.kind == "bool":
        return {"type": "boolean"}
    if param.kind == "text":
        return {"type": "string", "maxLength": int(param.high or LINE_CHARACTERS), "pattern": r"^[^\x00-\x1f\x7f]*$"}
    if param.kind == "choice":
        return {"type": "string", "enum": list(param.choices)}
    if param.kind == "several":
        least = 0 if param.default == () else 1
        one = {"type": "string", "enum": list(param.choices)}
        return {"type": "array", "items": one, "minItems": least, "uniqueItems": True}
    number = {"type": "integer" if param.kind == "int" else "number", **_bounds(param)}
    if param.kind == "axes":
        three = {"type": "array", "items": number, "minItems": 3, "maxItems": 3}
        return {"anyOf": [three, {"type": "array", "maxItems": 0}]}
    return number


def _bounds(param: Param) -> dict[str, float]:
    bounds = {"minimum": param.low, "maximum": param.high}
    return {name: value for name, value in bounds.items() if value is not None}
