from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.webapp.door.asgi import Inner, ask, asked, finished
from webapp.door import limits
from webapp.door.limits import Bounded, GivenUp, Limits

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
        except GivenUp:
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
    # the first of the two leaves the window of 2 / 0.001 s
    assert 1990 <= int(ask(door, MASK, "POST", session="a").headers["retry-after"]) <= 2000
    assert ask(door, MASK, "POST", session="b").status == 200
    assert [ask(door, "/", session="a").status for _ in range(3)] == [200, 200, 200]


async def _silent(message: Message) -> None:
    return None


def test_a_client_that_stops_in_the_middle_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAUSE_SECONDS", 0.05)
    inner, coming = Inner(), [b"begun"]

    async def receive() -> Message:
        if not coming:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": coming.pop(), "more_body": True}

    answer = finished(asked(Limits(inner, 9, 1.0, MB), MASK, "POST", session="a", receive=receive))
    assert (answer.status, answer.code, inner.seen) == (408, "too_slow", [])


def test_a_trickle_is_given_up_though_it_never_stops() -> None:
    now = [0.0]

    async def receive() -> Message:
        now[0] += 20.0
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    async def parts() -> int:
        request, count = Bounded(receive, _silent, MB, lambda: now[0]), 0
        while request._patience() > 0:
            await request.receive()
            count += 1
        return count

    # 30 s, and one for each KiB: after two parts 40 s have passed where 32 are allowed
    assert finished(parts()) == 2


def test_the_time_that_the_server_takes_does_not_count() -> None:
    now = [0.0]

    async def receive() -> Message:
        now[0] += 1.0
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    async def parts() -> float:
        request = Bounded(receive, _silent, MB, lambda: now[0])
        for _ in range(100):
            await request.receive()
            now[0] += 1000.0
        return request._patience()

    assert finished(parts()) == 30.0


def test_an_answer_may_take_longer_than_a_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAUSE_SECONDS", 0.01)
    gone = asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def run() -> Message:
        whole: list[Message] = [{"type": "http.request", "body": b"x", "more_body": False}]

        async def first() -> Message:
            return whole.pop() if whole else await receive()

        request = Bounded(first, _silent, MB)
        await request.receive()
        asyncio.get_running_loop().call_later(0.1, gone.set)
        return await request.receive()

    assert finished(run())["type"] == "http.disconnect"
