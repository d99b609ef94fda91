"""TD614: threads or processes that wait again and again for the same lock."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.names import process_name
from tracediag.evidence.paths import path_of
from tracediag.evidence.waits import futex_operation, is_lock, is_mutex
from tracediag.kernel import Action, Kernel
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Finding, Severity
from tracediag.rules.base import Rule, on_call, on_followed, on_process_end, on_trace_end
from tracediag.rules.waiting._contention import FEW, RELEASES, Hold, Lock, subject_of, waited
from tracediag.rules.waiting._contention_words import Subject, parts_of
from tracediag.trace.calls import ACCEPTS, CONTROLS, FUTEXES, WAITS
from tracediag.trace.events import Begun, Event, Syscall

_FINDINGS = 3
"""Locks of one process that are reported: those with the longest waits."""
_SOON = 3
"""Waits from which on the holders of a lock are looked at: most mutexes are met once or twice."""
_SHORT = 0.001
"""Seconds from which on a call that locks a file has waited."""


class _Locks:
    """The locks of a process, or those that processes share; their number is bounded."""

    _MOST = 512

    def __init__(self) -> None:
        self.by_name: dict[str, Lock] = {}
        self._refused = 0

    def get(self, name: str, call: Syscall) -> Lock | None:
        """Return the lock of a name; None if there are too many, also without those that were just met."""
        lock = self.by_name.get(name)
        if lock is None:
            if len(self.by_name) >= self._MOST and not self._makes_room():
                return None
            lock = self.by_name[name] = Lock(call.time is not None)
        return lock

    def joined(self, later: _Locks) -> _Locks:
        """Add the locks of a process that turns out to be this one; of two with one name, take that with more waits."""
        for name, lock in later.by_name.items():
            mine = self.by_name.get(name)
            if mine is None or lock.waits > mine.waits:
                self.by_name[name] = lock
        return self

    def _makes_room(self) -> bool:
        """Forget the locks that were just met; not at each new one, because nothing may be forgotten."""
        self._refused += 1
        if self._refused % self._MOST == 1:
            self.by_name = {key: one for key, one in self.by_name.items() if one.waits >= FEW}
        return len(self.by_name) < self._MOST


class LockContention(Rule):
    """Many waits for one mutex or file lock, which take a sizeable share of the time of the threads that wait."""

    code = "TD614"
    name = "lock-contention"
    severity = Severity.WARNING
    summary = "threads or processes wait for the same lock again and again, so that they run one at a time"
    raised_by = (FUTEXES | {"flock", *CONTROLS},)

    def __init__(self) -> None:
        self._own: Cases[Process, _Locks] = Cases(merge=_Locks.joined)
        """The mutexes of a process, by address."""
        self._shared = _Locks()
        """Mutexes in memory that processes share, by address and program; and files, by path.

        Where the trace does not show which threads are of one process, other mutexes too, by address.
        """
        self._holds: Cases[Thread, Hold] = Cases()

    @on_call(*FUTEXES, showing=(", 2, ", ", 0x2, ", ", 2147483664, ", "FUTEX_LOCK_PI"))
    def waited(self, action: Action) -> None:
        """Note a wait for a mutex; a wait for a condition has another value."""
        call = action.call
        if not (is_mutex(call) or "LOCK_PI" in futex_operation(call)) or call.errno == "EAGAIN" or not call.returned:
            return
        lock = self._mutex(action)
        if lock is not None:
            lock.wait(call, waited(call, timed=lock.timed))
            self._hold(action, lock)

    @on_call(*FUTEXES, showing=("FUTEX_WAKE", "UNLOCK_PI"))
    def woke(self, action: Action) -> None:
        """Note which thread releases a mutex that others wait for."""
        if not (self._own or self._shared.by_name):
            return
        locks, address = self._home(action)
        if locks is None or (lock := locks.by_name.get(address)) is None:
            return
        lock.release(action.call)

    @on_call("flock", *CONTROLS, showing=("LOCK_", "SETLKW", "F_UNLCK"))
    def locked(self, action: Action) -> None:
        """Note a lock of a file that is taken or released."""
        call, descriptor = action.call, action.descriptor
        path = None if descriptor is None else path_of(descriptor.file, action.process)
        if path is None or call.result != 0:
            return
        if any(map(call.has, RELEASES)):
            if (known := self._shared.by_name.get(path)) is not None:
                known.release(call)
        elif is_lock(call) and (lock := self._shared.get(path, call)) is not None:
            took = waited(call, timed=lock.timed)
            if took >= (_SHORT if lock.timed else 1):
                lock.wait(call, took)
            self._hold(action, lock)

    def _mutex(self, action: Action) -> Lock | None:
        locks, address = self._home(action, new=True)
        return None if locks is None else locks.get(address, action.call)

    def _home(self, action: Action, *, new: bool = False) -> tuple[_Locks | None, str]:
        """Return where a mutex is kept, and by what name."""
        address = subject_of(action.call)
        if "PRIVATE" not in futex_operation(action.call):
            return self._shared, f"{address} {action.process.program}"
        if address in self._shared.by_name or action.kernel.process_table.strangers.count > 1:
            return self._shared, address  # their threads may be of one process: the trace does not show their birth
        own = self._own.get(action.process)
        return (self._own.setdefault(action.process, _Locks()) if own is None and new else own), address

    def _hold(self, action: Action, lock: Lock) -> None:
        """Look at what the thread does with the lock that it has waited for."""
        if lock.waits >= _SOON and not lock.sampled:
            self._holds[action.thread] = Hold(lock, subject_of(action.call))
            self.follow(action.thread)

    @on_followed
    def holds(self, action: Action) -> None:
        """Note the calls of a thread that holds a lock, until it releases the lock."""
        hold = self._holds.get(action.thread)
        if hold is None:
            return
        event = action.event
        ends = isinstance(event, Begun | Syscall) and hold.is_ended_by(event)
        if ends:
            hold.lock.held(hold)
        if ends or not hold.see(action):
            del self._holds[action.thread]
            self.leave(action.thread)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the mutexes of a process."""
        locks = self._own.pop(end.process, None)
        if locks is not None:
            yield from self._judged(self._mutexes(end.process, locks, end.kernel))

    def _mutexes(self, process: Process, locks: _Locks, kernel: Kernel) -> list[tuple[Lock, Subject]]:
        seen = process.started or process.executed
        name, whole = process_name(process), self.scope.starts
        return [
            (lock, Subject(f"the mutex at {address}", name, mutex=True))
            for address, lock in locks.by_name.items()
            if lock.waits and lock.is_held_in_turn and lock.is_contended(_observed(lock, seen, kernel), whole=whole)
        ]

    @on_trace_end
    def over(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge the locks that processes share."""
        found: list[tuple[Lock, Subject]] = []
        for name, lock in self._shared.by_name.items():
            if not lock.waits or not lock.is_contended(_observed(lock, None, kernel), whole=self.scope.starts):
                continue
            mutex = name.startswith("0x")
            if mutex and lock.is_held_in_turn:
                address, _, shared = name.partition(" ")
                called = f"the shared mutex at {address}" if shared else f"the mutex at {address}"
                found.append((lock, Subject(called, "", mutex=True, threads=not shared)))
            elif not mutex:
                found.append((lock, Subject(name, "", mutex=False)))
        yield from self._judged(found)

    def _judged(self, found: list[tuple[Lock, Subject]]) -> Iterator[Finding]:
        found.sort(key=lambda each: -each[0].total)
        filtered = not self.scope.records(ACCEPTS | WAITS)
        for lock, subject in found[:_FINDINGS]:
            parts = parts_of(lock, subject, filtered=filtered, whole=self.scope.starts)
            yield self.finding(
                parts.steps,
                object=parts.object,
                title=parts.title,
                severity=parts.severity,
                confidence=parts.confidence,
                why=parts.why,
                fix=parts.fix,
            )


def _observed(lock: Lock, began: Event | None, kernel: Kernel) -> float:
    """Return how long the process was seen: in seconds, or in lines where the trace has no times."""
    if not lock.timed:
        return kernel.last_line - (0 if began is None else began.line)
    first = lock.first.time if lock.first is not None else None
    since, last = (began.time if began is not None else None) or first, kernel.last_time
    return 0.0 if since is None or last is None else last - since
