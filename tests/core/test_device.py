from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core import device
from core.errors import UserError


def test_auto_without_a_gpu_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "GPU_SIGNS", ())
    assert device.choose() == device.choose("auto") == device.choose("cpu") == "cpu"


@pytest.mark.parametrize(
    ("wanted", "count", "found"),
    [("auto", 1, "cuda:0"), ("auto", 0, "cpu"), ("cuda", 1, "cuda:0"), ("cuda:2", 3, "cuda:2")],
)
def test_a_gpu_is_taken_when_there_is_one(monkeypatch: pytest.MonkeyPatch, wanted: str, count: int, found: str) -> None:
    monkeypatch.setattr(device, "GPU_SIGNS", ("/",))
    monkeypatch.setattr(device, "_gpu_count", lambda: count)
    assert device.choose(wanted) == found


@pytest.mark.parametrize("wanted", ["", "gpu", "cuda:", "cuda:-1", "cuda:1", "cuda:9999", "cpu:0", "CPU"])
def test_an_unknown_or_absent_device_is_refused(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    monkeypatch.setattr(device, "_gpu_count", lambda: 1)
    with pytest.raises(UserError) as caught:
        device.choose(wanted)
    assert caught.value.code == "device_unavailable"


@pytest.mark.parametrize(
    ("cores", "wanted", "slots", "each"),
    [(8, "", 1, 4), (8, "", 2, 4), (8, "", 4, 2), (2, "", 2, 1), (2, "", 3, 1), (8, "2", 2, 2), (2, "8", 2, 1)],
)
def test_slots_side_by_side_share_the_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, wanted: str, slots: int, each: int
) -> None:
    monkeypatch.setenv("COUNTERSCAN_THREADS", wanted)
    monkeypatch.setattr(device, "cores", lambda: cores)
    assert device.share(slots) == each


@pytest.mark.parametrize("value", ["", "0", "-1", "many", "9999"])
def test_threads_are_the_cores_up_to_four(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("COUNTERSCAN_THREADS", value)
    assert device.threads() == min(4, device.cores())
    monkeypatch.setattr(device, "cores", lambda: 64)
    assert device.threads() == 4


def test_threads_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("COUNTERSCAN_THREADS", "3")
    device.limit_threads()
    assert device.threads() == torch.get_num_threads() == int(os.environ["OMP_NUM_THREADS"]) == 3
    torch.set_num_threads(before)


def test_work_side_by_side_comes_back_in_order_from_as_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSCAN_THREADS", "3")
    # each waits for two others: fewer threads would never end
    together = threading.Barrier(3, timeout=60)

    def doubled(number: int) -> int:
        together.wait()
        return 2 * number

    assert device.side_by_side(doubled, range(6)) == [0, 2, 4, 6, 8, 10]
    with pytest.raises(ZeroDivisionError):
        device.side_by_side(lambda number: 1 // number, [1, 0, 1])


FAULTS = """
import resource
from core import device
{before}
def pages(count):
    start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(count):
        b"x" * (40 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start
print(pages(1), pages(8))
device.give_back_memory()
print(pages(1))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone")
def test_memory_that_is_kept_is_taken_from_the_system_once() -> None:
    def faults(before: str) -> list[int]:
        words = [sys.executable, "-c", FAULTS.format(before=before)]
        return [int(word) for word in subprocess.run(words, capture_output=True, check=True).stdout.split()]

    first, rest, after = faults("device.keep_memory()")
    assert rest < 0.1 * first < 0.2 * after
    assert faults("")[1] > 20 * rest


@pytest.mark.parametrize(("machine", "container", "free"), [(5, 3, 3), (5, None, 5), (None, 2, 2), (None, None, None)])
def test_free_memory_is_the_smaller_known(
    monkeypatch: pytest.MonkeyPatch, machine: int | None, container: int | None, free: int | None
) -> None:
    monkeypatch.setattr(device, "_machine_free", lambda: machine)
    monkeypatch.setattr(device, "_container_free", lambda: container)
    assert device.free_memory() == free


def test_too_little_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "free_memory", lambda: 1 << 30)
    device.require_memory(1 << 30)
    with pytest.raises(UserError) as caught:
        device.require_memory(3 << 30)
    assert caught.value.code == "not_enough_memory"
    assert "3.0 GiB" in caught.value.message
    monkeypatch.setattr(device, "free_memory", lambda: None)
    device.require_memory(1 << 60)


PEAKS = """
from core import device
device.reset_peak_memory()
before = device.peak_memory()
held = bytearray(b"\\x01") * (64 << 20)
print(device.peak_memory() - before)
del held
device.reset_peak_memory()
print(device.peak_memory() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak can be reset on Linux only")
def test_the_peak_of_memory_follows_what_is_held() -> None:
    # in a process of its own: here a collection of garbage may give back more in between than is taken
    done = subprocess.run([sys.executable, "-c", PEAKS], capture_output=True, text=True, check=True)
    held, left = map(int, done.stdout.split())
    assert held > 50 << 20
    assert left < 40 << 20


def test_the_speed_is_stored_before_torch_and_measured_after(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = device.speed("cpu")
    assert 1e7 < measured < 1e13
    assert device.speed("cpu") == measured
    monkeypatch.delitem(sys.modules, "torch")
    assert device.speed("cpu") == device.STORED_SPEED["cpu"]
    assert device.speed("cuda:1") == device.STORED_SPEED["cuda"]
