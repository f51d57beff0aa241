from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from sqlalchemy.exc import OperationalError
from starlette.types import Message, Receive, Scope, Send

from core.errors import UserError
from tests.webapp.door.asgi import Inner, ask, asked, finished
from tests.webapp.fakes import Days
from webapp.door import limits
from webapp.door.limits import Bounded, Limits
from webapp.door.upload_limits import LOOK_BYTES, GivenUp, UploadLimits
from webapp.rates import ALL, OF_ADDRESS

MASK = "/mask/1"
UPLOAD = "/gradio_api/upload"
MB = 1 << 20
DAY = 86400


def plenty() -> UploadLimits:
    return UploadLimits(10_000, 10_000, lambda size: None, Days())


def test_a_body_within_its_bound_arrives() -> None:
    inner = Inner()
    answer = ask(Limits(inner, 9, 1.0, MB, plenty()), MASK, "POST", body=[b"abc", b"def"], session="a")
    assert answer.status == 200
    assert [body for _, body in inner.seen] == [b"abcdef"]


@pytest.mark.parametrize(("path", "bound"), [(MASK, 8 * MB), ("/gradio_api/upload", 3 * MB), ("/other", 4 * MB)])
def test_a_body_beyond_its_bound_is_refused(path: str, bound: int) -> None:
    for size, status in ((bound, 200), (bound + 1, 413)):
        inner = Inner()
        answer = ask(
            Limits(inner, 9, 1.0, 2 * MB, plenty()), path, "POST", body=[b"x" * (size - 5), b"x" * 5], session="a"
        )
        assert answer.status == status
        assert len(inner.seen) == (1 if status == 200 else 0)


def test_an_application_that_hides_the_refusal_is_not_heard() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while True:
                await receive()
        except GivenUp:
            await send({"type": "http.response.start", "status": 400, "headers": []})

    answer = ask(Limits(app, 9, 1.0, MB, plenty()), MASK, "POST", body=[b"x" * (8 * MB), b"x"], session="a")
    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize(
    ("length", "status"), [(str(8 * MB), 200), (str(8 * MB + 1), 413), ("-1", 413), ("1e3", 413), ("", 413)]
)
def test_an_announced_length_is_checked_before_the_body(length: str, status: int) -> None:
    inner = Inner()
    headers = {"content-length": length}
    assert ask(Limits(inner, 9, 1.0, MB, plenty()), MASK, "POST", headers=headers, session="a").status == status
    assert len(inner.seen) == (1 if status == 200 else 0)


def test_changes_of_one_visitor_are_counted() -> None:
    door = Limits(Inner(), 2, 0.001, MB, plenty())
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

    answer = finished(asked(Limits(inner, 9, 1.0, MB, plenty()), MASK, "POST", session="a", receive=receive))
    assert (answer.status, answer.code, inner.seen) == (408, "too_slow", [])


def test_a_trickle_is_given_up_though_it_never_stops() -> None:
    now = [0.0]

    async def receive() -> Message:
        now[0] += 20.0
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    async def parts() -> int:
        request, count = Bounded(receive, _silent, MB, clock=lambda: now[0]), 0
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
        request = Bounded(receive, _silent, MB, clock=lambda: now[0])
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


def test_a_day_has_so_many_bytes_of_a_visitor_and_of_all() -> None:
    inner = Inner()
    door = Limits(inner, 99, 1.0, 9 * MB, UploadLimits(3, 5, lambda size: None, Days()))

    def sent(session: str, size: int, path: str = UPLOAD) -> tuple[int, str]:
        announced = {"content-length": str(size)}
        answer = ask(door, path, "POST", body=[bytes(size // 2)] * 2, headers=announced, session=session)
        return answer.status, "" if answer.status == 200 else f"{answer.code} {answer.headers['retry-after']}"

    assert sent("a", 2 * MB) == sent("a", MB) == (200, "")
    status, words = sent("a", MB, MASK)
    assert status == 429 and words.startswith("upload_limit ") and DAY - 60 < int(words.split()[1]) <= DAY
    # what is no upload is not counted
    assert sent("a", MB, "/other") == sent("b", 2 * MB) == (200, "")
    # all five are taken, though c has sent nothing
    assert sent("c", MB)[0] == 429
    assert len(inner.seen) == 4


def test_new_sessions_of_an_address_begin_no_new_day() -> None:
    """Whoever takes one session after the other has five times what one visitor has, of bytes and of requests."""
    inner = Inner()
    door = Limits(inner, 3, 3.0, 9 * MB, UploadLimits(1, 99, lambda size: None, Days()))
    sent = [ask(door, UPLOAD, "POST", body=[bytes(MB)], session=f"visitor-{n}") for n in range(7)]
    assert [one.status for one in sent] == [200] * OF_ADDRESS + [429] * 2
    assert {one.code for one in sent[OF_ADDRESS:]} == {"upload_limit"}
    others = [ask(door, "/other", "POST", session=f"visitor-{n}").status for n in range(30)]
    assert others == [200] * (3 * OF_ADDRESS - 7) + [429] * (37 - 3 * OF_ADDRESS)


def test_bytes_that_nobody_announced_are_counted_as_they_arrive() -> None:
    inner = Inner()
    door = Limits(inner, 99, 1.0, 9 * MB, UploadLimits(1, 5, lambda size: None, Days()))
    answer = ask(door, UPLOAD, "POST", body=[bytes(700 * 1024)] * 2, session="a")
    assert (answer.status, answer.code, inner.seen) == (429, "upload_limit", [])


def test_a_disk_that_fills_up_ends_an_upload_in_its_middle() -> None:
    free, looked = [8 * MB], []

    def require_room(size: int) -> None:
        looked.append(size)
        if free[0] < size + MB:
            raise UserError("disk_full", "The disk is full.", "Come back in an hour.")

    async def parts() -> int:
        door, inner = UploadLimits(100, 100, require_room, Days()), Inner()
        sizes = [bytes(LOOK_BYTES // 2)] * 6

        async def receive() -> Message:
            free[0] -= LOOK_BYTES // 2
            return {"type": "http.request", "body": sizes.pop(), "more_body": bool(sizes)}

        answer = await asked(Limits(inner, 99, 1.0, 99 * MB, door), UPLOAD, "POST", session="a", receive=receive)
        assert (answer.status, answer.code, inner.seen) == (507, "disk_full", [])
        return len(sizes)

    assert finished(parts()) == 2 and looked == [0, 0]
    free[0] = 9 * MB
    answer = ask(
        Limits(Inner(), 9, 1.0, 99 * MB, UploadLimits(100, 100, require_room, Days())),
        UPLOAD, "POST", headers={"content-length": str(10 * MB)}, session="a",
    )  # fmt: skip
    assert (answer.status, answer.code) == (507, "disk_full")


def test_what_was_uploaded_counts_after_a_restart_also_when_it_was_given_up() -> None:
    days = Days()
    bodies = [b"x" * MB], [b"x" * MB, b"x" * MB]
    for body, status in zip(bodies, (200, 429), strict=True):
        door = Limits(Inner(), 9, 1.0, 9 * MB, UploadLimits(2, 9, lambda size: None, days))
        assert ask(door, UPLOAD, "POST", body=body, session="a").status == status
        assert ask(door, "/other", "POST", body=body, session="a").status == 200
    assert {key: amount for key, (_, amount) in days.rows.items()} == {"a": 2048, ALL: 2048}


def test_a_busy_database_is_told_with_the_next_upload() -> None:
    class Busy(Days):
        def __init__(self) -> None:
            super().__init__()
            self.fails = 1

        def add(self, amounts: Mapping[str, tuple[float, int]]) -> None:
            self.fails -= 1
            if self.fails >= 0:
                raise OperationalError("", {}, Exception("locked"))
            super().add(amounts)

    days = Busy()
    door = Limits(Inner(), 9, 1.0, 9 * MB, UploadLimits(9, 9, lambda size: None, days))
    for _ in range(2):
        assert ask(door, UPLOAD, "POST", body=[b"x" * MB], session="a").status == 200
    assert days.rows["a"][1] == 2048
