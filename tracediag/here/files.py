"""What the last component of a path is: a program with its interpreter, a lock file with a pid, a file in use."""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from collections.abc import Iterator

from tracediag.here.paths import Walk, is_mount_point
from tracediag.recording.proc.texts import link, names, numbers, text

_SHOWN = 4
"""Entries of a directory that are named."""
_HEAD = 256
"""Bytes of a file that are read."""
_FS_IOC_GETFLAGS = 0x80086601
_IMMUTABLE, _APPEND = 0x10, 0x20
_MACHINES = {3: "i386", 40: "arm", 62: "x86-64", 183: "aarch64", 243: "riscv", 21: "ppc64", 22: "s390"}


def program(found: Walk) -> Iterator[str]:
    """Yield what decides whether a file can be executed: execve(2)."""
    status = found.status
    if status is None or not stat.S_ISREG(status.st_mode):
        return
    if not status.st_mode & 0o111:
        yield f"{found.real} has no x bit: chmod +x sets it"
    head = _head(found.real)
    if not head:
        yield f"{found.real} is empty" if not status.st_size else f"{found.real} cannot be read"
    elif head.startswith(b"#!"):
        line = head[2:].partition(b"\n")[0].decode(errors="replace")
        interpreter = line.split()[0] if line.split() else ""
        there = "exists" if os.path.exists(interpreter) else "does not exist"  # noqa: PTH110
        carriage = ", and the line ends in a carriage return (dos2unix removes it)" if line.endswith("\r") else ""
        yield f"its first line names {interpreter!r}, which {there}{carriage}"
    elif head.startswith(b"\x7fELF") and len(head) > 20:
        number = struct.unpack("<H" if head[5] == 1 else ">H", head[18:20])[0]
        yield f"it is a {64 if head[4] == 2 else 32}-bit ELF file for {_MACHINES.get(number, f'machine {number}')}"
    else:
        yield "it begins with neither '#!' nor the mark of an ELF file"


def attributes(found: Walk) -> Iterator[str]:
    """Yield the attributes that make even root fail with EPERM: chattr(1)."""
    status = found.status
    if status is None or not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        return
    try:
        descriptor = os.open(found.real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        flags = struct.unpack("I", fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, b"\0" * 8)[:4])[0]
    except OSError:
        return
    finally:
        os.close(descriptor)
    if flags & _IMMUTABLE:
        yield f"{found.real} is immutable: chattr -i {found.real} permits changes"
    if flags & _APPEND:
        yield f"{found.real} can only be appended to: chattr -a {found.real} permits other changes"


def pid_inside(found: Walk) -> Iterator[str]:
    """Yield whether the process lives whose pid a lock file holds."""
    status = found.status
    if status is None or not stat.S_ISREG(status.st_mode) or status.st_size > _HEAD:
        return
    words = _head(found.real).split()
    if words and words[0].isdigit() and len(words[0]) < 10:
        name = text(f"/proc/{int(words[0])}/comm").strip()
        alive = f"runs: {name}" if name else "does not run: the file is stale"
        yield f"it holds the pid {int(words[0])}, which {alive}"


def entries(found: Walk) -> Iterator[str]:
    """Yield what a directory holds, hidden entries too: rmdir(2)."""
    if found.status is None or not stat.S_ISDIR(found.status.st_mode):
        return
    held = sorted(names(found.real))
    more = f" and {len(held) - _SHOWN:,} more" if len(held) > _SHOWN else ""
    yield f"it holds {', '.join(map(repr, held[:_SHOWN]))}{more}" if held else "it is empty"


def users(found: Walk) -> Iterator[str]:
    """Yield which processes execute a file, or work in a directory; and whether it is a mount point."""
    if is_mount_point(found.real):
        yield f"{found.real} is a mount point"
    running = [pid for pid in numbers("/proc") if link(f"/proc/{pid}/exe") == found.real]
    inside = [pid for pid in numbers("/proc") if (link(f"/proc/{pid}/cwd") + "/").startswith(found.real + "/")]
    for verb, pids in (("execute", running), ("have their working directory in", inside)):
        if pids and found.real != "/":
            listed = ", ".join(f"{text(f'/proc/{pid}/comm').strip()} (pid {pid})" for pid in pids[:4])
            yield f"processes that {verb} it: {listed}{' and others' if len(pids) > 4 else ''}"


def _head(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _HEAD)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
