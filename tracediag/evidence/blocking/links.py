"""What one thread waits for, and the thread or process that could end the wait, as a snapshot of /proc shows it."""

from __future__ import annotations

from tracediag.evidence.blocking.children import child_link, vfork_link
from tracediag.evidence.blocking.files import fifo_link, file_link
from tracediag.evidence.blocking.link import Link
from tracediag.evidence.blocking.locks import file_lock_link, futex_link, ipc_link
from tracediag.evidence.blocking.polls import is_inward, poll_link
from tracediag.evidence.blocking.signals import signal_link
from tracediag.evidence.blocking.threads import threads_link, woken
from tracediag.evidence.blocking.transfers import connect_link, transfer_link
from tracediag.snapshot import Moment, ProcessState, ThreadState
from tracediag.trace.calls import (
    CHILD_WAITS,
    FILE_READS,
    FILE_WRITES,
    FORKS,
    LOCKS,
    OPENS,
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
    if (link := file_link(process, thread)) is not None:
        return link
    if thread.ipc is not None and thread.call in QUEUE_WAITS | SEMAPHORE_WAITS:
        return ipc_link(moment, thread, thread.ipc)
    if thread.call in OPENS:
        return fifo_link(process, thread)
    for names, find in _KINDS:
        if thread.call in names:
            return find(moment, process, thread)
    return None


def _futex(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    return futex_link(moment, process, thread) or threads_link(moment, process, thread)


def _poll(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    link = poll_link(moment, process, thread)
    if link is None or len(process.threads) == 1 or not is_inward(moment, process, thread):
        return link
    return woken(moment, process, thread, f"another thread of the process: for {link.waits}") or link


_KINDS = (
    (frozenset({"futex"}), _futex),
    (LOCKS, file_lock_link),
    (CHILD_WAITS, child_link),
    (FORKS, vfork_link),
    (_TRANSFERS, transfer_link),
    (frozenset({"connect"}), connect_link),
    (WAITS, _poll),
    (PAUSES | SIGNAL_WAITS, signal_link),
)
