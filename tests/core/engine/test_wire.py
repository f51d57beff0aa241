from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.protocol import JobSpec
from core.engine.wire import decode_event, decode_spec, encode_event, encode_spec
from core.events import Event, Failed, Finished, Progress, Started

TEXT = st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXT,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(TEXT, parts, max_size=3),
    max_leaves=6,
)
EVENTS = (
    st.builds(Started, TEXT)
    | st.builds(Progress, st.floats(0, 1), st.integers(0, 99), st.integers(1, 99), TEXT, st.binary(max_size=40))
    | st.builds(Finished, st.dictionaries(TEXT, TEXT, max_size=3), st.dictionaries(TEXT, JSON, max_size=3))
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
        JobSpec, TEXT, st.dictionaries(TEXT, TEXT, max_size=3), st.dictionaries(TEXT, JSON, max_size=3), TEXT, TEXT
    )
)
def test_a_job_survives_as_one_line(spec: JobSpec) -> None:
    line = encode_spec(spec)
    assert line.count(b"\n") == 1
    assert decode_spec(line) == spec


@pytest.mark.parametrize(
    "line",
    [b"", b"3", b"[]", b"{}", b'{"event": "Boom"}', b"\xff", b"{", b'{"event": "Progress", "preview": "not base64"}'],
)
def test_anything_else_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode_event(line)
