"""What the program is made of: its pins, their hashes and the list of its parts agree."""

from __future__ import annotations

import json
import re

import pytest

from tests import locks, sbom
from tests.source import ROOT

# licences under which nothing may come along with the program
COPYLEFT = ("GPL", "AGPL", "SSPL")


@pytest.fixture(scope="module")
def document() -> dict[str, object]:
    """The list of parts."""
    return sbom.described()


def test_every_pin_has_hashes() -> None:
    pins = sbom.pinned()
    found = {
        name: (version, needed, text.count("--hash=sha256:"))
        for path in (locks.LOCK, locks.CUDA_LOCK)
        for name, version, needed, text in locks.entries(path.read_text(encoding="utf-8"))
    }
    assert {name: found.get(name, ("",))[0] for name in pins} == pins, "python -m tests.locks"
    assert [name for name, (*_, hashes) in found.items() if hashes == 0] == []
    # what is not pinned, other machines need, or NVIDIA's GPUs
    others = {name for name, (_, needed, _) in found.items() if name not in pins and needed}
    assert {name for name in others if not locks.CUDA.fullmatch(name)} == set()


def test_torch_for_cpus_has_the_hash_of_its_version() -> None:
    ((name, version, _, text),) = locks.entries(locks.CPU_LOCK.read_text(encoding="utf-8"))
    assert (name, version) == ("torch", f"{sbom.pinned()['torch']}+cpu")
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", text)) == 1
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert all(f"--require-hashes -r {path.name}" in image for path in (locks.LOCK, locks.CPU_LOCK, locks.CUDA_LOCK))
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert all(f"!{path.name}" in kept for path in (locks.LOCK, locks.CPU_LOCK, locks.CUDA_LOCK))


def test_the_lock_without_gpus_has_no_torch() -> None:
    names = {name for name, *_ in locks.entries(locks.LOCK.read_text(encoding="utf-8"))}
    assert len(names) > 80 and not any(locks.CUDA.fullmatch(name) for name in names)


def test_pins_are_read_with_their_markers_and_hashes() -> None:
    first = "# a\nOne_b.c==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    text = first + "two==2 ; sys_platform == 'x' \\\n    --hash=sha256:cc\n"
    found = [(name, version, needed, part.count("--hash")) for name, version, needed, part in locks.entries(text)]
    assert found == [("one-b-c", "1.0", True, 2), ("two", "2", False, 1)]


def test_the_list_of_parts_is_that_of_the_requirements(document: dict[str, list[dict[str, str]]]) -> None:
    python = [one for one in document["components"] if one.get("purl", "").startswith("pkg:pypi/")]
    listed = {sbom.plain(one["name"]): one["version"].partition("+")[0] for one in python}
    assert listed == sbom.pinned()
    viewer = {one["name"] for one in document["components"]} - {one["name"] for one in python}
    assert {"@niivue/niivue", "plotly.js-cartesian-dist-min"} <= viewer


def test_nothing_of_it_is_copyleft(document: dict[str, list[dict[str, object]]]) -> None:
    wrong = [
        one["name"]
        for one in document["components"]
        if any(word in json.dumps(one.get("licenses", [])).replace("LGPL", "") for word in COPYLEFT)
    ]
    assert wrong == []
