"""The locks of files, and the requests that wait: /proc/locks, proc_locks(5)."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.recording.proc.texts import number, text
from tracediag.snapshot import Lock

_FIELDS = 6


def locks() -> tuple[Lock, ...]:
    """Return all locks that this process may see: "1: -> FLOCK ADVISORY WRITE 12 fe:00:34 0 EOF" is a request."""
    return tuple(_rows(text("/proc/locks")))


def _rows(content: str) -> Iterator[Lock]:
    for line in content.splitlines():
        first, *words = line.split()
        waits = words[:1] == ["->"]
        words = words[1:] if waits else words
        if len(words) >= _FIELDS:
            kind, _, mode, pid, file = words[:5]
            yield Lock(number(first.rstrip(":")), kind, mode, number(pid), file, waits)
