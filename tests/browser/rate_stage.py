"""A small site with nothing but the page of a reader study, whose answers are kept in memory."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import nibabel as nib
import numpy as np
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.browser.stage import ASSETS, KINDS, LIBRARY
from tests.waiting import LONGEST

KEY = "k3y"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self' data: blob:; font-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
PRIVATE = {"cache-control": "private, no-store"}
SHAPE, SPACING = (20, 26, 14), (2.0, 1.5, 3.0)

PREFER = {
    "name": "prefer",
    "kind": "choice",
    "title": "Which image looks more real?",
    "help": "",
    "options": [["A", "A"], ["B", "B"]],
    "optional": False,
}
REAL = PREFER | {
    "name": "real",
    "title": "Is this scan real or synthetic?",
    "options": [["real", "Real"], ["synthetic", "Synthetic"]],
}
CONFIDENCE = {
    "name": "confidence",
    "kind": "scale",
    "title": "How sure are you?",
    "help": "",
    "levels": 5,
    "low": "a guess",
    "high": "certain",
    "optional": False,
}
ANATOMY = CONFIDENCE | {
    "name": "anatomy",
    "title": "Anatomy",
    "help": "Folds, vessels, ventricles.",
    "low": "impossible",
}
MARK = {"name": "mark", "kind": "mark", "title": "Mark what looks made", "help": "", "optional": True}
COMMENT = {"name": "comment", "kind": "text", "title": "Comment", "help": "", "optional": True}


def head(seed: int, shape: tuple[int, int, int] = SHAPE) -> NDArray[np.uint8]:
    """Return an ellipsoid with folds, 0 to 255."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij"))
    radius = np.sqrt((grid**2).sum(axis=0))
    folds = np.sin(9 * grid[0] + seed) * np.sin(8 * grid[1]) * np.sin(7 * grid[2])
    inside = np.where(radius < 0.85, 150 + 60 * folds + rng.normal(0, 8, shape), 0)
    return np.asarray(np.clip(inside, 0, 255), dtype=np.uint8)


def nifti(data: NDArray[np.uint8], affine: NDArray[np.float64] | None = None) -> bytes:
    """Return an uncompressed NIfTI-1 file."""
    grid = np.diag([*SPACING, 1.0]) if affine is None else affine
    return bytes(nib.Nifti1Image(data, grid).to_bytes())


@dataclass
class Item:
    """What is shown at one position; feedback makes it a training item."""

    images: list[bytes]
    questions: list[dict[str, Any]]
    feedback: dict[str, Any] | None = None


@dataclass
class Study:
    """A study with one rater, and what the server was sent."""

    items: list[Item]
    changes: bool = False
    toggle: bool = False
    consent: str = "Your answers are kept without your name."
    expertise: tuple[str, ...] = ("Neuroradiologist", "Radiographer")
    started: dict[str, Any] | None = None
    ended: int = 0
    replies: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    trouble: deque[int] = field(default_factory=deque)
    url: str = ""

    @property
    def done(self) -> int:
        """How many showings have an answer."""
        return len({row["showing"] for row in self.rows})

    def begin(self) -> Study:
        """Skip the start page."""
        self.started = {"consent": True}
        return self

    def progress(self) -> dict[str, int]:
        """Return Progress."""
        return {"done": self.done, "total": len(self.items)}

    def showing(self, position: int) -> dict[str, Any] | None:
        """Return Showing, None where there is no such item."""
        if not 1 <= position <= len(self.items):
            return None
        item, ident = self.items[position - 1], identity(position)
        saved = [row["answers"] for row in self.rows if row["showing"] == ident]
        return {
            "id": ident,
            "position": position,
            "training": item.feedback is not None,
            "images": [f"/rate/{KEY}/image/{identity(position, i)}" for i in range(len(item.images))],
            "questions": item.questions,
            "answers": saved[-1] if saved else None,
        }

    def state(self) -> dict[str, Any]:
        """Return State."""
        return {
            "title": "Filled lesions <b>2</b>",
            "instructions": "Look at every image.\nThen answer the questions.",
            "consent": self.consent,
            "end": "The results are sent to you in spring.",
            "changes": self.changes,
            "toggle": self.toggle,
            "started": self.started is not None,
            "expertise": list(self.expertise),
            "progress": self.progress(),
            "next": self.showing(self.done + 1),
        }

    def save(self, post: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Keep an answer once for each client id and return status and Saved."""
        self.posts.append(post)
        if self.trouble:
            status = self.trouble.popleft()
            return status, {"code": "trouble", "message": "This answer is bad.", "hint": "Answer again."}
        if post["client_id"] not in self.replies:
            position = next(i for i in range(1, len(self.items) + 1) if identity(i) == post["showing"])
            self.rows.append(post)
            self.replies[post["client_id"]] = {
                "saved": f"a{len(self.rows)}",
                "feedback": self.items[position - 1].feedback,
                "progress": self.progress(),
                "next": self.showing(self.done + 1),
            }
        return 200, self.replies[post["client_id"]]


def identity(position: int, image: int = -1) -> str:
    """Return the id of a showing or of one of its images."""
    return sha256(f"{position} {image}".encode()).hexdigest()[:32]


def application(study: Study) -> Starlette:
    """Return the site of ``study``."""
    at = f"/rate/{KEY}"
    return Starlette(
        routes=[
            Route(at, _page),
            Route("/ui/{name:path}", _asset),
            *(Route(f"{at}/{path}", work, methods=[method]) for path, method, work in _questions(study)),
        ]
    )


def _questions(study: Study) -> list[tuple[str, str, Callable[[Request], Awaitable[Response]]]]:
    async def state(request: Request) -> Response:
        return _refuse(study.ended) if study.ended else _answer(study.state())

    async def start(request: Request) -> Response:
        study.started = await request.json()
        return _answer(study.state())

    async def showing(request: Request) -> Response:
        position = int(request.path_params["position"])
        found = study.showing(position) if position <= study.done + 2 else None
        return _answer(found) if found else _refuse(404)

    async def answers(request: Request) -> Response:
        status, body = study.save(await request.json())
        return _answer(body, status)

    async def image(request: Request) -> Response:
        name = request.path_params["name"]
        every = ((p, i) for p, item in enumerate(study.items, 1) for i in range(len(item.images)))
        position, number = next(one for one in every if identity(*one) == name)
        return Response(study.items[position - 1].images[number], headers=PRIVATE)

    return [
        ("state", "GET", state),
        ("start", "POST", start),
        ("showing/{position:int}", "GET", showing),
        ("answers", "POST", answers),
        ("image/{name}", "GET", image),
    ]


def _answer(body: object, status: int = 200) -> Response:
    return JSONResponse(body, status, PRIVATE | ({"retry-after": "0"} if status == 503 else {}))


def _refuse(status: int) -> Response:
    return _answer({"code": "link", "message": "This link was revoked.", "hint": "Ask for a new one."}, status)


async def _page(request: Request) -> Response:
    text = (ASSETS / "rate/rate.html").read_bytes()
    return Response(text, media_type="text/html", headers={"content-security-policy": POLICY})


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    path = LIBRARY if name == "niivue.js" else ASSETS / name
    if not path.is_file():
        return Response(status_code=404)
    return Response(path.read_bytes(), media_type=KINDS[path.suffix])


@contextmanager
def serve(study: Study) -> Iterator[Study]:
    """Serve ``study`` on a free port."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(study), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    limit = time.monotonic() + LONGEST
    while not server.started:
        if time.monotonic() > limit:
            raise RuntimeError("the site did not start")
        time.sleep(0.02)
    study.url = f"http://127.0.0.1:{listening.getsockname()[1]}/rate/{KEY}"
    try:
        yield study
    finally:
        server.should_exit = True
        thread.join(LONGEST)
        listening.close()


def pairs(count: int, questions: list[dict[str, Any]] | None = None) -> list[Item]:
    """Return items of two images each."""
    files = [nifti(head(seed)) for seed in range(4)]
    asked = [PREFER, CONFIDENCE] if questions is None else questions
    return [Item([files[i % 4], files[(i + 1) % 4]], asked) for i in range(count)]


def singles(count: int, questions: list[dict[str, Any]]) -> list[Item]:
    """Return items of one image each."""
    files = [nifti(head(seed)) for seed in range(4)]
    return [Item([files[i % 4]], questions) for i in range(count)]
