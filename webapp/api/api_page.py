"""The OpenAPI of the addresses for programs as a page for people, without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.door.html import document

Described = Mapping[str, Any]


def page_of(api: Described) -> str:
    """Return the page of an OpenAPI description."""
    models = [_model(name, one) for name, one in api["components"]["schemas"].items() if "properties" in one]
    # what FastAPI adds for requests that cannot be read, which are answered otherwise
    ours = [model for model in models if not model["name"].endswith("ValidationError")]
    return document("api", api=api, operations=_operations(api), models=ours)


def _operations(api: Described) -> list[Described]:
    """Return method, path, text, query, body and answer of each address."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "text": one.get("description", ""),
            "query": [_parameter(each) for each in one.get("parameters", ()) if each["in"] == "query"],
            "body": _content(one.get("requestBody", {})),
            "answer": next((_content(each) for code, each in one["responses"].items() if code[0] == "2"), ""),
        }
        for path, methods in api["paths"].items()
        for method, one in methods.items()
    ]


def _parameter(described: Described) -> Mapping[str, str]:
    """Return name, values, meaning and default of one parameter."""
    default = described["schema"].get("default")
    return {
        "name": described["name"],
        "kind": kind_of(described["schema"]),
        "text": described.get("description", ""),
        "default": "" if default is None else str(default).lower(),
    }


def _model(name: str, schema: Described) -> Described:
    """Return name, text and fields of one model."""
    required = schema.get("required", ())
    fields = [
        {"name": field, "kind": kind_of(one), "required": field in required}
        for field, one in schema["properties"].items()
    ]
    return {"name": name, "text": schema.get("description", ""), "fields": fields}


def _content(described: Described) -> str:
    """Return what a body or an answer is: a model, else its type of content."""
    kinds = described.get("content", {})
    json = kinds.get("application/json", {}).get("schema")
    return kind_of(json) if json else ", ".join(kinds)


def kind_of(schema: Described) -> str:
    """Return in words which values a JSON schema allows."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(kind_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema.get("type") == "array":
        return f"list of {kind_of(schema['items'])}" if schema.get("items") else "list"
    return str(schema.get("type", "any value"))
