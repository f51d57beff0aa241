"""A server that many use at once, and one that is used for long: what it promises, and what it leaves."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import numpy as np
import psutil
import pytest

from tests.fault.raters import database_of
from tests.fault.rating_server import RatingServer
from tests.waiting import wait_until
from webapp.store.browsers import Browsers
from webapp.store.database import connect
from webapp.store.queue import Queue

Value = TypeVar("Value")

MB = 1 << 20
# what 95 % of the polls may take on a machine that does nothing else, s
LIMIT = 0.3
# between the uploads of one visitor, s
PAUSE = 0.2
# answers that are promised to an upload: kept, or refused with a time to come back
REFUSED = (413, 429, 503, 507)


@contextmanager
def served(folder: Path) -> Iterator[RatingServer]:
    """A running server."""
    server = RatingServer(folder)
    try:
        server.start()
        wait_until(lambda: health_of(server), lambda status: status == 200)
        yield server
    finally:
        server.close()


def health_of(server: RatingServer) -> int | None:
    """Return what /healthz answers, None before it does."""
    try:
        return httpx2.get(f"http://127.0.0.1:{server.port}/healthz").status_code
    except httpx2.HTTPError:
        return None


@dataclass
class Crowd:
    """What came back: seconds of polls and of looks at /healthz, and answers that were not promised."""

    polls: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    uploads: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def browser(port: int, number: int) -> httpx2.AsyncClient:
    """A browser at an address of its own, as a proxy on this machine names it."""
    site = f"http://127.0.0.1:{port}"
    headers = {"origin": site, "x-forwarded-for": f"10.{number // 250}.7.{number % 250 + 1}"}
    return httpx2.AsyncClient(base_url=site, headers=headers, timeout=60)


async def visited(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.status_code == 200, answer.text


def jobs_of(server: RatingServer, browsers: Sequence[httpx2.AsyncClient]) -> list[str]:
    """Give each visitor a job, of which one runs and all others wait, and return their ids."""
    engine = connect(database_of(server.data))
    known, queue = Browsers(engine, 1), Queue(engine, running_per_session=1)
    sessions = [known.find(one.cookies["counterscan_session"]) for one in browsers]
    found = [queue.add(one.session, "failure", {}, {}, own=1, total=10_000) for one in sessions if one]
    engine.dispose()
    assert len(found) == len(browsers)
    return found


async def poll(client: httpx2.AsyncClient, job: str) -> float:
    """Look how far a job is, as its page does, and return how long the page then waits, s."""
    answer = await client.get(f"/progress/{job}")
    assert answer.status_code == 200 and answer.json()["shown"], answer.text
    return float(answer.json()["again"])


async def press(client: httpx2.AsyncClient, page: str) -> None:
    """Do what a button of a page does: send an event, and read its answer from a stream."""
    body = {"data": [None], "fn_index": 0, "session_hash": page, "trigger_id": None, "event_data": None}
    joined = await client.post("/gradio_api/queue/join", json=body)
    assert joined.status_code == 200, joined.text
    async with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": page}) as stream:
        lines = [json.loads(line[6:]) async for line in stream.aiter_lines() if line.startswith("data: ")]
    assert any(line["msg"] == "process_completed" and line["success"] for line in lines), lines


async def timed(crowd: Crowd, seconds: list[float], doing: Coroutine[Any, Any, Value]) -> Value | None:
    begun = time.perf_counter()
    try:
        value = await doing
    except (AssertionError, httpx2.HTTPError) as error:
        crowd.broken.append(repr(error)[:300])
        return None
    seconds.append(time.perf_counter() - begun)
    return value


async def polls(crowd: Crowd, client: httpx2.AsyncClient, job: str, end: float, late: float) -> None:
    """Follow a job until the end at the pace that the server gives; late: when this page begins, s."""
    await asyncio.sleep(late)
    while time.monotonic() < end:
        await asyncio.sleep(await timed(crowd, crowd.polls, poll(client, job)) or 1.0)


async def sends(crowd: Crowd, client: httpx2.AsyncClient, end: float) -> None:
    """Upload again and again until the end; a refusal is waited for."""
    content = np.random.default_rng(0).bytes(2 * MB)
    while time.monotonic() < end:
        try:
            answer = await client.post("/gradio_api/upload", files={"files": ("T1.nii.gz", content)})
        except httpx2.HTTPError as error:
            crowd.broken.append(repr(error))
            continue
        crowd.uploads[answer.status_code] += 1
        if answer.status_code in REFUSED and answer.json()["hint"]:
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
        elif answer.status_code != 200:
            crowd.broken.append(f"{answer.status_code} {answer.text[:200]}")
        await asyncio.sleep(PAUSE)


async def looks(crowd: Crowd, client: httpx2.AsyncClient, end: float) -> None:
    """Look at /healthz until the end."""
    while time.monotonic() < end:
        await timed(crowd, crowd.health, client.get("/healthz"))
        await asyncio.sleep(0.05)


async def crowd_of(server: RatingServer, visitors: int, uploads: int, seconds: float) -> Crowd:
    """Let visitors follow jobs while others upload at once, again and again, and somebody looks at /healthz."""
    crowd = Crowd()
    browsers = [browser(server.port, number) for number in range(visitors + uploads + 1)]
    try:
        for client in browsers:
            await visited(client)
        jobs = await asyncio.to_thread(jobs_of, server, browsers[:visitors])
        end = time.monotonic() + seconds
        following = enumerate(zip(browsers[:visitors], jobs, strict=True))
        tasks = [polls(crowd, one, job, end, 2 * number / visitors) for number, (one, job) in following]
        tasks += [sends(crowd, one, end) for one in browsers[visitors:-1]]
        await asyncio.gather(*tasks, looks(crowd, browsers[-1], end))
    finally:
        await asyncio.gather(*(client.aclose() for client in browsers))
    return crowd


def test_a_few_get_what_is_promised_and_leave_nothing(tmp_path: Path) -> None:
    """The two tests below in a short form, on one server, and what it takes to follow a job: counted as work."""
    with served(tmp_path) as server:
        look, event, alive = asyncio.run(costs(server))
        crowd = asyncio.run(crowd_of(server, 8, 4, 2))
        require_no_leak(server, visitors=40)
    assert crowd.broken == [] and len(crowd.polls) >= 8 and crowd.uploads[200] >= 4 and crowd.health
    figures = f"a look {1000 * look:.2f} ms, an event {1000 * event:.2f} ms, /healthz {1000 * alive:.2f} ms"
    print(figures)  # noqa: T201 - shown by pytest -s
    assert look < event / 4 and look < 4 * alive, figures


async def costs(server: RatingServer) -> tuple[float, float, float]:
    """Return what a look at a job, an event and /healthz take of the server's processor, s."""
    async with browser(server.port, 0) as client:
        await visited(client)
        job = (await asyncio.to_thread(jobs_of, server, [client]))[0]
        found = []
        works: tuple[Callable[[], Coroutine[Any, Any, object]], ...] = (
            lambda: poll(client, job),
            lambda: press(client, "page"),
            lambda: client.get("/healthz"),
        )
        for work in works:
            await work()
            begun = server.processor()
            for _ in range(150):
                await work()
            found.append((server.processor() - begun) / 150)
    look, event, alive = found
    return look, event, alive


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_crowd_is_answered_in_time(tmp_path: Path) -> None:
    """A hundred uploads and two hundred visitors who follow their jobs, on a machine that does nothing else."""
    with served(tmp_path) as server:
        begun = server.processor()
        crowd = asyncio.run(crowd_of(server, 200, 100, 60))
        work = server.processor() - begun
    p50, p95, p99 = np.percentile(crowd.polls, [50, 95, 99])
    health = np.percentile(crowd.health, 95)
    figures = (
        f"{len(crowd.polls)} polls: p50 {p50:.3f} s, p95 {p95:.3f} s, p99 {p99:.3f} s; /healthz p95 {health:.3f} s; "
        f"uploads {dict(crowd.uploads)}; {len(crowd.broken)} not promised; "
        f"{work:.0f} s of the server's processor"
    )
    print(figures)  # noqa: T201 - shown by pytest -s
    assert crowd.broken == [], figures
    assert p95 < LIMIT, figures


@pytest.mark.soak
@pytest.mark.timeout(4200)
def test_nothing_leaks_in_an_hour(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        require_no_leak(server, seconds=3600)


def require_no_leak(server: RatingServer, seconds: float = 600, visitors: int | None = None) -> None:
    """Let so many visitors, or those that fit into the time, come, upload, poll, delete and go; memory, threads, open
    files and the disk are then as before."""
    before = set((server.data / "uploads").iterdir())
    seen = asyncio.run(lives(server, psutil.Process(server.process), seconds, visitors))
    assert visitors is None or len(seen) == visitors
    left = [path.name for path in set((server.data / "uploads").glob("?" * 32)) - before]
    begun, end = seen[len(seen) // 3], seen[-1]
    figures = f"{len(seen)} visitors; memory, threads, files after a third {begun}, at the end {end}"
    print(figures)  # noqa: T201 - shown by pytest -s
    assert left == [], figures
    assert end[0] < begun[0] + 64 * MB and end[1] <= begun[1] + 8 and end[2] <= begun[2] + 8, figures


async def lives(
    server: RatingServer, process: psutil.Process, seconds: float, visitors: int | None
) -> list[tuple[int, int, int]]:
    """Lead visitors' lives one after the other; return memory, threads and open files of the server after each."""
    seen, end, number = [], time.monotonic() + seconds, 0
    while time.monotonic() < end and number != visitors:
        number += 1
        async with browser(server.port, number % 60_000) as client:
            await visited(client)
            sent = await client.post("/gradio_api/upload", files={"files": ("T1.nii.gz", bytes(MB))})
            assert sent.status_code == 200, sent.text
            await press(client, f"life{number:06d}")
            assert (await client.get("/shared/" + "a" * 43)).status_code == 404
            assert (await client.get("/files/" + "b" * 32)).status_code == 404
            assert (await client.post("/data/delete")).status_code == 204
        seen.append((process.memory_info().rss, process.num_threads(), process.num_fds()))
    return seen
