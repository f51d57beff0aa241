"""A Chromium for the browser tests: the one of $CHROMIUM, of the path, or one that is installed now."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> str | None:
    """Return the path of a Chromium that starts, or None."""
    known = [os.environ.get("CHROMIUM", ""), *(shutil.which(name) or "" for name in NAMES)]
    return next((path for path in known if path and _starts(path)), None) or _of_playwright()


def install() -> None:
    """Install Playwright's Chromium, or Debian's where that one cannot be downloaded or does not start."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    _try(sys.executable, "-m", "playwright", "install", *(["--with-deps"] if root else []), "chromium")
    if find() is None and root and shutil.which("apt-get"):
        _try("apt-get", "update")
        _try("apt-get", "install", "-y", "--no-install-recommends", "chromium")


def _of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if _starts(path) else None


def _starts(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _try(*command: str) -> None:
    """Run ``command`` with its output on stderr: stdout is for the path alone."""
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=900, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        sys.stderr.write(f"{command[0]}: {error}\n")


if __name__ == "__main__":
    if find() is None:
        install()
    found = find()
    sys.stdout.write(f"{found or ''}\n")
    if found is None:
        sys.stderr.write("No Chromium could be found or installed: set CHROMIUM to the path of one.\n")
