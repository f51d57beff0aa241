"""``python -m tests.sbom``: write build/sbom.json, what the program is made of, as CycloneDX has it (`make sbom`).

The Python packages of requirements.txt as they are installed, with versions, licences and what needs what, by
cyclonedx-py; and the libraries of the viewer, with their checksums, from its package-lock.json.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from core import __version__
from tests.locks import PINS, entries
from tests.source import ROOT

OUT = ROOT / "build" / "sbom.json"
VIEWER_LOCK = ROOT / "assets" / "viewer" / "package-lock.json"


def pinned() -> dict[str, str]:
    """Return name -> version of every package of requirements.txt."""
    return {name: version for name, version, *_ in entries(PINS.read_text(encoding="utf-8"))}


def plain(name: str) -> str:
    """Return the name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def described() -> dict[str, Any]:
    """Return the document."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sbom.json")
        command = [
            str(Path(sys.executable).parent / "cyclonedx-py"), "environment", "--no-validate", "--output-reproducible",
            "--of", "JSON", "-o", str(path), sys.executable,
        ]  # fmt: skip
        subprocess.run(command, capture_output=True, check=True)
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    # what is installed to develop and test is no part of the program
    wanted = pinned()
    kept = [one for one in document["components"] if plain(one["name"]) in wanted]
    names = {one["bom-ref"] for one in kept}
    document["components"] = [*kept, *viewer()]
    document["dependencies"] = [
        {**one, "dependsOn": [name for name in one.get("dependsOn", ()) if name in names]}
        for one in document["dependencies"]
        if one["ref"] in names
    ]
    program = {"type": "application", "bom-ref": "counterscan", "name": "counterscan", "version": __version__}
    licence = {"licenses": [{"license": {"id": "Apache-2.0"}}]}
    document["metadata"]["component"] = {**program, **licence}
    return document


def viewer() -> list[dict[str, Any]]:
    """Return the libraries that the page loads."""
    packages = json.loads(VIEWER_LOCK.read_text(encoding="utf-8"))["packages"]
    found = []
    for place, package in packages.items():
        if place and not package.get("optional") and not package.get("dev"):
            name = place.rpartition("node_modules/")[2]
            kind, _, digest = package["integrity"].partition("-")
            purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
            found.append(
                {
                    "type": "library",
                    "bom-ref": purl,
                    "name": name,
                    "version": package["version"],
                    "purl": purl,
                    "licenses": [{"expression": package["license"]}] if "license" in package else [],
                    "hashes": [{"alg": kind.upper().replace("SHA", "SHA-"), "content": base64.b64decode(digest).hex()}],
                }
            )
    return found


def main() -> None:
    """Write the document."""
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(described(), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
