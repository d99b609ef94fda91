"""The mapping in which an address lies, and the processes that share it: proc_pid_maps(5)."""

from __future__ import annotations

import contextlib
import os

import msgspec

from tracediag.recording.proc.texts import number, numbers, text

_SHARED, _DELETED = "/dev/shm", " (deleted)"
_MOST = 64
"""Sharers that are named."""


class Mapping(msgspec.Struct, frozen=True):
    """One mapping of a process."""

    file: str = ""
    """The file; "" for memory of no file."""
    private: bool = False
    """Whether writes are seen by this process alone: MAP_PRIVATE, mmap(2)."""
    mark: str = ""
    """The device and inode, as /proc/PID/maps writes them."""


class Sharers:
    """The processes that share memory; all mappings are read once, when they are first asked for."""

    def __init__(self) -> None:
        self._found: dict[str, list[int]] | None = None

    def of(self, mapping: Mapping, pid: int) -> tuple[int, ...] | None:
        """Return the other processes that map the same file; None where there may be more: only root sees all."""
        if self._found is None:
            self._found = _shared()
        others = [other for other in self._found.get(mapping.mark, ()) if other != pid][:_MOST]
        return tuple(others) if others or os.geteuid() == 0 else None


def _shared() -> dict[str, list[int]]:
    """Return the processes by the device and inode of what they map with MAP_SHARED."""
    found: dict[str, list[int]] = {}
    for pid in numbers("/proc"):
        rows = (line.split(None, 5) for line in text(f"/proc/{pid}/maps").splitlines() if "s " in line[:60])
        for mark in {f"{words[3]} {words[4]}" for words in rows if len(words) > 4 and words[1].endswith("s")}:
            found.setdefault(mark, []).append(pid)
    return found


def mapping_of(pid: int, address: int) -> Mapping | None:
    """Return the mapping at an address of a process: "7f00-7f10 rw-s 00000000 00:01 1037 /dev/shm/x"."""
    for line in text(f"/proc/{pid}/maps").splitlines():
        words = line.split(None, 5)
        start, _, stop = words[0].partition("-")
        if number(start, 16) <= address < number(stop, 16):
            named = len(words) > 5 and words[5].startswith("/")
            file = _renamed(words[5], number(words[4])) if named else ""
            return Mapping(file, words[1].endswith("p"), f"{words[3]} {words[4]}")
    return None


def _renamed(path: str, inode: int) -> str:
    """Return the name that a file of /dev/shm has now: sem_open(3) makes it under another one; "(deleted)": none."""
    if not path.startswith(_SHARED) or not path.endswith(_DELETED):
        return path
    with contextlib.suppress(OSError), os.scandir(_SHARED) as entries:
        for entry in entries:
            if entry.inode() == inode:
                return entry.path
    return path
