"""What one thread waits for, and the thread or process that could end the wait, as a snapshot of /proc shows it."""

from __future__ import annotations

from tracediag.evidence.blocking.link import Link, listed, name_of
from tracediag.evidence.blocking.locks import file_lock_link, futex_link, ipc_link
from tracediag.evidence.blocking.polls import poll_link
from tracediag.evidence.blocking.transfers import connect_link, transfer_link
from tracediag.snapshot import Moment, ProcessState, ThreadState
from tracediag.trace.calls import (
    CHILD_WAITS,
    FILE_READS,
    FILE_WRITES,
    LOCKS,
    PAUSES,
    QUEUE_WAITS,
    RECEIVES,
    SEMAPHORE_WAITS,
    SENDS,
    SIGNAL_WAITS,
    WAITS,
)

_TRANSFERS = FILE_READS | RECEIVES | FILE_WRITES | SENDS | {name for name in QUEUE_WAITS if name.startswith("mq_")}


def link_of(moment: Moment, tid: int) -> Link | None:
    """Return what a thread waits for; None where the snapshot does not show which process could end it."""
    process = moment.process_of(tid)
    thread = None if process is None else process.thread(tid)
    if process is None or thread is None:
        return None
    if thread.state == "D" and thread.path:
        return _file(thread)
    if thread.ipc is not None and thread.call in QUEUE_WAITS | SEMAPHORE_WAITS:
        return ipc_link(moment, thread, thread.ipc)
    for names, find in _KINDS:
        if thread.call in names:
            return find(moment, process, thread)
    return None


def _file(thread: ThreadState) -> Link:
    where = f" (in {thread.wchan} of the kernel)" if thread.wchan else ""
    silent = "its file system or device does not answer, and no signal but SIGKILL can end the wait"
    return Link(thread.tid, f"{thread.path}, in {thread.call}{where}: {silent}", None, "file")


def _child(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    place = 1 if thread.call == "waitid" else 0
    number = thread.arguments[place] & 0xFFFF_FFFF if len(thread.arguments) > place else 0
    alive = [child for pid in process.children if (child := moment.process(pid)) is not None]
    named = next((child for child in alive if child.pid == number), None)
    child = named or (alive[0] if len(alive) == 1 else None)
    if child is not None:
        return Link(thread.tid, f"child {name_of(moment, child.pid)} to end", child.pid, "child")
    if len(alive) < 2:
        return None
    pids = [child.pid for child in alive]
    return Link(thread.tid, f"one of its children to end: {listed(moment, pids)}", None, "child", tuple(pids))


def _signal(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    """Return the wait for a signal where a child has ended: its SIGCHLD came before the wait, sigsuspend(2)."""
    ended = [pid for pid in process.children if _is_zombie(moment, pid)]
    if not ended:
        return None
    which = f"child {ended[0]} has" if len(ended) == 1 else f"{len(ended):,} children, such as {ended[0]}, have"
    return Link(thread.tid, f"a signal; {which} ended already: that SIGCHLD came before the wait", None, "signal")


def _is_zombie(moment: Moment, pid: int) -> bool:
    process = moment.process(pid)
    return process is not None and any(thread.state == "Z" for thread in process.threads)


_KINDS = (
    (frozenset({"futex"}), futex_link),
    (LOCKS, file_lock_link),
    (CHILD_WAITS, _child),
    (_TRANSFERS, transfer_link),
    (frozenset({"connect"}), connect_link),
    (WAITS, poll_link),
    (PAUSES | SIGNAL_WAITS, _signal),
)
