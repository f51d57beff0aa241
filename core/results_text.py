"""The results of a run as JSON text, written and read by a pydantic adapter of their dataclasses."""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from core.errors import UserError

T = TypeVar("T")


def written(adapter: TypeAdapter[T], results: T) -> str:
    """Return ``results`` as JSON text: numbers to five digits, null where nothing could be measured."""
    content = adapter.dump_python(results, mode="json")
    return json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n"


def read(adapter: TypeAdapter[T], text: str, what: str, schema: str) -> T:
    """Return the results of a JSON text, nan for null; what: makes them, in words; schema: the name of their form.

    UserError bad_results where the text does not follow the schema.
    """
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        raise UserError(
            "bad_results", f"This is no result of {what}.", f"Give a results.json of schema {schema}."
        ) from error
