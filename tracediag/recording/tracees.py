"""The processes that an strace traces: who they are, and how they are ended."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_PID = re.compile(rb"^(\d{1,9}) +\S", re.MULTILINE)
_END = re.compile(rb"^(\d{1,9}) .*\+\+\+ (?:exited with|killed by) .*\+\+\+$", re.MULTILINE)
_PAUSE = 0.05
"""Seconds between two looks at whether processes have ended."""


def traced_by(tracer: int) -> Iterator[int]:
    """Yield the processes that a process traces, whatever their parents are by now: proc_pid_status(5)."""
    mark = f"TracerPid:\t{tracer}\n"
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "status").read_text(errors="replace"):
                yield int(folder.name)


def send(number: int, pids: Iterable[int]) -> None:
    """Send a signal to processes; those that have ended meanwhile are passed over."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def started(pid: int) -> int | None:
    """Return when a process was started, in clock ticks since boot; None where it is gone: proc_pid_stat(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in b"ZX" else int(fields[19])


def survivors(trace: Path, since: int) -> list[int]:
    """Return the processes of a trace that still run although their strace is gone.

    A process counts if the trace does not show its end and if it was not started before `since` (clock ticks since
    boot), so that a number that was reused does not hit another process.
    """
    alive: set[int] = set()
    with contextlib.suppress(OSError), trace.open("rb") as stream:
        while lines := stream.readlines(1 << 20):
            text = b"".join(lines)
            alive.update(map(int, _PID.findall(text)))
            alive.difference_update(map(int, _END.findall(text)))
    return sorted(pid for pid in alive if (start := started(pid)) is not None and start >= since)


def end(find: Callable[[], Iterable[int]], patience: float) -> None:
    """End the processes that `find` names: by SIGTERM, and after `patience` seconds by SIGKILL."""
    send(signal.SIGTERM, find())
    deadline = time.monotonic() + patience
    while any(True for _ in find()) and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    send(signal.SIGKILL, find())
