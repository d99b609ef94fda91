"""The child of a clone: what it shares with its parent, and what is copied: clone(2), fork(2), vfork(2)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.process import Process, Thread
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.flags import flags_in

_FIRST = 3
"""The standard streams are those of whatever started the program, and every process has some."""
_GENERATIONS = 8
_CHILDREN = 16


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


def assume(process: Process, number: int) -> Descriptor:
    """Make a descriptor of a number that a process uses, and of which the trace shows no creation.

    It is older than the trace: the parent held it at a fork that the trace shows, and the children forked since then
    hold copies of it.
    """
    if process.table.knows(number):  # closed before: it was opened again in between
        made = Descriptor(number, OpenFile(), process.table)
        process.table.install(made)
        return made
    origin = None
    for parent in reversed(list(islice(_ancestors(process, number), _GENERATIONS))):
        known = parent.table.get(number) or parent.table.last_closed.get(number)
        origin = known or _install(parent, number, origin)
    return _install(process, number, origin)


def _ancestors(process: Process, number: int) -> Iterator[Process]:
    """Yield the parent that a process was forked from, its parent, and so on, as far as they held the number then."""
    parent = process.parent
    while number >= _FIRST and parent is not None and process.started is not None and parent.table is not process.table:
        if process.executed is not None or parent.exit is not None or not _held_then(parent, number, process.started):
            return
        yield parent
        process, parent = parent, parent.parent


def _held_then(parent: Process, number: int, forked: Event) -> bool:
    """Whether a parent may have held a number at a fork: nothing shows that it has another one under it since."""
    if parent.executed is not None and parent.executed.line > forked.line:
        return False
    known = parent.table.get(number) or parent.table.last_closed.get(number)
    return known is None or (known.opened is None and known.before is None)


def _install(process: Process, number: int, origin: Descriptor | None) -> Descriptor:
    table = process.table
    made = table.get(number)  # the parent, for which it was assumed first, has passed it on
    if made is None:
        made = Descriptor(number, OpenFile() if origin is None else origin.file, table, copy_of=origin)
        table.install(made)
    for child in islice(process.children.values(), _CHILDREN) if number >= _FIRST else ():
        forked = child.started is not None and child.executed is None and child.exit is None
        if forked and child.table is not table and not child.table.knows(number):
            child.table.bequeath(number, made)
    return made


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
