"""Results as JSON and back, and the JSON schema of it, all read off the dataclasses of core.failure.results."""

from __future__ import annotations

import json
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from core.errors import UserError
from core.failure.results import SCHEMA, Results

DIGITS = 5


def to_json(results: Results) -> str:
    """Return ``results`` as JSON text: numbers to five digits, null where nothing could be measured."""
    return json.dumps(plain(results), allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n"


def from_json(text: str) -> Results:
    """Return the results of a JSON text; UserError bad_results where it does not follow the schema."""
    try:
        values = json.loads(text)
        found: Results = _read(values, Results)
        if found.schema != SCHEMA:
            raise ValueError(found.schema)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError(
            "bad_results", "This is no result of the failure lab.", f"Give a results.json of schema {SCHEMA}."
        ) from error
    return found


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) that ``to_json`` keeps to."""
    described: dict[str, Any] = {}
    root = _describe(Results, described)
    described["Results"]["properties"]["schema"] = {"const": SCHEMA}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Counterscan failure lab, {SCHEMA}",
        **root,
        "$defs": described,
    }


def plain(value: Any) -> Any:
    """Return ``value`` as what JSON knows; a dataclass becomes an object."""
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value


def _read(value: Any, kind: Any) -> Any:
    """Return ``value`` in the type ``kind``; ValueError, TypeError or KeyError where it does not fit."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if value is None else _read(value, next(each for each in inner if each is not type(None)))
    if origin is tuple:
        _require(value, list)
        parts = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        return tuple(_read(item, part) for item, part in zip(value, parts, strict=True))
    if origin is dict:
        _require(value, dict)
        return {str(key): _read(item, inner[1]) for key, item in value.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        return _read_object(value, kind)
    if kind is float:
        return math.nan if value is None else float(_require(value, int, float))
    return _require(value, kind)


def _read_object(value: Any, kind: type) -> Any:
    _require(value, dict)
    hints = get_type_hints(kind)
    if set(value) - set(hints):
        raise KeyError(sorted(set(value) - set(hints)))
    return kind(**{name: _read(item, hints[name]) for name, item in value.items()})


def _require(value: Any, *kinds: type) -> Any:
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise TypeError(type(value).__name__)
    return value


def _describe(kind: Any, described: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; those of dataclasses are put into ``described`` once."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_describe(each, described) for each in inner]}
    if origin is tuple and inner[-1] is Ellipsis:
        return {"type": "array", "items": _describe(inner[0], described)}
    if origin is tuple:
        items = [_describe(each, described) for each in inner]
        return {"type": "array", "prefixItems": items, "minItems": len(inner), "maxItems": len(inner)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _describe(inner[1], described)}
    if is_dataclass(kind) and isinstance(kind, type):
        return _describe_object(kind, described)
    simple = {float: ["number", "null"], int: "integer", str: "string", bool: "boolean", type(None): "null"}
    return {"type": simple[kind]}


def _describe_object(kind: type, described: dict[str, Any]) -> dict[str, Any]:
    if kind.__name__ not in described:
        described[kind.__name__] = {}
        hints = get_type_hints(kind)
        needed = [entry.name for entry in fields(kind) if entry.default is MISSING and entry.default_factory is MISSING]
        described[kind.__name__] |= {
            "type": "object",
            "description": (kind.__doc__ or "").strip().partition("\n")[0],
            "properties": {name: _describe(hint, described) for name, hint in hints.items()},
            "required": needed,
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{kind.__name__}"}
