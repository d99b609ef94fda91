"""Reads small files of /proc; a process may end at any moment, and many files need privileges."""

from __future__ import annotations

import os

_MOST = 4 << 20
"""Bytes of one file."""
_SETTING = 1 << 16
"""Bytes of one sysctl: the kernel allocates as many as are asked for, and refuses 4 MiB with ENOMEM."""
_SETTINGS = "/proc/sys/"


def text(path: str) -> str:
    """Return the content of a file; "" where it cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # thousands are read: Path costs more than the reading
            return file.read(_SETTING if path.startswith(_SETTINGS) else _MOST).decode(errors="backslashreplace")
    except OSError:
        return ""


def link(path: str) -> str:
    """Return the target of a symbolic link; "" where it cannot be read."""
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return ""


def names(path: str) -> list[str]:
    """Return the names in a folder; none where it cannot be read."""
    try:
        return os.listdir(path)  # noqa: PTH208
    except OSError:
        return []


def numbers(path: str) -> list[int]:
    """Return the names in a folder that are numbers, in order."""
    return sorted(int(name) for name in names(path) if name.isdecimal())


def fields(content: str) -> dict[str, str]:
    """Return the "Name:  value" lines of a file such as /proc/PID/status."""
    split = (line.partition(":") for line in content.splitlines())
    return {name: value.strip() for name, _, value in split}


def number(digits: str, base: int = 10) -> int:
    """Return a number; 0 for what is none."""
    try:
        return int(digits, base)
    except ValueError:
        return 0
