"""Buckets for the tests of a run, on a server that speaks the language of S3, and what goes wrong on the way to it."""

from __future__ import annotations

import secrets
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest

CHUNK = 1 << 16


class Way:
    """A way to a server, on a port of its own, that can be closed or break off.

    closed: nobody is let in. breaks: connections left that end after ``after`` bytes of either direction.
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self.closed = False
        self.breaks = 0
        self.after = 0
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let nobody in any more."""
        # wakes the thread that waits for somebody
        self._door.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._door.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                if self.closed:
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                room = self.after if self.breaks > 0 else 1 << 40
                self.breaks -= 1
                ends = threading.Semaphore(0)
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=(source, target, room, ends), daemon=True).start()
                threading.Thread(target=_clear, args=(near, far, ends), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, room: int, ends: threading.Semaphore) -> None:
    with suppress(OSError):
        while room > 0 and (chunk := source.recv(min(CHUNK, room))):
            target.sendall(chunk)
            room -= len(chunk)
        if room <= 0:
            source.shutdown(socket.SHUT_RDWR)
        target.shutdown(socket.SHUT_RDWR if room <= 0 else socket.SHUT_WR)
    ends.release()


def _clear(near: socket.socket, far: socket.socket, ends: threading.Semaphore) -> None:
    for _ in range(2):
        ends.acquire()
    near.close()
    far.close()


class Buckets:
    """A server, moto's, in this process; ``way`` leads to it."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from moto.server import ThreadedMotoServer
        self._server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self._server.start()
        _, port = self._server.get_host_and_port()
        self.way = Way(port)
        keys = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests", "region_name": "us-east-1"}
        self.client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **keys)

    def empty(self, *, versions: bool = False) -> str:
        """Return the name of a new bucket."""
        name = f"test-{secrets.token_hex(8)}"
        self.client.create_bucket(Bucket=name)
        if versions:
            self.client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def content(self, bucket: str) -> dict[str, bytes]:
        """Return key -> bytes of all objects."""
        found: list[dict[str, Any]] = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {one["Key"]: self.client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found}

    def versions(self, bucket: str) -> list[str]:
        """Return the keys of all versions and marks of deletion."""
        found = self.client.list_object_versions(Bucket=bucket)
        return [one["Key"] for kind in ("Versions", "DeleteMarkers") for one in found.get(kind, ())]

    def close(self) -> None:
        """End the server."""
        self.way.close()
        self.client.close()
        self._server.stop()


@pytest.fixture(scope="session")
def buckets_of_run() -> Iterator[Buckets]:
    """The server of buckets of this process."""
    server = Buckets()
    yield server
    server.close()


@pytest.fixture
def buckets(buckets_of_run: Buckets, monkeypatch: pytest.MonkeyPatch) -> Buckets:
    """The server of buckets, which the environment names, and the way to it open."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "tests")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", buckets_of_run.way.address)
    buckets_of_run.way.closed, buckets_of_run.way.breaks = False, 0
    return buckets_of_run
