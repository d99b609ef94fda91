"""The directory that a relative path starts from, where an earlier line shows it: strace -y notes AT_FDCWD."""

from __future__ import annotations

from tracediag.reading import UnreadableError, read
from tracediag.trace.events import Syscall
from tracediag.trace.values import note_of

_MARK = "AT_FDCWD<"
_MOST = 2_000_000
"""Lines up to which a trace is read once more."""


def directory_at(trace: str, line: int, pid: int | None) -> str:
    """Return the working directory of a process at a line, as the last note before it shows; "" where none does.

    A chdir after that note makes it unknown again: its path may be a link.
    """
    found = ""
    try:
        for event in read(trace) if line <= _MOST else ():
            if event.line >= line:
                break
            if event.pid != pid or not isinstance(event, Syscall):
                continue
            if event.name in ("chdir", "fchdir") and not event.failed:
                found = ""
            elif _MARK in event.body:
                found = note_of(event.arg(0)) or found
    except (UnreadableError, OSError):
        return ""
    return found if found.startswith("/") else ""
