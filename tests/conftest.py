"""What every test may ask for: the real scans, a synthetic head, a browser; and how all of them run."""

from __future__ import annotations

import gc
import os

# before anything loads numpy or torch: a test computes on one thread, in children as here, so that the same work gives
# the same bytes on every machine and tests side by side do not fight for the cores
os.environ |= {"COUNTERSCAN_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

from collections.abc import Callable, Generator
from pathlib import Path

import hypothesis
import pytest

import webapp  # noqa: F401 - before Gradio, which it keeps from writing stubs
from tests import chromium
from tests.phantom import Phantom, make_phantom

ROOT = Path(__file__).resolve().parents[1]

pytest_plugins = ["tests.spent", "tests.groups", "tests.postgres", "tests.buckets", "tests.databases"]

# how long an example takes depends on what else the machine does
for name, examples in (("push", 20), ("full", 200)):
    hypothesis.settings.register_profile(
        name, max_examples=examples, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "push"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search for garbage in what comes after collection only: what it loads stays, and is millions of objects."""
    gc.disable()
    collected = yield
    gc.freeze()
    gc.enable()
    return collected


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scans beside the repository; a clone without it skips the test."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real scans: {folder} does not exist")
    return folder


@pytest.fixture
def phantom() -> Phantom:
    """A whole head with a lesion: 26 x 30 x 28 voxels of 6 mm, RAS+."""
    return make_phantom()


@pytest.fixture
def phantom_on() -> Callable[..., Phantom]:
    """The maker of such heads on another grid: ``phantom_on(affine, shape, skull, seed)``."""
    return make_phantom


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of a Chromium; without one the test skips, in continuous integration it fails."""
    path = chromium.find()
    if path is None and os.environ.get("CI"):
        pytest.fail("no Chromium: set CHROMIUM to the path of one")
    if path is None:
        pytest.skip("no Chromium: set CHROMIUM to the path of one")
    return path
