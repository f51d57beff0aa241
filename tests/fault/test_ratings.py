"""A server is killed while ratings come in; every one it acknowledged must be there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import text

from tests.databases import fresh
from webapp.store.database import connect
from webapp.store.queue import Queue
from webapp.store.repository import Repo

WRITER = """
import sys
from webapp.store.database import connect
from webapp.store.repository import Repo
repo = Repo(connect(sys.argv[1]))
for number in range(100_000):
    name = f"client-{sys.argv[3]}-{number}"
    repo.add_rating(sys.argv[2], "a", name, 1 + number % 5, 3, 3, "comment")
    sys.stdout.write(name + "\\n")
    sys.stdout.flush()
"""
ROOT = Path(__file__).resolve().parents[2]


def test_every_acknowledged_rating_survives_kill_9(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    engine = connect(url)
    fresh(engine)
    job_id = Queue(engine, running_per_session=1).add("a", "inpaint", {}, {}, own=1, total=1)
    engine.dispose()
    acknowledged: list[str] = []
    chance = random.Random(0)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for turn in range(3):
        command = [sys.executable, "-c", WRITER, url, job_id, str(turn)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment)
        assert writer.stdout
        acknowledged.append(writer.stdout.readline().decode().strip())
        time.sleep(chance.uniform(0.05, 0.3))
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate()
        # the last line may have been cut by the signal
        acknowledged += [line.decode() for line in rest.split(b"\n")[:-1]]
    kept = Repo(connect(url))
    with kept.engine.begin() as connection:
        names = {str(name) for name in connection.execute(text("SELECT client_id FROM rating")).scalars()}
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
    assert len(acknowledged) > 10
    assert set(acknowledged) <= names
    assert len(names) <= len(acknowledged) + 3
