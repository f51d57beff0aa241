"""As much of JSON Schema 2020-12 as the schema of the failure lab uses."""

from __future__ import annotations

from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, where: str = "$") -> list[str]:
    """Return the places where ``value`` breaks ``schema``."""
    whole = root or schema
    if "$ref" in schema:
        return faults(value, whole["$defs"][schema["$ref"].rpartition("/")[2]], whole, where)
    if "anyOf" in schema:
        tried = [faults(value, each, whole, where) for each in schema["anyOf"]]
        return [] if [] in tried else tried[0]
    if "const" in schema:
        return [] if value == schema["const"] else [f"{where}: not {schema['const']}"]
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if not any(_is(value, name) for name in names):
        return [f"{where}: no {' or '.join(names)}"]
    if isinstance(value, dict):
        return _object(value, schema, whole, where)
    if isinstance(value, list):
        return _array(value, schema, whole, where)
    return []


def _object(value: dict[str, Any], schema: dict[str, Any], whole: dict[str, Any], where: str) -> list[str]:
    found = [f"{where}: lacks {name}" for name in schema.get("required", ()) if name not in value]
    known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in known:
            found += faults(item, known[name], whole, f"{where}.{name}")
        elif more is False:
            found.append(f"{where}: {name} is unknown")
        elif isinstance(more, dict):
            found += faults(item, more, whole, f"{where}.{name}")
    return found


def _array(value: list[Any], schema: dict[str, Any], whole: dict[str, Any], where: str) -> list[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return [f"{where}: {len(value)} items"]
    kinds = schema.get("prefixItems") or [schema["items"]] * len(value)
    return [
        fault
        for number, (item, kind) in enumerate(zip(value, kinds, strict=True))
        for fault in faults(item, kind, whole, f"{where}[{number}]")
    ]


def _is(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
