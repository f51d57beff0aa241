"""A process that has confined itself computes and answers, and reaches nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.files.confinement import can_confine
from tests.source import ROOT

SCRIPT = """
import ctypes, json, os, resource, socket, sys, threading, time
sys.path.insert(0, {root!r})
from core.files.confinement import confine
secret, parent, held = {secret!r}, os.getppid(), open({secret!r}, "rb")
held.close()
waiting = threading.Event()
found = {{}}
def from_another_thread():
    waiting.wait()
    try:
        open(secret)
        found["thread"] = "done"
    except OSError as error:
        found["thread"] = error.errno
thread = threading.Thread(target=from_another_thread)
thread.start()
confine()
libc = ctypes.CDLL(None, use_errno=True)
tries = {{
    "read": lambda: open(secret),
    "write": lambda: open(secret + ".new", "w"),
    "remove": lambda: os.unlink(secret),
    "look": lambda: os.stat(secret),
    "network": lambda: socket.socket(),
    "start": lambda: os.execv("/bin/true", ["true"]),
    "fork": lambda: os.fork(),
    "kill": lambda: os.kill(parent, 0),
    "limits of others": lambda: resource.prlimit(parent, resource.RLIMIT_CPU),
    "ring": lambda: None if libc.syscall(425, 1, 0) >= 0 else (_ for _ in ()).throw(OSError(ctypes.get_errno(), "")),
    "memory of others": lambda: None if libc.syscall({peek}, parent, 0, 0, 0, 0, 0) >= 0
    else (_ for _ in ()).throw(OSError(ctypes.get_errno(), "")),
}}
for name, act in tries.items():
    try:
        act()
        found[name] = "done"
    except OSError as error:
        found[name] = error.errno
waiting.set()
thread.join()
found["own limits"] = len(resource.getrlimit(resource.RLIMIT_CPU))
found["sum"] = sum(bytearray(10_000_000)) + (time.time() > 0)
sys.stdout.write(json.dumps(found))
sys.stdout.flush()
"""


@pytest.mark.skipif(not can_confine(), reason="there is no filter of calls for this machine")
def test_nothing_is_reached_but_memory_time_and_open_pipes(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not to be read")
    peek = {"x86_64": 310, "aarch64": 270}.get(__import__("platform").machine(), 310)
    script = SCRIPT.format(root=str(ROOT), secret=str(secret), peek=peek)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found.pop("own limits"), found.pop("sum")) == (2, 1)
    # EPERM of every one, the one that another thread tried too
    assert found == dict.fromkeys(found, 1) and len(found) == 12
    assert secret.is_file() and not (tmp_path / "secret.new").exists()
