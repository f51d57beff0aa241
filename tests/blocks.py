"""The fenced blocks and the commands of README.md and docs."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from tests.source import ROOT

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
# what may stand before a command without changing what it does
BEFORE = ("setsid", "nohup")
REDIRECTION = re.compile(r"\d?>|&")


@dataclass(frozen=True)
class Block:
    """One fenced block: its page and line, the language behind the fence, and the text."""

    page: str
    line: int
    language: str
    text: str

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """The words of each command of a block of ``sh``, without comments and redirections."""
        joined = self.text.replace("\\\n", " ")
        return [words for line in joined.splitlines() if (words := _words(line))]


def blocks() -> list[Block]:
    """Return every fenced block of the documentation."""
    return list(_blocks())


def inline_commands(program: str) -> list[tuple[str, ...]]:
    """Return the words of each command of ``program`` that stands in the middle of a text."""
    span = re.compile(rf"`(?:\.venv/bin/)?({program} [^`]+)`")
    texts = (FENCE.sub("", page.read_text(encoding="utf-8")) for page in PAGES)
    return sorted({_words(" ".join(found.split())) for text in texts for found in span.findall(text)})


def _blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            name = page.relative_to(ROOT).as_posix()
            yield Block(name, line, found["language"], textwrap.dedent(found["text"]))


def _words(line: str) -> tuple[str, ...]:
    words = shlex.split(line, comments=True)
    end = next((place for place, word in enumerate(words) if REDIRECTION.match(word)), len(words))
    start = next((place for place, word in enumerate(words) if word not in BEFORE), len(words))
    return tuple(words[start:end])
