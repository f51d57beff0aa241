"""A running server, a browser, and a page that reports everything it should not do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Error,
    Page,
    Request,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browser.steps import visit
from tests.contract.phantom import write_tiny_networks
from tests.phantom import make_phantom
from tests.waiting import LONGEST

ROOT = Path(__file__).resolve().parents[2]
# a wait ends on the event, this is only its limit
STEP_MS = 1000 * LONGEST
expect.set_options(timeout=STEP_MS)
# two pages of the address bar's own, which every window would open, each for half a second of processor time; the last
# list of a command line counts, so that Playwright's own stands here again
WITHOUT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,WebUIOmniboxPopup,WebUIOmniboxAimPopup"
)
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={WITHOUT}",
]


class Server:
    """``python -m webapp`` on a free port with its own data folder; it can be restarted on the same data.

    words: of the command line. settings: more variables of the environment.
    """

    def __init__(
        self, folder: Path, weights: Path, words: Sequence[str] = (), settings: Mapping[str, str] | None = None
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.weights = weights
        self.log = folder / "server.log"
        self.data = folder / "data"
        self._words = words
        self._environment = {
            **os.environ,
            "COUNTERSCAN_PORT": str(self.port),
            "COUNTERSCAN_DATA": str(self.data),
            "COUNTERSCAN_WEIGHTS": str(weights),
            "COUNTERSCAN_THREADS": "1",
            "COUNTERSCAN_DEVICE": "cpu",
            # most networks are used by no test
            "COUNTERSCAN_WARM": "0",
            "COUNTERSCAN_DISK_RESERVE_MB": "1",
            # longer than any test takes: rows have the button that keeps them
            "COUNTERSCAN_RETENTION_HOURS": "48",
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until the server answers."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "webapp", *self._words]
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        limit = time.monotonic() + LONGEST
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(self.log.read_text())
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop it as a service manager would."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(LONGEST)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=LONGEST) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False


@dataclass
class Scans:
    """Paths of synthetic scans with their masks: ``small`` is quick in every step, ``large`` takes seconds to fill."""

    small: tuple[Path, Path]
    large: tuple[Path, Path]
    folder: Path


# what Gradio says of its own open streams when a page is left
LEFT = ("AbortError: signal is aborted without reason", "Unexpected error Connection errored out.")


@dataclass
class Watch:
    """What a page did that it should not do, and every address it asked for."""

    faults: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        """Listen to ``page`` from now on."""
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("dialog", self._dialog)
        page.on("request", self._request)

    def leave(self, page: Page) -> None:
        """Listen to ``page`` no longer."""
        page.remove_listener("console", self._console)
        page.remove_listener("pageerror", self._error)
        page.remove_listener("dialog", self._dialog)
        page.remove_listener("request", self._request)

    def _error(self, error: Error) -> None:
        self.faults.append(str(error))

    def _request(self, request: Request) -> None:
        self.addresses.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(LEFT):
            self.faults.append(message.text)

    def _dialog(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog {dialog.message}")
        dialog.dismiss()


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Scans:
    """Synthetic heads on the disk."""
    folder = tmp_path_factory.mktemp("scans")
    paths = []
    for name, spacing, shape in (("small", 6.0, (26, 30, 28)), ("large", 2.0, (78, 90, 84))):
        (folder / name).mkdir()
        affine = np.diag([spacing, spacing, spacing, 1.0])
        paths.append(make_phantom(affine, shape).write(folder / name))
    return Scans(paths[0], paths[1], folder)


# server and browser end with the last test of this folder: later tests of the same process pay for none of them
@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all browser tests, with networks of a few thousand random weights."""
    weights = tmp_path_factory.mktemp("weights")
    write_tiny_networks(weights)
    running = Server(tmp_path_factory.mktemp("server"), weights)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="package")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One Chromium for all browser tests."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGUMENTS)
        yield opened
        opened.close()


# Gradio's sign of loading counts tenths of a second in every frame, for ever, when it has long gone: nothing is drawn
# by it, and it costs a twentieth of a core for each page that is open
STILL = """
const frame = requestAnimationFrame;
const counts = /^\\(\\)=>\\{\\w+\\(\\w+,\\(performance\\.now\\(\\)-\\w+\\(\\w+\\)\\)\\/1e3\\)/;
globalThis.requestAnimationFrame = (draw) => counts.test(String(draw)) ? 0 : frame(draw);
"""


# pixels of the drawing for one of the page: software draws volumes, in a time that goes with the pixels, and
# tests/looks looks at what is drawn
COARSE = 0.5


USUAL: ViewportSize = {"width": 1280, "height": 900}


def new_context(browser: Browser, **more: Any) -> BrowserContext:
    """Return a browser without a past: own cookies, storage and cache, 1280 x 900."""
    options: dict[str, Any] = {
        "viewport": USUAL, "accept_downloads": True, "device_scale_factor": COARSE,
        "reduced_motion": "reduce", **more,
    }  # fmt: skip
    made = browser.new_context(**options)
    made.set_default_timeout(STEP_MS)
    made.add_init_script(STILL)
    return made


@pytest.fixture(scope="package")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """What visitors use one after the other: the scripts of the page, once fetched, are kept."""
    made = new_context(browser)
    yield made
    made.close()


@pytest.fixture
def context(profile: BrowserContext) -> Iterator[BrowserContext]:
    """A fresh visitor: no page, no cookie and nothing stored."""
    yield profile
    for page in profile.pages:
        page.evaluate("localStorage.clear()")
        page.close()
    profile.clear_cookies()


@pytest.fixture
def watch(server: Server) -> Iterator[Watch]:
    """Checks after each test that no page asked another host, logged an error or opened a dialog."""
    seen = Watch()
    yield seen
    own = (server.url, "data:", "blob:")
    assert [address for address in seen.addresses if not address.startswith(own)] == []
    assert seen.faults == []


class Desk:
    """A page that stays open from test to test, as long as none fails: its scripts and drawings are made once.

    opened: makes the page's context; prepare: brings the page to where the tests begin. stood: where it was brought by
    ``page`` since it was opened.
    """

    def __init__(self, opened: Callable[[], BrowserContext], prepare: Callable[[Page], None]) -> None:
        self._opened = opened
        self._prepare = prepare
        self._page: Page | None = None
        self._stands = ""
        self.stood: set[str] = set()
        self._failed = 0

    @contextmanager
    def page(
        self,
        request: pytest.FixtureRequest,
        watch: Watch,
        stands: str = "",
        further: Callable[[Page], None] | None = None,
    ) -> Iterator[Page]:
        """Lend the page to a test, a new one if a test has failed since the last.

        further: brings the page to where tests of the name ``stands`` go on; done once, until another test has it.
        """
        failed = request.session.testsfailed
        if self._page and failed != self._failed:
            self.close()
        self._failed = failed
        page = self._page or self._opened().new_page()
        watch.follow(page)
        if not self._page:
            self._prepare(page)
        self._page = page
        if further and stands != self._stands:
            further(page)
            self.stood.add(stands)
        self._stands = stands
        yield page
        if self._page:
            watch.leave(self._page)

    def reopen(self, watch: Watch) -> Page:
        """Close the page and return an empty one of the same visitor, which is lent from now on."""
        if self._page is None:
            raise RuntimeError("no page is open")
        old, self._page = self._page, self._page.context.new_page()
        old.close()
        watch.follow(self._page)
        return self._page

    def close(self) -> None:
        """Close the page and its context."""
        if self._page:
            self._page.context.close()
            self._page, self._stands = None, ""
            self.stood.clear()


@pytest.fixture(scope="package")
def desk(browser: Browser, server: Server) -> Iterator[Desk]:
    """The page that tests of all files share."""
    made = Desk(lambda: new_context(browser), lambda page: visit(page, server.url))
    yield made
    made.close()


@pytest.fixture
def shared_page(desk: Desk, watch: Watch, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page as another test may have left it, for tests that load and set what they need."""
    with desk.page(request, watch) as page:
        page.set_viewport_size(USUAL)
        yield page
