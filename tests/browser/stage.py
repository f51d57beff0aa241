"""A small site with nothing but the viewer, under a policy without inline scripts, and what a person does there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page

ASSETS = Path(__file__).resolve().parents[2] / "assets"
LIBRARY = ASSETS / "viewer/node_modules/@niivue/niivue/dist/niivue.umd.js"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self' data: blob:; form-action 'none'"
)
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".png": "image/png"}
HTML = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Viewer</title>
<link rel="stylesheet" href="/ui/style/colours.css"><link rel="stylesheet" href="/ui/style/style.css">
<link rel="stylesheet" href="/contained.css"><link rel="icon" href="data:,"></head>
<body style="margin: 16px; font-family: sans-serif" class="gradio-container one"><main class="contain">
<h1 style="color: var(--cs-text); font-size: 16px">Viewer</h1>
<div id="host"><div class="cs-viewer" role="region" aria-label="Volume viewer"></div></div></main>
<script type="module" src="/page.js"></script></body></html>"""
SCRIPT = """import { mount } from "/ui/viewer/viewer.js";
globalThis.emitted = [];
globalThis.viewer = await mount(document.querySelector("#host"), {
  library: "/ui/niivue.js", emit: (reply) => emitted.push(reply), take: () => {} });
document.body.dataset.mounted = "true";"""

Array = NDArray[np.float32]


@dataclass
class Site:
    """Files by address, served with the page around the viewer."""

    folder: Path
    url: str = ""

    def add(self, name: str, data: Array, affine: NDArray[np.float64], dtype: str = "float32") -> str:
        """Write a volume and return its address."""
        nib.save(nib.Nifti1Image(data.astype(dtype), affine), self.folder / f"{name}.nii.gz")
        return f"/vol/{name}.nii.gz"

    def read(self, address: str) -> bytes | None:
        """Return what stands at ``address``."""
        if address in ("/", "/page.js"):
            return (HTML if address == "/" else SCRIPT).encode()
        if address == "/ui/niivue.js":
            return LIBRARY.read_bytes()
        if address == "/contained.css":
            # as Gradio repeats the style of a page, where its rules outweigh all others
            style = (ASSETS / "style/style.css").read_text(encoding="utf-8")
            return f".gradio-container.one .contain {{ {style} }}".encode()
        ui = address.startswith("/ui/")
        path = ASSETS / address.removeprefix("/ui/") if ui else self.folder / Path(address).name
        return path.read_bytes() if path.is_file() else None


@contextmanager
def serve(folder: Path) -> Iterator[Site]:
    """Serve the viewer and the files of ``folder`` on a free port."""
    made = Site(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = made.read(self.path)
            self.send_response(HTTPStatus.NOT_FOUND if body is None else HTTPStatus.OK)
            suffix = ".html" if self.path == "/" else Path(self.path).suffix
            self.send_header("Content-Type", KINDS.get(suffix, "application/octet-stream"))
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


class Show:
    """The mounted viewer, driven by scenes and by what a person does."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def scene(self, **scene: Any) -> None:
        """Apply a scene and wait until it is drawn."""
        self.page.evaluate("(scene) => viewer.apply(scene)", scene)
        self.settle()
        assert self.ask("viewer.root.dataset.ready") == "true", self.ask("viewer.status.innerText")

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.page.evaluate("() => viewer.queue")

    def ask(self, script: str) -> Any:
        """Return the value of an expression on the page."""
        return self.page.evaluate(script)

    def panel(self, name: str) -> Locator:
        """Return the panel of that name."""
        return self.page.locator(f".cs-panel[data-panel={name}]")

    def titles(self) -> list[str]:
        """Return the headings of the panels that are shown."""
        return [str(one) for one in self.page.locator(".cs-panel:not([hidden]) h3").all_text_contents()]

    def pick(self, label: str, value: str) -> None:
        """Choose from a pick list."""
        self.page.get_by_label(label, exact=True).select_option(value)
        self.settle()

    def window(self, panel: str) -> list[float]:
        """Return the intensity window of a panel's anatomy."""
        found = self.ask(f"[viewer.{panel}.volumes[0].cal_min, viewer.{panel}.volumes[0].cal_max]")
        return [float(one) for one in found]

    def places(self) -> list[list[float]]:
        """Return the crosshair of every filled panel, as fractions of its own grid."""
        return list(self.ask("viewer.live.map((panel) => Array.from(panel.nv.scene.crosshairPos))"))

    def coloured(self, panel: str) -> tuple[int, int]:
        """Return how many pixels of a panel have the warm and the cold colours of the signed maps."""
        script = f"""() => {{ const nv = viewer.{panel}.nv; const gl = nv.gl;
        const width = nv.opts.crosshairWidth; nv.opts.crosshairWidth = 0; nv.drawScene();
        const data = new Uint8Array(gl.drawingBufferWidth * gl.drawingBufferHeight * 4);
        gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA, gl.UNSIGNED_BYTE, data);
        nv.opts.crosshairWidth = width; nv.drawScene();
        let [warm, cold] = [0, 0];
        for (let i = 0; i < data.length; i += 4) {{
          if (data[i] > data[i + 2] + 80) warm++;
          if (data[i + 2] > data[i] + 80) cold++; }}
        return [warm, cold]; }}"""
        warm, cold = self.ask(script)
        return int(warm), int(cold)

    def click(self, panel: str, x: float, y: float) -> None:
        """Click at a fraction of a panel's canvas."""
        box = self.panel(panel).locator("canvas").bounding_box()
        assert box
        self.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        self.page.wait_for_timeout(150)

    def violations(self) -> list[str]:
        """Return what axe-core finds serious."""
        found = Axe().run(self.page).response["violations"]
        bad = [one for one in found if one["impact"] in ("serious", "critical")]
        return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in bad]
