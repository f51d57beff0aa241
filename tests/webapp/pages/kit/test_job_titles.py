from dataclasses import replace

import pytest

from tests.webapp.pages.kit.test_boxes import JOB
from webapp.pages.kit.job_titles import headline, method_title


@pytest.mark.parametrize(
    ("params", "title"),
    [
        ({"method": "volume", "mode": "faithful"}, "Counterscan network"),
        ({"method": "volume", "mode": "realistic"}, "Counterscan network (realistic)"),
        ({"method": "biharmonic", "mode": "realistic"}, "3D biharmonic"),
        ({"method": "gone", "mode": "realistic"}, "gone"),
        ({"method": "volume"}, "Counterscan network"),
    ],
)
def test_a_run_is_named_by_its_method_and_its_mode(params: dict[str, str], title: str) -> None:
    job = replace(JOB, params=params)
    assert method_title(job) == title
    assert headline(job) == f"Pseudo-healthy inpainting: {title}"
