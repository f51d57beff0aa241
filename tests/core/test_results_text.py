from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import TypeAdapter

from core.errors import UserError
from core.results_text import read, written


@dataclass(frozen=True)
class Made:
    name: str
    counts: tuple[int, ...]


MADE = TypeAdapter(Made)


def test_what_is_written_is_read() -> None:
    made = Made("µ", (1, 2))
    text = written(MADE, made)
    assert text == '{"name":"µ","counts":[1,2]}\n'
    assert read(MADE, text, "a test", "made/1") == made


@pytest.mark.parametrize("text", ["", "{}", '{"name":"a","counts":["b"]}'])
def test_another_text_is_refused_by_name(text: str) -> None:
    with pytest.raises(UserError, match="no result of a test") as caught:
        read(MADE, text, "a test", "made/1")
    assert caught.value.code == "bad_results"
    assert "made/1" in caught.value.hint
