"""Results as JSON: written in one form, read in that and in those of earlier versions of the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from core.result import Finding, FindingValue, Measured, Result, Row, Verdict, notes, verdict_level

VERSION = 2
# sentences of version 1, which stood among its other values under these names
_SENTENCES = ("head", "geometry", "noise", "guide", "agreement", "grid", "alignment", "units", "uncertainty")
_RESULT: TypeAdapter[Result] = TypeAdapter(Result)


def to_json(result: Result) -> dict[str, Any]:
    """Return ``result`` as what ``json`` writes: version and every field."""
    return {"version": VERSION, **asdict(result)}


def from_json(content: Mapping[str, Any]) -> Result:
    """Return the result that ``to_json`` of this or an earlier version wrote; ``ValueError`` for anything else.

    Version 1 had no number: its rows were flat, and notes and further values stood together under "facts". Paths
    were no part of it.
    """
    version = content.get("version", 1)
    if version == 1:
        return _version_1(content)
    if version != VERSION:
        raise ValueError(f"a result of version {version} cannot be read")
    return _RESULT.validate_python(content)


def schema() -> dict[str, Any]:
    """Return the JSON schema of what ``to_json`` writes."""
    described = _RESULT.json_schema()
    described["properties"] = {"version": {"const": VERSION, "title": "Version"}, **described["properties"]}
    described["required"] = ["version", *described.get("required", ())]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}


def _version_1(content: Mapping[str, Any]) -> Result:
    facts: Mapping[str, Any] = content.get("facts", {})
    said = [_texts(facts[name]) for name in _SENTENCES if name in facts]
    others = {name: value for name, value in facts.items() if name not in (*_SENTENCES, "notices", "verdicts")}
    return Result(
        table=tuple(_row_1(row) for row in content.get("table", ())),
        notes=(
            *notes("warning", _texts(facts.get("notices", ()))),
            *notes("info", (text for texts in said for text in texts)),
        ),
        findings=tuple(finding for name, value in others.items() if (finding := _finding_1(name, value))),
        verdicts=tuple(_verdict_1(name, verdict) for name, verdict in facts.get("verdicts", {}).items()),
        weights=_texts(content.get("weights", ())),
        seconds=float(content.get("seconds", 0)),
    )


def _row_1(row: Mapping[str, Any]) -> Row:
    method = str(row.get("method", ""))
    values = {name: _measured_1(value) for name, value in row.items() if name not in ("method", "title", "verdict")}
    return Row(method, str(row.get("title", method)), values)


def _measured_1(value: Any) -> Measured:
    if isinstance(value, list):
        return tuple(None if part is None else float(part) for part in value)
    return None if value is None else value if isinstance(value, int) else float(value)


def _finding_1(name: str, value: Any) -> Finding | None:
    """Return a value of version 1, whose name ended with its unit; None for one that cannot be shown."""
    words, unit = name, ""
    if name.endswith("_ml"):
        words, unit = name.removesuffix("_ml"), "ml"
    read: FindingValue
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        read = tuple(value)
    elif isinstance(value, str | int | float):
        read = value
    else:
        return None
    return Finding(name, words.replace("_", " ").capitalize(), read, unit)


def _verdict_1(subject: str, verdict: Mapping[str, Any]) -> Verdict:
    reasons, untested = _texts(verdict.get("reasons", ())), _texts(verdict.get("not_tested", ()))
    level = verdict_level(str(verdict["level"]))
    return Verdict(subject, subject.upper(), level, str(verdict.get("text", "")), reasons, untested)


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value)
