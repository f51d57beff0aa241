"""The server of raters, quick to start: ``python -m tests.fault.rating_server PORT DATA PATIENCE``.

Each line on its input starts it anew once the one before has died; the line it writes names the new process. It is the
whole server but for the page of the researchers and for networks; its jobs never end. PATIENCE: seconds that a write
waits for another, once it has started.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from starlette.types import Message, Receive, Scope, Send

from tests.webapp.fakes import FakeEngine, endless, services_of, stub_page
from webapp.app import create_app, prepare_gradio
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


class RatingServer:
    """The server as a process of its own, which can be killed and started again on the same data."""

    def __init__(self, folder: Path, patience: float = 30.0) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.data = folder / "data"
        self.log = folder / "server.log"
        command = [sys.executable, "-m", __name__, str(self.port), str(self.data), str(patience)]
        with self.log.open("wb") as log:
            self._nursery = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1
            )
        self._server = 0

    def start(self) -> None:
        """Start it; it answers a moment later."""
        assert self._nursery.stdin and self._nursery.stdout
        self._nursery.stdin.write("start\n")
        line = self._nursery.stdout.readline()
        if not line:
            raise RuntimeError(self.log.read_text())
        self._server = int(line)

    @property
    def process(self) -> int:
        """The number of its process."""
        return self._server

    def processor(self) -> float:
        """Return the seconds of processor time that it has used."""
        times = psutil.Process(self._server).cpu_times()
        return float(times.user + times.system)

    def kill(self) -> None:
        """End it without a warning."""
        os.kill(self._server, signal.SIGKILL)

    def close(self) -> None:
        """End it and what starts it."""
        if self._server:
            self.kill()
        self._nursery.communicate()


def serve(port: int, data: Path, patience: float) -> None:
    """Serve until killed."""
    import uvicorn

    settings = Settings(data=data, warm=False, disk_reserve_mb=1, post_burst=1000, post_rate=1000.0)
    app = create_app(settings, page=stub_page, engine=lambda: FakeEngine(endless))
    database = services_of(app).repo.engine

    def hurry(connection: DBAPIConnection, entry: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        connection.cursor().execute(f"PRAGMA busy_timeout={int(patience * 1000)}")

    async def hurrying(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                event.listen(database, "checkout", hurry)
            await send(message)

        await app(scope, receive, sending)

    uvicorn.run(hurrying, host="127.0.0.1", port=port, log_level="warning")


def main(port: int, data: Path, patience: float) -> None:
    """Start a server for each line that is read, one after the other."""
    prepare_gradio(data)
    import gradio  # noqa: F401 - takes seconds, which every start is spared

    for _ in sys.stdin:
        server = os.fork()
        if server == 0:
            serve(port, data, patience)
            os._exit(0)
        sys.stdout.write(f"{server}\n")
        sys.stdout.flush()
        os.waitpid(server, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
