"""The server behind nginx, with the block that docs/hosting.md shows: large uploads, long jobs, streams, names."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

import gradio as gr
import pytest
import uvicorn
from httpx2 import Client, TransportError

from tests.certificates import write_certificate
from tests.source import ROOT
from tests.waiting import wait_until
from tests.webapp.fakes import FakeEngine, services_of
from webapp.app import create_app
from webapp.door.identity import SECURE_COOKIE
from webapp.door.patience import PatientProtocol
from webapp.services import Services
from webapp.settings import Settings

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NAME = "scans.example.org"
# a job that a proxy with its usual time-outs, of a minute, would cut off, and its pauses between two events
SECONDS, PAUSE = 70, 7
MB = 1 << 20

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]


@dataclass(frozen=True)
class Proxied:
    """A server, and the address at which nginx answers for it."""

    services: Services
    address: str

    def browser(self) -> Client:
        """A browser on another machine, that knows the server by its name."""
        headers = {"host": f"{NAME}:{self.port}", "origin": f"https://{NAME}:{self.port}"}
        return Client(base_url=self.address, headers=headers, verify=False, timeout=120)

    @property
    def port(self) -> str:
        """The port of nginx."""
        return self.address.rpartition(":")[2]


def page(services: Services) -> gr.Blocks:
    """A page with one event that takes long and shows the time now and then."""

    def work() -> Iterator[str]:
        end = time.time() + SECONDS
        while time.time() < end:
            yield str(time.time())
            time.sleep(PAUSE)

    blocks = gr.Blocks()
    with blocks:
        gr.Button().click(work, None, gr.Textbox())
    return blocks


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configuration(folder: Path, outer: int, inner: int) -> str:
    """The documented block, with other ports and a certificate of its own."""
    text = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    block = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)[0]
    for old, new in (("443 ssl", f"127.0.0.1:{outer} ssl"), (":7860", f":{inner}"), ("/etc/ssl/", f"{folder}/")):
        assert old in block
        block = block.replace(old, new)
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}"
    return f"{main} http {{ {places} access_log off; {block} }}"


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """The server behind nginx, both on ports of their own."""
    folder = tmp_path_factory.mktemp("nginx")
    outer, inner = free_port(), free_port()
    settings = Settings(
        data=folder / "data", warm=False, disk_reserve_mb=1, allow_remote=True, hosts=NAME, public_demo=True, port=inner
    )
    app = create_app(settings, page=page, engine=FakeEngine)
    server = uvicorn.Server(
        uvicorn.Config(app, port=inner, http=PatientProtocol, proxy_headers=False, log_level="warning")
    )
    running = threading.Thread(target=server.run)
    running.start()
    write_certificate(folder, NAME)
    (folder / "nginx.conf").write_text(configuration(folder, outer, inner))
    assert NGINX is not None
    nginx = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    made = Proxied(services_of(app), f"https://127.0.0.1:{outer}")
    try:
        wait_until(lambda: answers(made), bool)
        yield made
    finally:
        nginx.terminate()
        nginx.wait()
        server.should_exit = True
        running.join()


def answers(proxied: Proxied) -> bool:
    try:
        with proxied.browser() as client:
            return client.get("/healthz").status_code == 200
    except TransportError:
        return False


def test_a_browser_gets_the_cookie_of_https_and_counts_by_its_own_address(proxied: Proxied) -> None:
    with proxied.browser() as client:
        answer = client.get("/")
        assert (
            answer.headers["set-cookie"].startswith(f"{SECURE_COOKIE}=") and "; Secure" in answer.headers["set-cookie"]
        )
        # a change from the same origin, of the port too, is let in; another is not
        assert client.post("/gradio_api/reset", json={"event_id": "x"}).status_code == 200
        other = client.post("/gradio_api/reset", json={"event_id": "x"}, headers={"origin": f"https://{NAME}"})
        assert other.json()["code"] == "cross_origin"
        assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 421


def test_a_browser_has_one_connection_for_all_it_asks(proxied: Proxied) -> None:
    """By HTTP/1.1 it has six, for the streams of all its pages."""
    command = ["curl", "--silent", "--insecure", "--http2", "--output", "/dev/null", "--write-out", "%{http_version}"]
    host = f"{NAME}:{proxied.port}"
    done = subprocess.run(
        [*command, "--resolve", f"{host}:127.0.0.1", f"https://{host}/healthz"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "2"), done.stderr


def test_strangers_read_no_counters(proxied: Proxied) -> None:
    with proxied.browser() as client:
        assert client.get("/metrics").json()["code"] == "closed"
        assert client.get("/metrics", headers={"host": "localhost"}).json()["code"] == "closed"


def test_an_upload_of_100_megabytes_arrives_whole(proxied: Proxied) -> None:
    content = bytes(range(256)) * (100 * MB // 256)
    with proxied.browser() as client:
        client.get("/")
        answer = client.post("/gradio_api/upload", files={"files": ("t1.nii", content)})
        assert answer.status_code == 200, answer.text
        assert Path(answer.json()[0]).read_bytes() == content


def test_what_is_too_large_is_refused_in_the_words_of_the_server(proxied: Proxied) -> None:
    """Before its bytes are sent: only their number is announced."""
    with proxied.browser() as client:
        cookie = client.get("/").headers["set-cookie"].partition(";")[0]
        asked = {**client.headers, "cookie": cookie, "content-type": "multipart/form-data; boundary=x"}
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection("127.0.0.1", int(proxied.port), context=context, timeout=60)
    with closing(connection):
        connection.putrequest("POST", "/gradio_api/upload", skip_host=True)
        for name, value in {**asked, "content-length": str(505 * MB)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        refused = connection.getresponse()
        assert (refused.status, json.loads(refused.read())["code"]) == (413, "too_large")


def test_a_long_job_sends_its_events_as_they_happen(proxied: Proxied) -> None:
    late, seen = [], []
    with proxied.browser() as client:
        client.get("/")
        body = {"data": [], "fn_index": 0, "session_hash": "page", "trigger_id": None, "event_data": None}
        assert client.post("/gradio_api/queue/join", json=body).status_code == 200
        with client.stream("GET", "/gradio_api/queue/data?session_hash=page") as stream:
            for line in stream.iter_lines():
                if not line.startswith("data: "):
                    continue
                message = json.loads(line[6:])
                seen.append(message["msg"])
                if message["msg"] == "process_generating" and message["output"]["data"]:
                    value = message["output"]["data"][0]
                    sent = value if isinstance(value, str) else value[0][2]
                    late.append(time.time() - float(sent))
                if message["msg"] == "process_completed":
                    assert message["success"]
                    break
    assert "process_completed" in seen and len(late) >= SECONDS // PAUSE
    # a proxy that collects answers sends them all at the end
    assert max(late) < PAUSE / 2
