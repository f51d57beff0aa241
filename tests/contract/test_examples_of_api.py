"""The examples of docs/api.md against a running server with log-in and tiny networks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import anyio
import httpx2
import nibabel as nib
import numpy as np
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.blocks import blocks
from tests.browser.conftest import Server
from tests.contract.phantom import write_phantom, write_tiny_network
from webapp.app import build_services
from webapp.settings import Settings
from webapp.store.clock import now

EXAMPLES = {block.text: block.language for block in blocks() if block.page == "docs/api.md"}


@dataclass(frozen=True)
class Site:
    """A server, a token of somebody who has an account there, and a folder with a scan and a mask."""

    server: Server
    token: str
    folder: Path

    def run(self, *command: str) -> str:
        """Run a program of the visitor's and return what it prints."""
        environment = {**os.environ, "SERVER": self.server.url, "TOKEN": self.token}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr + self.server.log.read_text()
        return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("programs")
    (folder / "weights").mkdir()
    write_tiny_network(folder / "weights")
    written = write_phantom(folder)
    written["t1"].rename(folder / "T1.nii.gz")
    server = Server(folder, folder / "weights", ["serve", "--mcp"], {"COUNTERSCAN_ACCOUNTS": "1"})
    server.start()
    try:
        services = build_services(Settings(data=server.data, accounts=True))
        ada = services.accounts.add("ada", "visitor", None)
        _, token = services.tokens.add(ada.session, ada, "examples", now() + timedelta(days=1))
        services.repo.engine.dispose()
        yield Site(server, token, folder)
    finally:
        server.stop()


def example(language: str, part: str) -> str:
    """Return the one example in a language that has a part."""
    (found,) = [text for text, kind in EXAMPLES.items() if kind == language and part in text]
    return found


@pytest.mark.parametrize(
    ("program", "language", "part"),
    [((sys.executable, "-c"), "python", "requests"), (("bash", "-euc"), "bash", "curl")],
)
def test_an_example_fills_a_lesion(site: Site, program: tuple[str, ...], language: str, part: str) -> None:
    filled = site.folder / "FILLED.nii.gz"
    filled.unlink(missing_ok=True)
    site.run(*program, example(language, part))
    before, after = (np.asarray(nib.load(path).dataobj) for path in (site.folder / "T1.nii.gz", filled))
    mask = np.asarray(nib.load(site.folder / "mask.nii.gz").dataobj) > 0
    assert (before[~mask] == after[~mask]).all() and (before[mask] != after[mask]).any()


def test_the_example_of_the_gradio_client_gives_addresses(site: Site) -> None:
    printed = site.run(sys.executable, "-c", example("python", "gradio_client"))
    assert "\ndone [" in printed and "/results/result.nii.gz" in printed


def test_the_tools_of_the_protocol_are_the_tasks(site: Site) -> None:
    headers = {"authorization": f"Bearer {site.token}"}

    async def talk() -> None:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(f"{site.server.url}/mcp", http_client=http)) as client,
        ):
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert names[:5] == ["inpaint", "superres", "translate", "failure", "augment"]
            listed = await client.call_tool("list_files", {})
            assert listed.structured_content is not None
            mask, scan = listed.structured_content["files"][:2]
            given = {"t1": scan["id"], "mask": mask["id"], "preset": "fast", "wait": 50}
            made = await client.call_tool("inpaint", given)
            assert not made.is_error and made.structured_content is not None
            job = made.structured_content
            assert (job["task"], job["state"], job["params"]["samples"]) == ("inpaint", "done", 1)
            refused = await client.call_tool("inpaint", {**given, "t1": mask["id"]})
            assert refused.is_error and "wrong_input" in str(refused.content[0])
            result = await http.get(site.server.url + job["results"][0]["address"])
            assert result.status_code == 200

    anyio.run(talk)
    # a stream of the server's and the end of a session, which clients try
    for method in ("GET", "DELETE", "HEAD"):
        answer = httpx2.request(method, f"{site.server.url}/mcp", headers=headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    # without a token there is nothing
    for method in ("POST", "GET", "DELETE"):
        assert httpx2.request(method, f"{site.server.url}/mcp").status_code == 401
