"""``python -m webapp.schemas`` writes the JSON schemas of the contracts, and the viewer's types, from the models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core import result_json
from core.assets import ASSETS
from webapp.pages.kit.viewer_scene import Scene

Schema = Mapping[str, Any]

HEAD = "// Written by `make schemas` from webapp/pages/kit/viewer_scene.py; change that.\n"
SIMPLE = {"string": "string", "boolean": "boolean", "integer": "number", "number": "number", "null": "null"}


def files() -> dict[Path, str]:
    """Return path -> content of every file that is written from the models."""
    scene = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scene.model_json_schema()}
    return {
        ASSETS / "schema" / "scene-1.json": _json(scene),
        ASSETS / "schema" / f"result-{result_json.VERSION}.json": _json(result_json.schema()),
        ASSETS / "viewer" / "scene-json.d.ts": typescript(scene),
    }


def typescript(schema: Schema) -> str:
    """Return the TypeScript interfaces of the object that ``schema`` describes and of those it refers to."""
    described = [*schema.get("$defs", {}).values(), schema]
    return "\n".join([HEAD, *("\n".join(_interface(one)) + "\n" for one in described)])


def _interface(schema: Schema) -> Iterator[str]:
    yield from _comment(schema, "")
    yield f"export interface {schema['title']} {{"
    for name, field in schema["properties"].items():
        yield from _comment(field, "  ")
        optional = "" if name in schema.get("required", ()) else "?"
        yield f"  {name}{optional}: {_type(field)};"
    yield "}"


def _comment(schema: Schema, indent: str) -> Iterator[str]:
    if "description" in schema:
        yield f"{indent}/** {schema['description']} */"


def _type(schema: Schema) -> str:
    """Return the TypeScript type of a field; ``KeyError`` for a schema that no field of a scene has."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if schema["type"] == "array":
        return f"{_type(schema['items'])}[]"
    return SIMPLE[schema["type"]]


def _json(content: Schema) -> str:
    return json.dumps(content, indent=2) + "\n"


def main() -> None:
    """Write every file."""
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
