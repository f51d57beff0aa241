"""The process a local engine keeps: it reads jobs from a socket, runs them one by one and writes their events."""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Sequence

from core import device
from core.engine.execute import execute
from core.engine.warming import loading
from core.engine.wire import decode_spec, encode_event
from core.traces import log_to_stderr


def main(descriptor: int, tasks: str, wanted: str, warm: Sequence[str]) -> None:
    """Serve jobs from the socket ``descriptor`` until its other end closes; then the process ends at once.

    wanted, warm: device and names of the tasks that are loaded while no job is there; a job waits for one part of that
    at most.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to_stderr()
    os.set_inheritable(descriptor, False)
    link = socket.socket(fileno=descriptor)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(link, lines), daemon=True).start()
    device.look_for_circles_rarely()
    device.limit_threads()
    parts = loading(tasks, warm, wanted)
    while True:
        while lines.empty() and next(parts, None):
            pass
        spec = decode_spec(lines.get())
        # what is unpacked for a while goes with the job's folder, also when this process is killed
        tempfile.tempdir = spec.out
        for event in execute(spec, tasks):
            link.sendall(encode_event(event))


def _read(link: socket.socket, lines: queue.SimpleQueue[bytes]) -> None:
    with link.makefile("rb") as stream:
        for line in stream:
            lines.put(line)
    # the engine is gone: nobody waits for this job, nor for what it has started; a signal for the parent's death would
    # also come when only the thread that started this process ends
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
