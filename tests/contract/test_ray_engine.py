"""What the Ray engine does besides: files travel, clusters are left, lost and joined, nothing is sent home."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.engine.local import LocalEngine
from core.engine.protocol import JobSpec, WorkerLost
from core.engine.ray.ray_engine import RayEngine
from core.errors import UserError
from core.events import Failed, Finished, Progress, Started
from tests.contract.engines import FAKES, LONG, alive, below, cluster_of, joined, pid_of, spec
from tests.phantom import Phantom
from tests.waiting import LONGEST, wait_until

# the table of levels counts on ray being where it is needed alone
IMPORTED = "import sys, core, core.job, core.batch.run, core.commands.many_scans, core.engine.engine_choice, webapp.app\n"


def test_ray_is_loaded_by_no_part_of_the_program_but_the_bridge() -> None:
    code = IMPORTED + "print([name for name in sys.modules if name.partition('.')[0] == 'ray'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LONGEST, check=True)
    assert done.stdout.strip() == "[]"


def test_without_ray_a_sentence_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError) as caught:
        RayEngine()
    assert caught.value.code == "not_installed" and "counterscan[ray]" in caught.value.hint


def test_a_cluster_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.engine.ray.ray_engine.PATIENCE", 0.0)
    with pytest.raises(UserError) as caught:
        RayEngine("127.0.0.1:1")
    assert caught.value.code == "ray_unreachable" and "127.0.0.1:1" in caught.value.message
