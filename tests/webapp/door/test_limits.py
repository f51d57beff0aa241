from __future__ import annotations

import pytest
from starlette.types import Receive, Scope, Send

from tests.webapp.door.asgi import Inner, ask
from webapp.door.limits import Limits, TooLarge

MASK = "/mask/1"
MB = 1 << 20


def test_a_body_within_its_bound_arrives() -> None:
    inner = Inner()
    answer = ask(Limits(inner, 9, 1.0, MB), MASK, "POST", body=[b"abc", b"def"], session="a")
    assert answer.status == 200
    assert [body for _, body in inner.seen] == [b"abcdef"]


@pytest.mark.parametrize(("path", "bound"), [(MASK, 8 * MB), ("/gradio_api/upload", 3 * MB), ("/other", 4 * MB)])
def test_a_body_beyond_its_bound_is_refused(path: str, bound: int) -> None:
    for size, status in ((bound, 200), (bound + 1, 413)):
        inner = Inner()
        answer = ask(Limits(inner, 9, 1.0, 2 * MB), path, "POST", body=[b"x" * (size - 5), b"x" * 5], session="a")
        assert answer.status == status
        assert len(inner.seen) == (1 if status == 200 else 0)


def test_an_application_that_hides_the_refusal_is_not_heard() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while True:
                await receive()
        except TooLarge:
            await send({"type": "http.response.start", "status": 400, "headers": []})

    answer = ask(Limits(app, 9, 1.0, MB), MASK, "POST", body=[b"x" * (8 * MB), b"x"], session="a")
    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize(
    ("length", "status"), [(str(8 * MB), 200), (str(8 * MB + 1), 413), ("-1", 413), ("1e3", 413), ("", 413)]
)
def test_an_announced_length_is_checked_before_the_body(length: str, status: int) -> None:
    inner = Inner()
    headers = {"content-length": length}
    assert ask(Limits(inner, 9, 1.0, MB), MASK, "POST", headers=headers, session="a").status == status
    assert len(inner.seen) == (1 if status == 200 else 0)


def test_changes_of_one_visitor_are_counted() -> None:
    door = Limits(Inner(), 2, 0.001, MB)
    assert [ask(door, MASK, "POST", session="a").status for _ in range(3)] == [200, 200, 429]
    assert ask(door, MASK, "POST", session="a").headers["retry-after"] == "5"
    assert ask(door, MASK, "POST", session="b").status == 200
    assert [ask(door, "/", session="a").status for _ in range(3)] == [200, 200, 200]
