import sys

import numpy as np
import pytest

from core.bench.memory import Peak


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone counts it")
def test_what_was_held_for_a_moment_is_counted() -> None:
    peak = Peak()
    held = np.ones(100 << 20, np.uint8)
    del held
    assert 90 < peak.megabytes() < 300
    assert Peak().megabytes() < 50
