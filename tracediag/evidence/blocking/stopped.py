"""Where a thread stands; and what stopped one: a signal, the terminal, a tracer, the freezer of a cgroup."""

from __future__ import annotations

from tracediag.evidence.blocking.link import Link, first_held, name_of
from tracediag.snapshot import Moment, ProcessState, ThreadState
from tracediag.trace.calls import EPOLL_WAITS, FILE_READS

_FREEZERS = ("do_freezer_trap", "__refrigerator", "cgroup_freezer")
_SERVERS = {
    "mariadbd": "SHOW FULL PROCESSLIST",
    "mysqld": "SHOW FULL PROCESSLIST",
    "mongod": "db.currentOp()",
    "redis-server": "CLIENT LIST",
}
"""What lists the sessions of a server, by the beginning of its name."""
_TERMINALS = ("/dev/tty", "/dev/pts/", "/dev/console")


def stopped(moment: Moment, tid: int) -> str:
    """Say what stopped a thread, and what continues it; "" where nothing did."""
    process = moment.process_of(tid)
    thread = None if process is None else process.thread(tid)
    if process is None or thread is None:
        return ""
    if thread.wchan.startswith(_FREEZERS):
        return "is frozen by its cgroup: echo 0 > the file cgroup.freeze there thaws it (docker unpause)"
    if thread.state == "t":
        by = f" of {name_of(moment, process.tracer)}" if process.tracer else ""
        return f"is stopped by a tracer{by}, such as a debugger at a breakpoint"
    if thread.state != "T":
        return ""
    return _by_terminal(process, thread) or "is stopped (SIGSTOP, or Ctrl-Z): kill -CONT continues it"


def _by_terminal(process: ProcessState, thread: ThreadState) -> str:
    """Say that the terminal stopped a process of the background: SIGTTIN for a read, SIGTTOU else, setpgid(2)."""
    held = first_held(process, thread)
    if not process.foreground or process.foreground == process.group or held is None:
        return ""
    if not held.target.startswith(_TERMINALS):
        return ""
    name, deed = ("SIGTTIN", "reads") if thread.call in FILE_READS else ("SIGTTOU", "changes")
    if name == "SIGTTOU" and thread.call != "ioctl":
        deed = "writes to"
    groups = f"its group {process.group} is in the background, group {process.foreground} in the foreground"
    return f"is stopped by {name}, since it {deed} {held.target}: {groups}; fg, or input from elsewhere, continues it"


def stands(moment: Moment, tid: int) -> str:
    """Say where a thread stands: "stands in read(fd 5 = pipe:[7])", "runs"; "" where the snapshot does not show it."""
    process = moment.process_of(tid)
    thread = None if process is None else process.thread(tid)
    if process is None or thread is None:
        return ""
    if why := stopped(moment, tid):
        return why
    if thread.state == "Z":
        return "has ended, and its parent has not waited for it"
    if not thread.call:
        return "runs" if thread.state == "R" else ""
    if thread.call == "restart_syscall":
        return "waits with a timeout, as in a sleep"
    held = first_held(process, thread)
    name = thread.call if not thread.call.isdecimal() else f"system call {thread.call}"
    return f"stands in {name}{f' on fd {held.number} = {held.target}' if held is not None else ''}"


def several(moment: Moment, last: Link, active: int, asker: int) -> str:
    """Say that any of the threads of a process could end a wait, and what shows what they do.

    Args:
        moment: the look at /proc.
        last: the wait, for that process.
        active: how many of its threads could act.
        asker: the process that the look began with.
    """
    process = moment.process(last.blocker)
    if process is None:
        return ""
    reads = any(_attends(process, one, last.target) for one in process.threads)
    if last.kind == "write" and last.target and process.pid == asker and not reads:
        return "has no thread that reads from there now"
    asked = next((command for server, command in _SERVERS.items() if process.name.startswith(server)), "")
    show = f"; there, {asked} shows what each waits for" if asked else f": tracediag run -p {process.pid} shows them"
    return f"has {active} threads that could do so{show}"


def _attends(process: ProcessState, thread: ThreadState, target: str) -> bool:
    """Whether a thread stands in a call on a descriptor of this target."""
    entries = thread.watches
    if thread.call in EPOLL_WAITS and thread.arguments:
        held = process.held(thread.arguments[0])
        entries = () if held is None else held.epoll
    used = [first_held(process, thread), *(process.held(entry.fd) for entry in entries)]
    return any(one is not None and one.target == target for one in used)
