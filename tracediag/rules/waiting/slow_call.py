"""TD608: one call that takes seconds, in which the process does nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.names import process_name
from tracediag.evidence.paths import path_of
from tracediag.evidence.waits import may_be_fifo
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Kind
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.socket import format_address
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_followed, on_lasting, on_process_end, on_split
from tracediag.rules.waiting._slowness import advice_on, between, duration_of
from tracediag.trace.calls import (
    ACCESSES,
    FILE_READS,
    FILE_WRITES,
    FTRUNCATES,
    MKDIRS,
    OPENS,
    POSITIONED_READS,
    REMOVES,
    RENAMES,
    SYNCS,
)
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural, seconds

_VERY_SLOW = 2.5
"""How many times as long as `slow_call` a call must take to be a warning: a request or start-up fails for its user."""
EXCEPTIONAL = 10.0
"""How many times as long as the mean of the others it must take: where all are slow, none is the exception."""
_OTHERS = 3
"""Calls of the same kind that must have been seen for that comparison."""
_CONNECT = frozenset({"connect"})
_RANDOM = frozenset({"getrandom"})
_MOUNTS = frozenset({"mount", "umount2"})
_PATHS = OPENS | ACCESSES | REMOVES | RENAMES | MKDIRS | _MOUNTS | {"chdir"}
_FILES = FILE_READS | FILE_WRITES | POSITIONED_READS | {"pwrite64", "pwrite", "close", *FTRUNCATES}
_COUNTED = SYNCS | _CONNECT | _RANDOM
"""Rare calls, of which all durations are compared."""
_UNREAL = ("/proc/", "/sys/", "/dev/")
_KEPT = 64


class _Kind(msgspec.Struct):
    """The calls of one name that a process has made."""

    times: int = 0
    total: float = 0.0


class _Slow(msgspec.Struct):
    """The slowest call of one name on one object."""

    call: Syscall
    took: float
    times: int = 1
    total: float = 0.0
    at_most: bool = False
    """Whether only the time of the next line is known: the call may have taken less."""


class SlowCall(Rule):
    """A call that does not wait by its nature takes more than a second, and no thread of the process runs meanwhile."""

    code = "TD608"
    name = "slow-call"
    severity = Severity.WARNING
    summary = "one call, such as fsync, open or connect, takes seconds, and the process does nothing else meanwhile"
    raised_by = (_COUNTED | _PATHS,)
    slow_call: ClassVar[float] = 1.0
    """Seconds from which on a call of a kind that normally takes milliseconds is told: a user notices that."""

    def __init__(self) -> None:
        self._kinds: Cases[Process, dict[str, _Kind]] = Cases()
        self._slow: Cases[Process, dict[tuple[str, str], _Slow]] = Cases()
        self._untimed: Cases[Thread, tuple[Syscall, str | None]] = Cases()
        """The last call of a rare kind, without a duration, and its object."""

    @on_call(*_COUNTED)
    def made(self, action: Action) -> None:
        """Add up how long calls of a rare kind take."""
        call, took = action.call, duration_of(action.call)
        if took is not None:
            self._count(action.process, call, took)
        elif call.time is not None and call.errno != "EINPROGRESS" and len(action.process.threads) == 1:
            self._untimed[action.thread] = call, _object(action)
            self.follow(action.thread)

    @on_followed
    def followed(self, action: Action) -> None:
        """Take the time until the next line for that of a call without a duration."""
        call, what = self._untimed.get(action.thread) or (None, None)
        event = action.event
        if call is None or event is call:
            return
        del self._untimed[action.thread]
        self.leave(action.thread)
        took = between(call.time, event.time)
        if took is not None and event.line == call.line + 1 and call.returned:
            self._count(action.process, call, took)
            if what is not None and took >= self.slow_call and not call.interrupted and call.errno != "ETIMEDOUT":
                self._keep(action.process, what, _Slow(call, took, total=took, at_most=True))

    @on_split(*_COUNTED, *_PATHS)
    def resumed(self, action: Action) -> None:
        """Keep a call without a duration if it is known when it began and when it returned."""
        if action.call.duration is None:
            self._judge(action)

    @on_lasting(*_COUNTED, *_PATHS, *_FILES)
    def lasted(self, action: Action) -> None:
        """Keep a call that takes long while the process does nothing else."""
        self._judge(action)

    def _count(self, process: Process, call: Syscall, took: float) -> None:
        kind = self._kinds.setdefault(process, {}).setdefault(call.name, _Kind())
        kind.times += 1
        kind.total += took

    def _judge(self, action: Action) -> None:
        call, took = action.call, duration_of(action.call)
        if took is None or took < self.slow_call or call.interrupted or not call.returned or call.errno == "ETIMEDOUT":
            return
        what = _object(action)
        if what is not None and not _works(action.thread, call):
            self._keep(action.process, what, _Slow(call, took, total=took))

    def _keep(self, process: Process, what: str, found: _Slow) -> None:
        known = self._slow.setdefault(process, {})
        key = (found.call.name, what)
        if (slow := known.get(key)) is None:
            if len(known) < _KEPT:
                known[key] = found
            return
        slow.times, slow.total = slow.times + 1, slow.total + found.took
        if found.took > slow.took:
            slow.call, slow.took, slow.at_most = found.call, found.took, found.at_most

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report the slow calls of a process that are exceptions among their kind."""
        kinds = self._kinds.get(end.process, {})
        for (name, what), slow in self._slow.get(end.process, {}).items():
            kind = kinds.get(name, _Kind())
            others = kind.times - 1
            mean = (kind.total - slow.took) / others if others > 0 else 0.0
            if others < _OTHERS or slow.took >= EXCEPTIONAL * mean:
                yield self._finding(end.process, what, slow, _compared(others, mean))

    def _finding(self, process: Process, what: str, slow: _Slow, others: str) -> Finding:
        call, more = slow.call, ""
        if slow.times > 1:
            more = f", {plural(slow.times, 'such call')} together {seconds(slow.total)}"
        unsure = slow.at_most or (call.name in OPENS and may_be_fifo(call))
        advice, to = advice_on(call.name), "to" if call.name in _CONNECT else "of"
        takes = f"takes at most {seconds(slow.took)}" if slow.at_most else f"takes {seconds(slow.took)}"
        return self.finding(
            [step(call, f"{takes}, in which the process does nothing else{others}", primary=True)],
            object=what,
            title=f"{call.name} {to} {what} {takes} in {process_name(process)}{more}",
            severity=Severity.WARNING if slow.took >= _VERY_SLOW * self.slow_call and not unsure else Severity.NOTE,
            confidence=Confidence.POSSIBLE if unsure else Confidence.LIKELY,
            why=advice.why,
            fix=advice.fix.format(what),
        )


def _compared(others: int, mean: float) -> str:
    """Say how long the other calls of the kind take, where they are known."""
    if others <= 0:
        return ""
    return f"; the other takes {seconds(mean)}" if others == 1 else f"; the {others:,} others take {seconds(mean)} each"


def _object(action: Action) -> str | None:
    """Return what a call acts on; None where it may wait by its nature."""
    call = action.call
    if call.name in _CONNECT:
        return format_address(call.arg(1)) if call.has("AF_INET") or call.has("AF_INET6") else None
    if call.name in _RANDOM:
        return "the kernel's random numbers"
    if call.name in _PATHS:
        texts = (call.path(place) for place in range(3))
        path = next((text for text in texts if text), None)
        waits = call.name in OPENS and call.has("O_WRONLY") and may_be_fifo(call)
        return None if path is None or waits or path.startswith(_UNREAL) else path
    if call.name in ("sync", "msync"):
        return "all file systems" if call.name == "sync" else "a mapping"
    descriptor = action.descriptor
    if descriptor is None:
        return None
    path = path_of(descriptor.file, action.process)
    plain = descriptor.file.kind is Kind.FILE and path is not None and not path.startswith(_UNREAL)
    return path if plain or (call.name in SYNCS and path) else None


def _works(thread: Thread, call: Syscall) -> bool:
    """Whether another thread of the process has made a call in that time."""
    for other in thread.process.threads:
        latest = other.pending or other.last_call
        if other is not thread and latest is not None and latest.line > call.line:
            return True
    return False
