"""Which process holds a lock of a file now: proc_locks(5)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tracediag.recording.proc.locks import locks
from tracediag.recording.proc.texts import text


def lock_facts(status: os.stat_result) -> Iterator[str]:
    """Yield the processes that hold locks of a file."""
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    held = [lock for lock in locks() if lock.file == file and not lock.waits]
    for lock in held:
        name = text(f"/proc/{lock.pid}/comm").strip() if lock.pid > 0 else ""
        process = f"{name} (pid {lock.pid})" if name else "a process that is not shown"
        yield f"{process} holds a {lock.mode.lower()} lock of it ({lock.kind})"
    if not held:
        yield "no process holds a lock of it"
