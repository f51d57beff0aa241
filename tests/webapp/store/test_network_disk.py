from __future__ import annotations

from pathlib import Path

import pytest

from webapp.store.network_disk import network_disk

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw - nfs4 server:/home rw,vers=4.2
31 22 0:41 / /mnt/big\040disk rw,nosuid shared:3 master:1 - cifs //server/share rw
32 22 0:42 / /mnt/ssh rw - fuse.sshfs me@server: rw
33 22 8:2 / /home/local rw - xfs /dev/sdb1 rw
34 22 0:43 / /twice rw - nfs server:/a rw
35 34 8:3 / /twice rw - ext4 /dev/sdc1 rw
36 22 0:44 / /var/lib/containers rw - fuse.fuse-overlayfs fuse-overlayfs rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/data", ""), ("/home/me/data", "nfs4"), ("/homes/me", ""), ("/mnt/big disk/data", "cifs"),
        ("/mnt/ssh", "sshfs"), ("/home/local/data", ""), ("/twice/data", ""), ("/var/lib/containers/x", ""),
    ],
)  # fmt: skip
def test_disks_of_other_machines_are_known_by_their_type(tmp_path: Path, path: str, kind: str) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert network_disk(Path(path), tmp_path / "mountinfo") == kind


def test_where_the_system_does_not_tell_nothing_is_said(tmp_path: Path) -> None:
    assert network_disk(tmp_path, tmp_path / "none") == ""
