"""A child that a process is told of by SIGCHLD or wait4(2), although the trace shows another parent or none."""

from __future__ import annotations

from tracediag.kernel.kernel import Kernel
from tracediag.kernel.process import Process
from tracediag.kernel.process_table import ProcessTable
from tracediag.kernel.sharing import unite
from tracediag.trace.calls import FORKS
from tracediag.trace.events import Begun, Syscall


def adopted(kernel: Kernel, pid: int, parent: Process) -> Process | None:
    """Return the child with this pid, now the parent's, if its clone is missing or a thread of the parent made it.

    None if there is no such process.
    """
    table = kernel.process_table
    return table.strangers.claim(pid, parent) or _given(table, pid, parent) or _of_a_thread(kernel, pid, parent)


def _of_a_thread(kernel: Kernel, pid: int, parent: Process) -> Process | None:
    """Return a child that was cloned by what had been taken for another process, and is a thread of the parent.

    While the process that made a child lives, only its own threads are told of the end of the child: wait(2).
    """
    table = kernel.process_table
    if table.strangers.count <= 1 or table.inner.exist:
        return None
    for other in {thread.process: None for thread in table.threads.values()}:
        child = other.children.get(pid)
        if child is None or other is parent or child.started is None or not table.strangers.may_be_one(parent, other):
            continue
        made = child.started
        if not (isinstance(made, Syscall | Begun) and made.has("CLONE_PARENT")) and unite(kernel, parent, other):
            return child
    return None


def _given(table: ProcessTable, pid: int, parent: Process) -> Process | None:
    """Take a child from the process that had been taken for its parent."""
    # Not all processes: a trace may have thousands that have ended, and their children are forgotten.
    crew = table.strangers.crew
    living = [thread.process for thread in table.threads.values()]
    for other in dict.fromkeys(living if crew is None else (*living, crew)):
        child = other.children.get(pid)
        if child is not None and other is not parent and not _is_cloned(child):
            del other.children[pid]
            child.parent = parent
            return child
    return None


def _is_cloned(process: Process) -> bool:
    """Whether the trace shows the call that created a process."""
    return isinstance(process.started, Syscall | Begun) and process.started.name in FORKS
