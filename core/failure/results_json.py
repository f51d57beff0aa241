"""Results of the failure lab as JSON, written, read and described by one pydantic adapter of their dataclasses."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.errors import UserError
from core.failure.results import SCHEMA, Results

_RESULTS: TypeAdapter[Results] = TypeAdapter(Results)


def to_json(results: Results) -> str:
    """Return ``results`` as JSON text: numbers to five digits, null where nothing could be measured."""
    content = _RESULTS.dump_python(results, mode="json")
    return json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n"


def from_json(text: str) -> Results:
    """Return the results of a JSON text, nan for null; UserError bad_results where it does not follow the schema."""
    try:
        return _RESULTS.validate_json(text)
    except ValidationError as error:
        raise UserError(
            "bad_results", "This is no result of the failure lab.", f"Give a results.json of schema {SCHEMA}."
        ) from error


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of what ``to_json`` writes."""
    # defaults are tuples, which are lists in JSON
    described = json.loads(json.dumps(_RESULTS.json_schema()))
    title = f"Counterscan failure lab, {SCHEMA}"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described, "title": title}
