"""Waits for children: wait4(2), waitid(2), and vfork(2), which returns when the child has left the parent's memory."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tracediag.evidence.blocking.link import Link, listed, name_of
from tracediag.evidence.blocking.signals import is_zombie, signals
from tracediag.snapshot import Moment, ProcessState, ThreadState

_ALL, _PID, _GROUP = 0, 1, 2
"""P_ALL, P_PID, P_PGID: waitid(2)."""
_NEGATIVE = 1 << 31
_CALLS = ("wait4", "waitid")


def child_link(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    """Return the child that has to end, or the children of which one has to."""
    family = [child for pid in process.children if (child := moment.process(pid)) is not None]
    named, group = _asked(process, thread)
    if named:
        child = next((one for one in family if one.pid == named), None)
        return None if child is None else _of(moment, thread, child)
    chosen = [one for one in family if not group or one.group == group]
    alive = [one for one in chosen if not is_zombie(moment, one.pid)]
    beside = "".join(_beside(moment, family, group))
    if len(alive) == 1:
        return _of(moment, thread, alive[0], beside)
    if not alive:
        return None
    pids = [one.pid for one in alive]
    which = f" in process group {group}" if group else ""
    what = f"one of its children{which} to end: {listed(moment, pids)}{beside}"
    return Link(thread.tid, what, None, "child", tuple(pids))


def _of(moment: Moment, thread: ThreadState, child: ProcessState, beside: str = "") -> Link:
    return Link(thread.tid, f"child {name_of(moment, child.pid)} to end{beside}", child.pid, "child")


def _asked(process: ProcessState, thread: ThreadState) -> tuple[int, int]:
    """Return the pid, or the process group, that a call waits for; 0 for any."""
    if len(thread.arguments) < 2:
        return 0, 0
    first, second = (value & 0xFFFF_FFFF for value in thread.arguments[:2])
    if thread.call == "waitid":
        group = second or process.group
        return (second if first == _PID else 0), (group if first == _GROUP else 0)
    if first == _NEGATIVE * 2 - 1:
        return 0, 0
    return (0, _NEGATIVE * 2 - first) if first & _NEGATIVE else (first, 0 if first else process.group)


def _beside(moment: Moment, family: list[ProcessState], group: int) -> Iterator[str]:
    """Yield the children of other groups that have ended: a wait for one group does not see them."""
    ended = [one for one in family if group and one.group != group and is_zombie(moment, one.pid)]
    if ended:
        yield f"; child {ended[0].pid}, which has ended, is in another process group ({ended[0].group})"


def without_parents(moment: Moment, pids: set[int]) -> set[int]:
    """Return processes without those that only wait for others of them to end, as a shell waits for its command."""
    return {pid for pid in pids if not _waits_within(moment, pid, pids)}


def _waits_within(moment: Moment, pid: int, pids: set[int]) -> bool:
    """Whether a process of one thread stands in a wait for children, each of which is one of these processes."""
    process = moment.process(pid)
    if process is None or len(process.threads) != 1 or process.threads[0].call not in _CALLS:
        return False
    named, _ = _asked(process, process.threads[0])
    alive = {named} if named else {child for child in process.children if not is_zombie(moment, child)}
    return bool(alive) and alive <= pids


def lost_children(moment: Moment, process: ProcessState) -> str:
    """Say which children have ended and were not waited for: one that was to answer does so no more; "" if none."""
    ended = [child for pid in process.children if is_zombie(moment, pid) and (child := moment.process(pid)) is not None]
    if not ended:
        return ""
    more = f" (and {len(ended) - 1:,} more)" if len(ended) > 1 else ""
    whose = f"child {ended[0].pid}{more} of {name_of(moment, process.pid)}"
    return f"{whose} has ended ({_manner(ended[0].status)}), and was not waited for"


def _manner(status: int | None) -> str:
    """Return how a process ended, by the status that wait(2) reports."""
    if status is None or not (os.WIFEXITED(status) or os.WIFSIGNALED(status)):
        return "how is not shown"
    if os.WIFSIGNALED(status):
        return f"killed by {signals(1 << (os.WTERMSIG(status) - 1))}"
    return f"status {os.WEXITSTATUS(status)}"


def vfork_link(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    """Return the child that uses the memory of its parent: vfork(2), CLONE_VFORK of clone(2)."""
    child = moment.process(max(process.children, default=None))
    if child is None:
        return None
    what = f"child {name_of(moment, child.pid)} to execute a program or to end (vfork: only SIGKILL ends the wait)"
    return Link(thread.tid, what, child.pid, "vfork")
