"""Whether a file lies on a disk of another machine, where SQLite's locks and shared memory cannot be relied upon."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
# types of file systems that come over a network, or from the host of a virtual machine
REMOTE = frozenset({
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "glusterfs", "vboxsf"),
    *("sshfs", "rclone", "s3fs", "gcsfuse", "grpcfuse"),
})  # fmt: skip
# how a blank in a name is written there
OCTAL = re.compile(r"\\([0-7]{3})")


def network_disk(path: Path, mounts: Path = MOUNTS) -> str:
    """Return the type of the network file system on which ``path`` lies, "nfs4"; "" for a disk of this machine, and
    where the system has no list of mounts (it is not Linux)."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    here, found = path.resolve(), ("", "")
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) < 5 or not kinds:
            continue
        place = OCTAL.sub(lambda octal: chr(int(octal[1], 8)), fields[4])
        # of two at one place the later covers the earlier
        if here.is_relative_to(place) and len(place) >= len(found[0]):
            found = place, kinds[0].removeprefix("fuse.")
    return found[1] if found[1] in REMOTE else ""
