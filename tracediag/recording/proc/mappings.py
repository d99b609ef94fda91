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

    def sharers(self, pid: int) -> tuple[int, ...] | None:
        """Return the other processes that map the same file; None where there may be more: only root sees all."""
        found = [other for other in numbers("/proc") if other != pid and self.mark in text(f"/proc/{other}/maps")]
        return tuple(found[:_MOST]) if found or os.geteuid() == 0 else None


def mapping_of(pid: int, address: int) -> Mapping | None:
    """Return the mapping at an address of a process: "7f00-7f10 rw-s 00000000 00:01 1037 /dev/shm/x"."""
    for line in text(f"/proc/{pid}/maps").splitlines():
        words = line.split(None, 5)
        start, _, stop = words[0].partition("-")
        if number(start, 16) <= address < number(stop, 16):
            named = len(words) > 5 and words[5].startswith("/")
            file = _renamed(words[5], number(words[4])) if named else ""
            return Mapping(file, words[1].endswith("p"), f" {words[3]} {words[4]} ")
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
