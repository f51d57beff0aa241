from __future__ import annotations

import json
import sys
import time
from types import FrameType
from typing import Any

import pytest

from core.errors import UserError
from webapp.door.bodies import MAX_MARKS, MAX_SLASHED, MAX_SLASHES, MAX_TEXT, inspect

FILE = {"path": "/p", "url": "/u", "size": 1, "meta": {"_type": "gradio.FileData"}}


def encoded(content: object) -> bytes:
    return json.dumps(content).encode()


def test_page_files_and_texts_are_found() -> None:
    body = inspect(encoded({"session_hash": "page", "data": [{"a": [FILE]}, 1, None, "text"]}))
    assert body.page == "page"
    assert body.files == [{"path": "/p", "url": "/u", "name": None}]
    assert {"text", "/p", "/u", "session_hash", "a"} <= set(body.texts)


@pytest.mark.parametrize(
    "value", [{"path": 1}, {"path": None}, {"name": "n", "is_file": True}, {"url": "u", "meta": {"_type": "x"}}]
)
def test_whatever_may_be_read_as_a_file_is_one(value: dict[str, object]) -> None:
    assert len(inspect(encoded([value])).files) == 1


@pytest.mark.parametrize("value", [{"url": "/vol/x"}, {"name": "n"}, {"meta": "x"}, {"meta": {}}])
def test_other_values_are_not(value: dict[str, object]) -> None:
    assert inspect(encoded([value])).files == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_a_body_is_read_as_gradio_reads_it(encoding: str) -> None:
    assert inspect(json.dumps({"session_hash": "é"}, ensure_ascii=False).encode(encoding)).page == "é"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 50_000, b"9" * 5000, b"session_hash=page", b"{}{}"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(UserError) as refused:
        inspect(body)
    assert refused.value.code == "bad_request"


def test_length_and_number_of_texts_are_bounded() -> None:
    inspect(encoded(["x" * MAX_TEXT]))
    inspect(encoded(["a"] * (MAX_MARKS - 1)))
    inspect(encoded(["/a"] * MAX_SLASHED))
    inspect(encoded(["/" * MAX_SLASHES]))
    for content in (
        ["x" * (MAX_TEXT + 1)],
        {"x" * (MAX_TEXT + 1): 1},
        ["a"] * (MAX_MARKS + 1),
        ["/a"] * (MAX_SLASHED + 1),
        ["/" * (MAX_SLASHES + 1)],
    ):
        with pytest.raises(UserError):
            inspect(encoded(content))


def test_the_files_of_a_large_series_are_let_through() -> None:
    file = {**FILE, "orig_name": "IM-0001.dcm", "mime_type": "application/dicom", "is_stream": False, "blob": {}}
    assert len(inspect(encoded({"data": [[file] * 5000], "session_hash": "page"})).files) == 5000


@pytest.mark.parametrize("texts", [["a"] * 80_000, ["/a/b/c/"] * 39_800])
def test_too_many_values_are_refused_without_reading_them(monkeypatch: pytest.MonkeyPatch, texts: list[str]) -> None:
    body, read = encoded(texts), list[bytes]()
    monkeypatch.setattr(json, "loads", read.append)
    with pytest.raises(UserError):
        inspect(body)
    assert read == []


def test_nothing_is_looked_up_on_a_disk() -> None:
    called: list[str] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call" and getattr(argument, "__module__", "") in ("posix", "io", "_io"):
            called.append(argument.__name__)

    body = encoded([{**FILE, "path": "/proc/self/root" * 20}] * 1000)
    sys.setprofile(watch)
    try:
        inspect(body)
    finally:
        sys.setprofile(None)
    assert called == []


def test_inspection_costs_about_as_much_as_reading() -> None:
    # eight seconds for a body that is read in seven milliseconds: more than a thousand times as much
    body = encoded(["a b c"] * (MAX_MARKS - 10))
    reading = min(_seconds(json.loads, body) for _ in range(5))
    assert min(_seconds(inspect, body) for _ in range(5)) < 50 * reading


def _seconds(work: Any, body: bytes) -> float:
    begun = time.perf_counter()
    work(body)
    return time.perf_counter() - begun
