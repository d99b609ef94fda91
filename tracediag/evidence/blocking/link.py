"""One thread, what it waits for, and what could end that; and how threads and processes are named."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tracediag.snapshot import Held, Moment, ProcessState, ThreadState
from tracediag.trace.calls import ACCEPTS, FILE_READS, FILE_WRITES, LOCKS, QUEUE_WAITS, RECEIVES, SENDS

_NAMED = 3
_LONGEST = 60
"""Characters of the title of a process."""
_BY_DESCRIPTOR = (
    FILE_READS | FILE_WRITES | RECEIVES | SENDS | LOCKS | ACCEPTS | {"connect", "ioctl"}
    | {name for name in QUEUE_WAITS if name.startswith("mq_")}
)  # fmt: skip


class Link(msgspec.Struct, frozen=True):
    """One thread, what it waits for, and what could end that."""

    tid: int
    waits: str
    """What it waits for: "the mutex at 0x55d0, which thread 13 holds"."""
    blocker: int | None = None
    """The thread, or a process by its first thread, that could end the wait; None where several could."""
    kind: str = ""
    """"mutex", "stream", "rwlock", "readers", "alone", "join", "lock", "child", "read", "write", "poll", "signal",
    "timer", "ipc", "connect", "unaccepted", "threads", "unowned", "orphan", "vfork", "fifo" or "file"."""
    several: tuple[int, ...] = ()
    """The children or threads of which any could end the wait."""
    sure: bool = True
    """Whether nothing else could end the wait, such as a timeout."""
    target: str = ""
    """What the blocker has open for that, as the target of a link: "pipe:[7]", "socket:[8]"."""


def name_of(moment: Moment, tid: int, seen_from: int | None = None) -> str:
    """Name a thread, or a process by its first thread: "thread 13 (worker)", "nginx (pid 77)".

    A thread of the process that `seen_from` is a thread of is named as a thread.
    """
    process = moment.process_of(tid)
    if process is None:
        return f"process {tid}"
    near = seen_from is not None and process.thread(seen_from) is not None
    if not near:
        name = title_of(process)
        return f"{name} (pid {process.pid})" if name else f"process {process.pid}"
    thread = process.thread(tid)
    named = thread is not None and thread.name not in ("", process.threads[0].name)
    return f"thread {tid}{f' ({thread.name})' if named and thread is not None else ''}"


def title_of(process: ProcessState) -> str:
    """Return the name of a program, or the title that a server gives itself: "postgres: alice shop [local] idle"."""
    title = process.arguments[0].strip() if process.arguments else ""
    written = ": " in title or title.partition(" ")[0].endswith("-server")
    return (title if len(title) <= _LONGEST else f"{title[: _LONGEST - 1]}…") if written else process.name


def listed(moment: Moment, pids: Iterable[int]) -> str:
    """Name at most three processes."""
    known = sorted(set(pids))
    return ", ".join(name_of(moment, pid) for pid in known[:_NAMED]) + (" and others" if len(known) > _NAMED else "")


def first_held(process: ProcessState, thread: ThreadState) -> Held | None:
    """Return the descriptor that a call has as its first argument."""
    return process.held(thread.arguments[0]) if thread.call in _BY_DESCRIPTOR and thread.arguments else None
