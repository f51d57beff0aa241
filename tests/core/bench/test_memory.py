import mmap
import sys

import pytest

from core.bench.memory import Peak


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone counts it")
def test_what_was_held_for_a_moment_is_counted() -> None:
    peak = Peak()
    # pages that no earlier test of this process has left
    with mmap.mmap(-1, 100 << 20) as held:
        held.write(bytes(100 << 20))
    assert 90 < peak.megabytes() < 300
    assert Peak().megabytes() < 50
