from __future__ import annotations

from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.protocol import JobSpec
from core.engine.wire import decode_event, decode_spec, encode_event, encode_spec
from core.events import Event, Failed, Finished, Progress, Started
from core.result import Artifact, Finding, NamedFile, Note, Result, Row, Verdict

Value = TypeVar("Value")

TEXT = st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXT,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(TEXT, parts, max_size=3),
    max_leaves=6,
)
NUMBER = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
FLOAT = st.floats(allow_nan=False, allow_infinity=False)
NAME = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
MEASURED = NUMBER | st.none() | st.lists(FLOAT | st.none(), max_size=3).map(tuple)
VALUE = TEXT | NUMBER | st.lists(TEXT, max_size=3).map(tuple) | st.lists(NUMBER, max_size=3).map(tuple)


def some(strategy: st.SearchStrategy[Value]) -> st.SearchStrategy[tuple[Value, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


NOTES = st.builds(Note, st.sampled_from(["info", "warning"]), TEXT)
RESULTS = st.builds(
    Result,
    some(st.builds(Artifact, NAME, TEXT, NAME | st.just(""))),
    some(st.builds(Row, TEXT, TEXT, st.dictionaries(TEXT, MEASURED, max_size=3))),
    some(NOTES),
    some(st.builds(Finding, TEXT, TEXT, VALUE, TEXT)),
    some(st.builds(Verdict, TEXT, TEXT, st.sampled_from(["red", "amber", "none"]), TEXT, some(TEXT), some(TEXT))),
    some(TEXT),
    st.floats(0, 1e6),
)
EVENTS = (
    st.builds(Started, TEXT)
    | st.builds(Progress, st.floats(0, 1), st.integers(0, 99), st.integers(1, 99), TEXT, st.binary(max_size=40))
    | st.builds(Finished, RESULTS)
    | st.builds(Failed, TEXT, TEXT, TEXT)
)


@given(EVENTS)
def test_an_event_survives_as_one_line(event: Event) -> None:
    line = encode_event(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_event(line) == event


@given(
    st.builds(
        JobSpec,
        TEXT,
        st.dictionaries(TEXT, TEXT, max_size=3),
        st.dictionaries(TEXT, JSON, max_size=3),
        TEXT,
        TEXT,
        st.dictionaries(TEXT, some(NOTES), max_size=3),
        st.dictionaries(TEXT, some(st.builds(NamedFile, TEXT, st.integers(0, 2**53), TEXT)), max_size=3),
    )
)
def test_a_job_survives_as_one_line(spec: JobSpec) -> None:
    line = encode_spec(spec)
    assert line.count(b"\n") == 1
    assert decode_spec(line) == spec


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"3",
        b"[]",
        b"{}",
        b'{"event": "Boom"}',
        b"\xff",
        b"{",
        b'{"event": "Progress", "preview": "not base64"}',
        b'{"event": "Finished", "result": {"version": 99}}',
        b'{"event": "Finished", "result": {"version": 2, "table": 3}}',
    ],
)
def test_anything_else_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode_event(line)
