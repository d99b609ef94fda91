"""TD604: a process that waits for a file lock until the trace, or the process, ends."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.blocking import blocked_by, name_of
from tracediag.evidence.cases import Cases
from tracediag.evidence.file_locks import FileLocks
from tracediag.evidence.names import process_name, program_name
from tracediag.evidence.paths import path_of
from tracediag.evidence.waiters import blocked_in, killing_lines, lasts, stood_in
from tracediag.evidence.waits import is_lock
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.rules.waiting._slowness import duration_of
from tracediag.trace.calls import ACCEPTS, CONTROLS, EPOLL_WAITS, LOCKS, POLLS, SELECTS
from tracediag.trace.events import Begun, Syscall

_LONG = 1.0
"""Seconds after which a wait for a lock is no contention of two that both work."""
_SHORT = 0.1
"""Seconds below which a wait that a signal interrupts is no hang."""

_MET = 0.001
"""Seconds from which on a lock call has waited, where no other thread's line stands in between."""
_MOST = 1024

_EVENTS = ACCEPTS | EPOLL_WAITS | POLLS | SELECTS
_Holder = tuple[Syscall, Process]


_IN_TURN = (
    "none needed if these are idle workers of a server that take turns to wait for clients: the holder stands in that"
    " wait, and has released the lock before"
)


class FileLockWait(Rule):
    """A lock call has not returned when the process is killed or the trace ends."""

    code = "TD604"
    name = "file-lock-wait"
    severity = Severity.ERROR
    summary = "a process waits for a file lock until it is killed or the trace ends"
    raised_by = (LOCKS,)

    def __init__(self) -> None:
        self._locks = FileLocks()
        self._given_back: Cases[OpenFile, None] = Cases()
        """The open files whose lock has been released at least once."""
        self._passed_on: set[str] = set()
        """The locks that a process of the recording has waited for and got: by path, else by descriptor."""

    @on_call("flock")
    def locked(self, action: Action) -> None:
        """Keep the locks of flock(2): they belong to the open file description and end with it."""
        self._locks.note(action)
        if action.descriptor is not None and action.call.result == 0 and action.call.has("LOCK_UN"):
            self._given_back[action.descriptor.file] = None

    @on_call("flock", *CONTROLS, showing=("LOCK_", "F_SETLKW", "F_OFD_SETLKW"))
    def got(self, action: Action) -> None:
        """Note a wait for a lock that ends: its holders release it, so that a later wait may be short as well."""
        call, descriptor = action.call, action.descriptor
        waited = call.end_line > call.line or (duration_of(call) or 0.0) >= _MET
        if call.result == 0 and waited and is_lock(call) and len(self._passed_on) < _MOST:
            self._passed_on.add(_what(call, descriptor, action.process)[1])

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the calls in which a process was killed, or in which its threads stand at the end."""
        for call in stood_in(end):
            if is_lock(call) and not _began_just_now(call):
                yield self._finding(end, call)

    def _finding(self, end: ProcessEnd, call: Syscall | Begun) -> Finding:
        known = isinstance(call, Syscall) and call.interrupted
        sure = known or (isinstance(call, Syscall) and lasts(call, end.kernel, _LONG))
        mine = next((each for each in end.held if each.number == call.number(0)), None)
        path, what = _what(call, mine, end.process)
        lock = None if mine is None else self._locks.on(mine.file, end.process)
        holder = None if lock is None else (lock.call, lock.process)
        in_turn = lock is not None and lock.file in self._given_back and _awaits_clients(lock.process)
        told = None if holder is not None else _told(end, call)
        return self.finding(
            _story(end, call, mine, holder),
            object=what,
            title=f"{process_name(end.process)} waits for "
            + (told.waits if told is not None else f"the lock on {what}{_held_by(holder, end.process)}"),
            severity=Severity.NOTE if in_turn else self._severity(end, what, sure=sure),
            confidence=Confidence.LIKELY if sure else Confidence.POSSIBLE,
            why="without LOCK_NB, and with F_SETLKW, a lock call waits until no conflicting lock is left; a lock of"
            " flock belongs to the open file description, so that two opens of a file conflict, also in one process:"
            " flock(2), fcntl_locking(2)",
            fix=_IN_TURN if in_turn else _fix(holder, path, told.holder if told is not None else ""),
            explains=[("killed-from-outside", line) for line in killing_lines(end)],
        )

    def _severity(self, end: ProcessEnd, what: str, *, sure: bool) -> Severity:
        """A wait that is not seen to last is a note where others for that lock have ended: two that work take turns."""
        if not sure:
            return Severity.NOTE if what in self._passed_on else Severity.WARNING
        return Severity.WARNING if _is_limited(end) else Severity.ERROR


def _what(call: Syscall | Begun, mine: Descriptor | None, process: Process) -> tuple[str | None, str]:
    """Return the path of the file of a lock, if it is known, and how to name the file."""
    path = None if mine is None else path_of(mine.file, process)
    return path, path or f"fd {call.number(0)}"


def _awaits_clients(process: Process) -> bool:
    """Whether a process waits for events or connections, with no limit but the next one."""
    calls = (blocked_in(thread) for thread in process.threads)
    return any(call is not None and call.name in _EVENTS for call in calls)


def _began_just_now(call: Syscall | Begun) -> bool:
    """Whether a signal interrupted the wait soon: a process that is ordered to stop while it works hangs nowhere."""
    took = duration_of(call) if isinstance(call, Syscall) and call.interrupted else None
    return took is not None and took < _SHORT


def _is_limited(end: ProcessEnd) -> bool:
    """Whether timeout(1) ended the wait: the user has set its length."""
    parent = end.process.parent
    return end.exit is not None and parent is not None and program_name(parent.program) == "timeout"


class _Told(msgspec.Struct, frozen=True):
    """What a snapshot of /proc shows of the lock."""

    waits: str
    """The lock, and what holds it."""
    holder: str
    """The process that holds it; "" where that is not known."""


def _told(end: ProcessEnd, call: Syscall | Begun) -> _Told | None:
    chain = blocked_by(end.kernel, call.pid, call.name)
    link = None if chain is None else chain.links[0]
    if chain is None or link is None or link.kind != "lock":
        return None
    return _Told(link.waits, "" if link.blocker is None else name_of(chain.moment, link.blocker))


def _held_by(holder: _Holder | None, process: Process) -> str:
    if holder is None:
        return ", which another process holds"
    call, by = holder
    if by is process:
        return f", which the same process has locked through fd {call.number(0)}"
    return f", which {process_name(by)} has locked"


def _story(end: ProcessEnd, call: Syscall | Begun, mine: Descriptor | None, holder: _Holder | None) -> Iterator[Step]:
    if holder is not None:
        yield step(holder[0], f"{process_name(holder[1])} takes the lock")
    if mine is not None and mine.opened is not None:
        yield step(mine.opened, "opens the file")
    yield step(call, "waits for the lock, and does not return", primary=True)
    if end.exit is not None:
        yield step(end.exit, f"the process is killed by {end.exit.signal} in this wait")


def _fix(holder: _Holder | None, path: str | None, told: str) -> str:
    limited = f"to wait for a limited time: flock -w SECONDS {path or 'FILE'} COMMAND"
    if told:
        return f"find out why {told} keeps the lock, or end it; {limited}"
    if holder is None:
        return f"find the holder (lslocks, or /proc/locks by inode) and end or repair it; {limited}"
    return f"find out why {process_name(holder[1])} keeps the lock that it takes at line {holder[0].line:,}; {limited}"
