"""One small finished run, made once for all tests of it."""

from __future__ import annotations

from functools import lru_cache

from core.events import finish
from core.failure.data.dataset import Dataset
from core.failure.diagnostics.battery import Depth
from core.failure.network_audit import audit_networks
from core.failure.plan import Plan
from core.failure.results import Results
from tests.core.failure.made_up_patches import patches


def dataset() -> Dataset:
    tests = {
        name: patches(48, seed, level=0.2, form=1.0) for seed, name in enumerate(("id", "external", "conflict"), 5)
    }
    return Dataset(patches(60, level=0.2, form=1.0), tests, patches(30, 9, form=1.0), "simulated", "squares")


@lru_cache
def results() -> Results:
    plan = Plan(("rgb", "ir"), ("erm", "instance"), ("cnn",), 2, (0,), matched=True, depth=Depth(20, (1, 3)))
    return finish(audit_networks([dataset()], plan)).results
