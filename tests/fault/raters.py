"""Raters who answer over HTTP by the rules of the page: one number for each answer, sent until it is saved."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from tests.waiting import LONGEST
from tests.webapp.study.sitting import answered
from webapp.store.studies import Studies
from webapp.store.study_records import NewImage, NewItem, NewStudy
from webapp.study import design

ASK = {"real": True, "scales": ["realism", "border"]}
ANSWER_SECONDS = 60.0
BUSY = (429, 503)


def invited(engine: Engine, items: int, raters: int, order: str) -> list[str]:
    """Add a study of ``items`` images that exist only in the database, and return the keys of its raters."""
    asked = design.parse({"title": "T", "ask": ASK, "folder": "none", "order": order})
    images = tuple(
        NewImage(f"m{n % 2}", f"c{n // 2}", "real" if n % 2 else "synthetic", {}, None, f"none-{n}.nii", "0", 1)
        for n in range(items)
    )
    rows = tuple(NewItem("item", (n,)) for n in range(items))
    studies = Studies(engine)
    made, _ = studies.add(NewStudy("T", {**asked.model_dump(mode="json"), "shape": [4, 4, 4]}, (), images, rows), None)
    return [studies.invite(made, "")[1] for _ in range(raters)]


@dataclass(eq=False)
class Rater:
    """One rater with a browser of their own.

    careless: the share of answers whose first sending is not waited for, that are changed later, or for which the next
    but one item is fetched ahead. thinking: seconds before an answer, at least and at most. sent: number of an answer
    -> what was sent; saved: the same number -> what the server calls it; waits: seconds from sending to "saved".
    """

    port: int
    key: str
    chance: random.Random
    careless: float = 0.0
    thinking: tuple[float, float] = (0.0, 0.0)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    saved: dict[str, int] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    total: int = 0

    def __post_init__(self) -> None:
        self._connection = self._connect()
        self._cookie = ""

    def rate(self, until: Callable[[], bool] = lambda: False) -> None:
        """Answer one item after the other to the end, or ``until`` something is true."""
        with closing(self._connection):
            self._rate(until)

    def _rate(self, until: Callable[[], bool]) -> None:
        self._ask("GET", "")
        state = self._ask("POST", "/start", {"consent": True, "expertise": "Other", "years": 1})
        self.total = state["progress"]["total"]
        shown = state["next"]
        while shown is not None and not until():
            time.sleep(self.chance.uniform(*self.thinking))
            following = self._answer(shown)["next"]
            if self._is_careless():
                self._answer(self._ask("GET", f"/showing/{self.chance.randint(1, shown['position'])}"))
            if self._is_careless() and following is not None and following["position"] < self.total:
                self._ask("GET", f"/showing/{following['position'] + 1}")
            shown = following

    def _answer(self, shown: dict[str, Any]) -> dict[str, Any]:
        number = f"{self.chance.getrandbits(128):032x}"
        payload = answered(shown, number)
        payload["answers"] |= {"realism": self.chance.randint(1, 5), "comment": f"{number} ä"}
        self.sent[number] = payload
        begun = time.monotonic()
        if self._is_careless():
            self._abandon("/answers", payload)
        reply: dict[str, Any] = self._ask("POST", "/answers", payload)
        self.waits.append(time.monotonic() - begun)
        self.saved[number] = reply["saved"]
        return reply

    def _is_careless(self) -> bool:
        return self.chance.random() < self.careless

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        """Return what the server answers in the end, however often it dies or is busy before."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            try:
                status, content = self._once(method, path, body)
            except (OSError, http.client.HTTPException):
                self._connection.close()
            else:
                if status == 200:
                    return json.loads(content) if path else None
                assert status in BUSY, f"{method} {path}: {status} {content[:500]!r}"
            time.sleep(self.chance.uniform(0.02, 0.1))
        raise TimeoutError(f"{method} {path}: no answer for {LONGEST:g} s")

    def _once(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        self._send(method, path, body)
        answer = self._connection.getresponse()
        content = answer.read()
        self._cookie = (answer.getheader("set-cookie") or self._cookie).partition(";")[0]
        return answer.status, content

    def _abandon(self, path: str, body: object) -> None:
        """Send something and hang up before the answer."""
        try:
            self._send("POST", path, body)
            time.sleep(self.chance.uniform(0, 0.02))
        except OSError:
            pass
        self._connection.close()

    def _send(self, method: str, path: str, body: object) -> None:
        content = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", "cookie": self._cookie}
        self._connection.request(method, f"/rate/{self.key}{path}", content, headers)

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)


def database_of(data: Path) -> str:
    """Return the address of the database in the data folder of a server."""
    return f"sqlite:///{data}/counterscan.db"
