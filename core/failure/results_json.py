"""Results of the failure lab as JSON, written, read and described by one pydantic adapter of their dataclasses."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from core.failure.results import SCHEMA, Results
from core.results_text import read, written

_RESULTS: TypeAdapter[Results] = TypeAdapter(Results)


def to_json(results: Results) -> str:
    """Return ``results`` as JSON text: numbers to five digits, null where nothing could be measured."""
    return written(_RESULTS, results)


def from_json(text: str) -> Results:
    """Return the results of a JSON text, nan for null; UserError bad_results where it does not follow the schema."""
    return read(_RESULTS, text, "the failure lab", SCHEMA)


def schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of what ``to_json`` writes."""
    # defaults are tuples, which are lists in JSON
    described = json.loads(json.dumps(_RESULTS.json_schema()))
    title = f"Counterscan failure lab, {SCHEMA}"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described, "title": title}
