"""Which processes could end the call in which a thread stands: the wait graph of one moment.

A process is *blocked* if each of its threads stands in a call that only known processes can end. A set of blocked
processes that only each other could wake is a deadlock, whatever the recording shows later: pipe(7), wait(2), flock(2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from tracediag.evidence.counterparts import counterpart
from tracediag.evidence.file_locks import FileLocks
from tracediag.evidence.waiters import blocked_in
from tracediag.evidence.waits import Waited, is_endless_futex, is_lock
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.kernel import Kernel
from tracediag.kernel.process import Process, Thread
from tracediag.trace.calls import CHILD_WAITS, FILE_READS, FILE_WRITES, POLLS, RECEIVES, SENDS
from tracediag.trace.events import Syscall
from tracediag.trace.values import Structure, items_of, number_of

_IN = FILE_READS | RECEIVES
_OUT = FILE_WRITES | SENDS
_MOST = 256
"""Processes and threads of which a graph is made; an idle server of many more is no subject."""


class Wait(msgspec.Struct, frozen=True, eq=False):
    """A call in which a thread stands, and the processes that could end it."""

    process: Process
    thread: Thread
    call: Waited
    enders: tuple[Process, ...]
    """In order of appearance; the process itself may be among them."""
    file: OpenFile | None = None
    """What it reads, writes or locks."""
    ender: Process | None = None
    """The process of the circle that it waits for."""

    @property
    def deed(self) -> str:
        """What the ender would have to do."""
        if self.call.name in CHILD_WAITS:
            return "ends"
        if self.file is not None and is_lock(self.call):
            return "releases the lock"
        what = "pipe" if self.file is not None and self.file.pipe is not None else "connection"
        if self.call.name in _OUT:
            return f"reads from the {what}, which is full"
        return f"writes into the {what} or closes it" if self.call.name in _IN else "acts"


class Moment:
    """The calls in which all threads stand at one moment, and the locks held then."""

    def __init__(self, kernel: Kernel, locks: FileLocks, awake: int | None = None, *, guess: bool = False) -> None:
        """Set the moment.

        Args:
            kernel: the state then.
            locks: the locks then.
            awake: the pid of the process that has just sent the signal: it waits for its effect.
            guess: whether only the traced processes count as holders of what is older than the trace.
        """
        self.awake = awake
        self.guess = guess
        self.kernel = kernel
        self.locks = locks
        self._begun = {begun.pid: begun for begun in kernel.unfinished()}

    def stood_in(self, thread: Thread) -> Waited | None:
        """Return the call in which a thread stands."""
        if self.awake is not None and thread.process.is_called(self.awake):
            return None
        return blocked_in(thread) or self._begun.get(thread.tid) or _broken_off(thread)

    def wait_of(self, thread: Thread) -> Wait | None:
        """Return the wait of a thread; None if it stands in no call, or an unknown process could end the call."""
        call, process = self.stood_in(thread), thread.process
        if call is None:
            return None
        if call.name in CHILD_WAITS:
            enders, file = _children(call, process), None
        elif call.name in POLLS:
            enders, file = self._polled(call, process), None
        elif is_endless_futex(call):
            enders, file = (process,), None
        else:
            file = process.table.file_of(call.number(0))
            enders = None if file is None else self._of(call, file, process)
        return None if enders is None else Wait(process, thread, call, enders, file)

    def _of(self, call: Waited, file: OpenFile, process: Process) -> tuple[Process, ...] | None:
        if is_lock(call):
            lock = self.locks.on(file, process)
            return None if lock is None else holders(lock.file)
        return self._other_side(file) if call.name in _IN | _OUT else None

    def other_end(self, file: OpenFile) -> OpenFile | None:
        """Return the other end of a pipe or connection; one that is older than the trace is told by its data."""
        return file.other or (counterpart(file, self.kernel) if self.guess else None)

    def _other_side(self, file: OpenFile) -> tuple[Process, ...] | None:
        other = self.other_end(file)
        if other is None or (file.socket is not None and file.socket.guessed):
            return None
        return _known_holders(other) if self.guess and other.opened is None else holders(other)

    def _polled(self, call: Waited, process: Process) -> tuple[Process, ...] | None:
        if call.name != "poll" or number_of(call.arg(2)) != -1:
            return None
        found: dict[Process, None] = {}
        for entry in items_of(call.arg(0)):
            number = number_of(entry.get("fd")) if isinstance(entry, Structure) else None
            file = process.table.file_of(number)
            side = None if file is None else self._other_side(file)
            if side is None:
                return None
            found.update(dict.fromkeys(side))
        return tuple(found) or None

    def waits_of(self, process: Process) -> list[Wait] | None:
        """Return the waits of all threads of a process; None if one of them may run."""
        waits: list[Wait] = []
        for thread in process.threads if len(process.threads) <= _MOST else ():
            wait = self.wait_of(thread)
            if wait is None:
                return None
            waits.append(wait)
        return waits or None

    def deadlocked(self) -> dict[Process, list[Wait]]:
        """Return the processes that only processes of the same set could wake, with the waits of their threads."""
        running = [each for each in self.kernel.processes if each.exit is None and each.threads]
        if len(running) > _MOST:
            return {}
        known = {process: waits for process in running if (waits := self.waits_of(process)) is not None}
        before = len(known) + 1
        while len(known) < before:
            before = len(known)
            known = {process: waits for process, waits in known.items() if _closed(process, waits, known)}
        return known


def holders(file: OpenFile) -> tuple[Process, ...] | None:
    """Return the running processes that have a description open; None where an unseen process may have it."""
    return None if file.opened is None else _known_holders(file)


def _known_holders(file: OpenFile) -> tuple[Process, ...] | None:
    if file.strays or file.sent is not None:
        return None
    found: dict[Process, None] = {}
    for table in [holder.table for holder in file.holders] + list(file.heir_tables):
        if not table.seen:
            return None
        found.update({user: None for user in table.users if user.exit is None})
    return tuple(sorted(found, key=_appearance))


def _appearance(process: Process) -> int:
    """Return the line of the birth of a process; 0 for those that were there first."""
    return 0 if process.started is None else process.started.line


def _broken_off(thread: Thread) -> Syscall | None:
    """Return the write that a signal ended in the middle: a full pipe took a part, and the rest waited for room."""
    call = thread.last_call
    if call is None or call.name != "write" or not call.result or call.result < 0 or call.end_line <= call.line:
        return None
    asked = call.number(2)
    return call if asked is not None and call.result < asked else None


def _children(call: Waited, process: Process) -> tuple[Process, ...] | None:
    """Return the children of which one has to end; None for a wait that does not block, or an unseen child."""
    if call.has("WNOHANG"):
        return None
    number = call.number(1 if call.name == "waitid" else 0)
    alive = [child for child in process.children.values() if child.exit is None]
    chosen = [child for child in alive if child.is_called(number)] if number is not None and number > 0 else alive
    return tuple(chosen) if chosen and all(child.table.seen for child in chosen) else None


def _closed(process: Process, waits: list[Wait], known: dict[Process, list[Wait]]) -> bool:
    """Whether only blocked processes could end these waits; a process with one thread does not end its own futex."""
    return all(wait.enders and all(ender in known for ender in wait.enders) for wait in waits) and (
        len(waits) > 1 or not is_endless_futex(waits[0].call) or process not in waits[0].enders
    )


def circles(known: dict[Process, list[Wait]]) -> Iterator[list[Wait]]:
    """Yield each circle among deadlocked processes once: each wait is for the process of the next."""
    seen: set[Process] = set()
    for start in known:
        path: dict[Process, Wait] = {}
        process: Process | None = start
        while process is not None and process not in path and process not in seen:
            wait, ender = _next(known[process])
            path[process] = msgspec.structs.replace(wait, ender=ender)
            process = ender
        if process in path:
            way = list(path.values())
            yield way[list(path).index(process) :]
        seen.update(path)


def _next(waits: Iterable[Wait]) -> tuple[Wait, Process]:
    """Return the wait to follow, and for which process: rather for another one than for itself."""
    choices = [(wait, ender) for wait in waits for ender in wait.enders]
    return next((choice for choice in choices if choice[1] is not choice[0].process), choices[0])
