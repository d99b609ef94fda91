"""Of which type the file systems are: as statfs(2) shows it, and a snapshot of the mounts.

The types have the names of mount(8): "ext4", "tmpfs", "nfs4", "fuse.sshfs"; statfs tells fewer apart than mountinfo.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from tracediag.snapshot import Snapshot
from tracediag.trace.events import Syscall

if TYPE_CHECKING:
    from tracediag.kernel.process import Process

_BY_MAGIC = {
    "NFS": "nfs", "FUSE": "fuse", "SMB": "cifs", "CIFS": "cifs", "CEPH": "ceph", "V9FS": "9p", "AFS": "afs",
    "TMPFS": "tmpfs", "RAMFS": "ramfs", "OVERLAYFS": "overlay", "MSDOS": "vfat", "XFS": "xfs", "BTRFS": "btrfs",
    "SQUASHFS": "squashfs", "EXFAT": "exfat",
}  # fmt: skip
"""By the beginning of f_type: statfs(2). ext2, ext3 and ext4 have one number."""
_KEPT = 64
_REAL = "/"


class FileSystems:
    """What is known of the file systems of one trace."""

    def __init__(self, known: Snapshot | None) -> None:
        """Take the mounts of a snapshot, if there is one."""
        self._seen: dict[int, dict[str, str]] = {}
        for moment in () if known is None else (known.before, known.after):
            for seen in () if moment is None else moment.mounts:
                for pid in seen.pids:
                    self._seen.setdefault(pid, {}).update((mount.point, mount.kind) for mount in seen.mounts)
        self._shown: dict[str, str] = {}
        """What the calls of the trace show, by path; "" where something was mounted or unmounted."""

    def show(self, path: str, call: Syscall) -> None:
        """Note the type that a statfs of a path reports."""
        _, _, magic = call.body.partition("f_type=")
        found = next((kind for start, kind in _BY_MAGIC.items() if magic.startswith(start)), None)
        if found is not None:
            self.change(path, found)

    def change(self, path: str, kind: str = "") -> None:
        """Note the type of what lies at a path, or that it is not known any more."""
        path = path.rstrip("/")
        if path not in self._shown and len(self._shown) >= _KEPT:
            self._seen.clear()  # what is not followed any more may have changed
        else:
            self._shown[path] = kind

    def kind_of(self, path: str, process: Process) -> str:
        """Return the type of the file system of a path of a process; "" where it is not known.

        A symbolic link on the way may lead to another one.
        """
        place = process.place
        whole = path if path.startswith("/") else posixpath.join(place.cwd or "", path)
        shown = _nearest(whole, self._shown) or _nearest(path, self._shown)
        mounts = self._seen.get(-1 if process.pid is None else process.pid)
        if mounts is None and process.started is not None and process.parent is not None:
            mounts = self._seen.get(-1 if process.parent.pid is None else process.parent.pid)
        if mounts is None or not whole.startswith("/") or place.root != _REAL:
            return "" if shown is None else shown[1]
        nearest = _nearest(posixpath.normpath(whole), mounts)
        best = max((found for found in (shown, nearest) if found is not None), key=lambda it: len(it[0]), default=None)
        return "" if best is None else best[1]


def _nearest(path: str, known: dict[str, str]) -> tuple[str, str] | None:
    """Return the longest known path that another one lies below, or is, and its type."""
    points = [point for point in known if f"{path}/".startswith(f"{point.rstrip('/')}/")]
    point = max(points, key=len, default=None)
    return None if point is None else (point, known[point])
