"""Calls on files that do not return: a FIFO without its other end, a file system or device that does not answer."""

from __future__ import annotations

import posixpath

from tracediag.evidence.blocking.link import Link, first_held
from tracediag.snapshot import ProcessState, ThreadState

_ACCESS, _WRONLY = 3, 1
_FIFOS = frozenset({"wait_for_partner", "fifo_open"})
"""Kernel functions in which open waits for the other end: fs/pipe.c."""


def fifo_link(process: ProcessState, thread: ThreadState) -> Link | None:
    """Return the wait of an open for the other end of a FIFO: fifo(7)."""
    if thread.wchan not in _FIFOS and not _FIFOS.intersection(thread.stack[:3]):
        return None
    flags = thread.arguments[2 if thread.call == "openat" else 1] if len(thread.arguments) > 2 else 0
    deed = "reading" if flags & _ACCESS == _WRONLY else "writing"
    path = posixpath.join(process.directory, thread.path)
    return Link(thread.tid, f"another process to open the FIFO {path} for {deed}: open returns then", None, "fifo")


def file_link(process: ProcessState, thread: ThreadState) -> Link | None:
    """Return the wait of a thread that cannot be interrupted, for the file that its call names."""
    held = first_held(process, thread)
    path = thread.path or (held.target if held is not None and held.target.startswith("/") else "")
    if thread.state != "D" or not path:
        return None
    where = f" (in {thread.wchan} of the kernel)" if thread.wchan else ""
    silent = "its file system or device does not answer, and no signal but SIGKILL can end the wait"
    return Link(thread.tid, f"{path}, in {thread.call}{where}: {silent}", None, "file")
