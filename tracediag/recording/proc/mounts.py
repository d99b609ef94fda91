"""The file systems that processes see: /proc/PID/mountinfo, proc_pid_mountinfo(5)."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from tracediag.recording.proc.texts import text
from tracediag.snapshot import Moment, Mount, Mounts, Snapshot

_ESCAPED = re.compile(r"\\([0-7]{3})")
_MOST = 64 << 20
"""Bytes of a trace that are searched for the names of mount points."""


def mounts_of(pids: Iterable[int]) -> tuple[Mounts, ...]:
    """Return what processes see, those together that see the same."""
    found: dict[tuple[Mount, ...], list[int]] = {}
    for pid in pids:
        mounts = tuple(parse(text(f"/proc/{pid}/mountinfo")))
        if mounts:
            found.setdefault(mounts, []).append(pid)
    return tuple(Mounts(tuple(same), mounts) for mounts, same in found.items())


def parse(content: str) -> Iterator[Mount]:
    """Yield the mounts; of several on one point, the last, which hides the others."""
    found = {}
    for line in content.splitlines():
        words = line.split(" ")
        if "-" in words[6:-1]:
            point = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), words[4])
            found[point] = words[words.index("-", 6) + 1]
    for point, kind in found.items():
        yield Mount(point, kind)


def reduce_mounts(known: Snapshot, trace: Callable[[], Path]) -> None:
    """Keep the mounts on which a path of the trace or of the processes lies; if the trace cannot be read, none.

    A test may have closed the descriptor that leads to the trace: so it is asked for only where there are mounts.
    """
    for name, moment in (("before", known.before), ("after", known.after)):
        if moment is not None and moment.mounts:
            try:
                less = _reduced(moment, trace())
            except (OSError, ValueError):
                less = msgspec.structs.replace(moment, mounts=())
            setattr(known, name, less)


def _reduced(moment: Moment, trace: Path) -> Moment:
    paths = [thread.path for thread in moment.threads() if thread.path]
    for process in moment.processes:
        paths += [process.directory, *(held.target for held in process.descriptors if held.target.startswith("/"))]
    folders = {process.directory for process in moment.processes}
    with trace.open("rb") as file:
        size = min(file.seek(0, 2), _MOST)
        if not size:
            return _without(moment, paths, folders, b"")
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as content:
            return _without(moment, paths, folders, content)


def _without(moment: Moment, paths: Iterable[str], folders: Iterable[str], content: bytes | mmap.mmap) -> Moment:
    def is_named(mount: Mount) -> bool:
        below = [mount.point[len(folder) :].lstrip("/") for folder in folders if is_on(mount.point, folder)]
        names = [mount.point, *(name for name in below if name)]
        return any(is_on(path, mount.point) for path in paths) or any(content.find(n.encode()) >= 0 for n in names)

    left = [Mounts(seen.pids, tuple(filter(is_named, seen.mounts))) for seen in moment.mounts]
    return msgspec.structs.replace(moment, mounts=tuple(seen for seen in left if seen.mounts))


def is_on(path: str, point: str) -> bool:
    """Whether a path lies below a folder, or is it."""
    return f"{path}/".startswith(f"{point.rstrip('/')}/")
