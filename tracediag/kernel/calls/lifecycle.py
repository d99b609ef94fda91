"""The life of processes: clone(2), fork(2), execve(2), exit_group(2), unshare(2)."""

from __future__ import annotations

import re

from tracediag.kernel.action import Action
from tracediag.kernel.address_space import AddressSpace
from tracediag.kernel.calls.making import pidfd_of_child
from tracediag.kernel.calls.subject import subject
from tracediag.kernel.handlers import begins, handles
from tracediag.kernel.newborns import robust_list
from tracediag.kernel.numbers import release
from tracediag.kernel.process import Thread
from tracediag.kernel.sharing import unite
from tracediag.trace.calls import EXECS, EXITS, FORKS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.values import names_of, note_of

_OUTSIDE = re.compile(r"/\* ([0-9]{1,10}+) in strace's PID NS \*/")
"""What --pidns-translation adds to a pid."""

_FS_IMPLIED = frozenset({"CLONE_FS", "CLONE_NEWNS", "CLONE_NEWUSER"})
"""Flags of unshare that unshare the working directory and root: unshare(2), "CLONE_FS is implied"."""


@begins(*FORKS)
def begin_clone(action: Action, call: Begun) -> None:
    """Expect the child, whose first lines may come before the call returns."""
    del call
    action.kernel.process_table.births.begin(action.thread)


@handles(*FORKS)
def clone(action: Action, call: Syscall) -> None:
    """Create the thread or process."""
    table = action.kernel.process_table
    if call.has("CLONE_NEWPID"):
        table.inner.make()
    if call.result is not None and call.result > 0:
        outside = _OUTSIDE.search(call.tail) if "PID NS" in call.tail else None
        if outside is None:
            table.clone(action.thread, call.result, call)
        else:
            child = table.clone(action.thread, checked_integer(outside[1]), call)
            table.births.number(child, action.thread, call.result)
        if call.has("CLONE_PIDFD"):
            pidfd_of_child(action, call)
    table.births.end(action.thread)


@handles(*EXECS)
def execve(action: Action, call: Syscall) -> None:
    """Replace the program: FD_CLOEXEC descriptors are closed and signal handlers are reset."""
    if call.result != 0:
        return
    process = action.process
    process.former, process.executed = process.program, call
    process.program = call.path(1 if call.name == "execveat" else 0)
    process.execs += 1
    action.kernel.shows_start = True
    # Earlier failures belong to the previous program: the search along PATH, for example.
    last = process.failures[-1] if process.failures else None
    process.no_format = last if last is not None and last.errno == "ENOEXEC" else None
    process.failures.clear()
    process.messages.clear()
    _own_table(action)
    process.place, action.thread.apart = action.thread.place, None
    process.space = AddressSpace()
    process.uids, process.gids = process.uids.exec(), process.gids.exec()
    process.signals = process.signals.copy()
    process.signals.exec()
    process.signal_stack = None
    action.thread.rounds.clear()
    # The new program cannot know which numbers the previous one closed.
    process.table.last_closed.clear()
    process.table.executed = True
    process.table.drop_unused(action.event, only_cloexec=True)
    for descriptor in list(process.table.open.values()):
        if descriptor.cloexec:
            release(action, descriptor)


def _own_table(action: Action) -> None:
    """Unshare the descriptor table: CLONE_FILES ends with execve(2) and with unshare(2)."""
    process = action.process
    if len(process.table.users) > 1:
        process.table.users.pop(process, None)
        process.table = process.table.copy()
        process.table.users[process] = None
        process.table.executed = bool(process.execs)


@handles("unshare")
def unshare(action: Action, call: Syscall) -> None:
    """Give the process a descriptor table of its own, and the thread a working directory of its own."""
    if call.result != 0:
        return
    names = names_of(call.arg(0))
    if "CLONE_FILES" in names:
        _own_table(action)
    if "CLONE_NEWPID" in names:
        action.kernel.process_table.inner.make()
    if names & _FS_IMPLIED:
        _own_place(action.thread)


@handles("setns")
def setns(action: Action, call: Syscall) -> None:
    """Enter a namespace: of pids, for the children; of mounts, with its root as root and working directory."""
    held = subject(action, call)
    if call.result != 0:
        return
    kind = (note_of(call.arg(0)) or (None if held is None else held.file.path) or "").rpartition("/")[2]
    names = names_of(call.arg(1))
    if "CLONE_NEWPID" in names or kind.startswith("pid"):
        action.kernel.process_table.inner.make()
    if "CLONE_NEWNS" in names or kind.startswith("mnt"):
        action.thread.place.root = None
        action.thread.place.move(call, None, physical=False)


def _own_place(thread: Thread) -> None:
    """Unshare the working directory and root of a thread; the only thread of a process has those of the process."""
    if len(thread.process.threads) == 1:
        thread.process.place = thread.place.copy()
    else:
        thread.apart = thread.place.copy()


@handles(*EXITS)
def exit_group(action: Action, call: Syscall) -> None:
    """Record the exit status, which is known before strace reports the exit."""
    if call.name == "exit_group":
        action.process.exit_status = call.number(0)
        action.process.leaving = call


@handles("getpid", "gettid", "set_tid_address")
def told(action: Action, call: Syscall) -> None:
    """Record the number by which the process or thread knows itself: getpid(2), gettid(2), set_tid_address(2)."""
    thread, table = action.thread, action.kernel.process_table
    if call.name == "getpid" and table.strangers.count > 1 and call.pid not in (None, call.result):
        leader = table.threads.get(call.result)
        if leader is not None and unite(action.kernel, leader.process, thread.process):
            return
    if call.name != "getpid" or thread.tid == thread.process.pid:  # the main thread has the number of its process
        table.inner.tell(thread, call.result)


@handles("set_robust_list", "rseq")
def started(action: Action, call: Syscall) -> None:
    """Note the first calls that the C library makes in a child or thread: they show that strace follows it."""
    if call.name == "set_robust_list":
        action.thread.robust_list = robust_list(call)
