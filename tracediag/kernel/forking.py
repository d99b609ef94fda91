"""The child of a clone: what it shares with its parent, and what is copied: clone(2), fork(2), vfork(2)."""

from __future__ import annotations

from tracediag.kernel.process import Process, Thread
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.flags import flags_in


def clone_flags(call: Syscall | Begun) -> frozenset[str]:
    """Return the CLONE_ flags of a clone, clone3, fork or vfork."""
    if call.name == "fork":
        return frozenset()
    if call.name == "vfork":
        return frozenset({"CLONE_VM", "CLONE_VFORK"})
    return flags_in(call.body, "CLONE_")


def forked(by: Thread, tid: int | None, flags: frozenset[str], call: Syscall | Begun) -> Process:
    """Return the child of a clone with these flags: what it shares with its parent, and what it has a copy of."""
    parent = by.process
    table = parent.table if "CLONE_FILES" in flags else parent.table.copy()
    signals = parent.signals if "CLONE_SIGHAND" in flags else parent.signals.copy()
    child = Process(
        tid,
        table,
        signals,
        parent=parent,
        program=parent.program,
        started=call,
        limits=dict(parent.limits),
        group=parent.group,
        session=parent.session,
        place=by.place if "CLONE_FS" in flags else by.place.copy(),
        terminal=parent.terminal,
        uids=parent.uids,
        gids=parent.gids,
        groups=parent.groups,
        seccomp=parent.seccomp,
        space=parent.space if "CLONE_VM" in flags else parent.space.copy(),
    )
    table.users[child] = None
    if tid is not None:
        parent.children[tid] = child
    return child


def hand_over(child: Process, parent: Process, call: Syscall | Begun) -> None:
    """Move a child to the parent whose clone returned its pid: another forking process had been guessed."""
    wrong = child.parent
    if wrong is None or wrong is parent or child is parent or child.pid is None or isinstance(call, Begun):
        return
    wrong.children.pop(child.pid, None)
    if (child.place.since or 0) < call.line:
        child.place = parent.place.copy()
    child.parent, child.started = parent, call
    parent.children[child.pid] = child
