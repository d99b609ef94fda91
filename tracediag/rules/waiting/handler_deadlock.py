"""TD611: a signal handler takes a lock that the interrupted code holds."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.blocking import link_of
from tracediag.evidence.cases import Cases
from tracediag.evidence.names import process_name
from tracediag.evidence.waiters import STOPS, blocked_in, killing_lines, lasts
from tracediag.evidence.waits import Waited, is_endless_futex, is_mutex
from tracediag.kernel import Action
from tracediag.kernel.kernel import Kernel
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import Disposition
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_exit, on_process_end
from tracediag.trace.calls import FORKS, FUTEXES, SIGNAL_RETURNS
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Signal

_LONG = 1.0
"""Seconds after which a wait for a lock is none for another thread's short section."""
_HARMLESS = frozenset({"SIGCHLD", "SIGURG", "SIGWINCH", "SIGCONT"})
"""Signals that without a handler neither end nor stop a process: signal(7)."""


class _Stuck(msgspec.Struct, frozen=True):
    """A thread that waits for a lock within a signal handler."""

    thread: Thread
    signal: Signal
    call: Waited
    alone: bool
    """Whether the process has no other thread, which might hold the lock."""


class HandlerDeadlock(Rule):
    """After a signal with a handler the thread stands in FUTEX_WAIT on a mutex, and the handler has not returned."""

    code = "TD611"
    name = "handler-deadlock"
    severity = Severity.ERROR
    summary = "a signal handler takes a lock that the interrupted code holds, and waits for ever"
    raised_by = (FUTEXES,)
    rests_on = SIGNAL_RETURNS

    def __init__(self) -> None:
        self._returned: Cases[Thread, int] = Cases()
        """The line at which the last handler of a thread returned."""
        self._threaded: Cases[Process, bool] = Cases()
        self._killed: Cases[Process, _Stuck] = Cases(outlive=True)
        """The thread that stood in a handler when a signal killed its process."""

    @on_call(*FORKS)
    def cloned(self, action: Action) -> None:
        """Note which processes make threads: one of these might hold the lock."""
        if action.call.has("CLONE_THREAD"):
            self._threaded[action.process] = True

    @on_call(*SIGNAL_RETURNS)
    def returned(self, action: Action) -> None:
        """Note that a handler has returned."""
        self._returned[action.thread] = action.call.line

    @on_exit
    def exited(self, action: Action) -> None:
        """Keep the wait of a thread that is killed: later threads of its process hide it."""
        event = action.event
        if isinstance(event, Exit) and event.signal in STOPS and action.process not in self._killed:
            stuck = self._stuck(action.thread)
            if stuck is not None:
                self._killed[action.process] = stuck

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge where threads stood when the process was killed, or stand when the trace ends."""
        if end.exit is not None:
            stuck = self._killed.pop(end.process, None)
            if stuck is not None:
                yield self._finding(end, stuck)
            return
        for thread in end.process.threads:
            stuck = self._stuck(thread)
            if stuck is not None and _lasts(stuck.call, end.kernel):
                yield self._finding(end, stuck)

    def _stuck(self, thread: Thread) -> _Stuck | None:
        call = blocked_in(thread)
        if call is None or not is_endless_futex(call) or not is_mutex(call):
            return None
        before = (one for one in (thread.last_signal, thread.earlier_signal) if one and one.line < call.line)
        signal = next(before, None)
        if signal is None or signal.line <= self._returned.get(thread, 0):
            return None
        process = thread.process
        known = process.signals.get(signal.name)
        if known is not Disposition.HANDLED and (known is not None or signal.name in _HARMLESS):
            return None
        born = process.execs > 0 or process.started is not None
        return _Stuck(thread, signal, call, alone=born and process not in self._threaded)

    def _finding(self, end: ProcessEnd, stuck: _Stuck) -> Finding:
        name, number = process_name(end.process), stuck.signal.name
        owner = _owner(end.kernel, stuck.thread)
        sure = stuck.alone or owner is True
        return self.finding(
            _story(end, stuck),
            object=name,
            title=f"the {number} handler of {name} waits for a lock that the interrupted code holds",
            severity=Severity.ERROR if sure else Severity.WARNING,
            confidence=Confidence.LIKELY if sure else Confidence.POSSIBLE,
            why="a handler runs in the thread that the signal interrupts, in the middle of any function: if that"
            " function holds a lock (malloc, stdio, localtime, syslog have one), the handler waits for its own thread:"
            " signal-safety(7)",
            fix=f"in the handler of {number} only set a volatile sig_atomic_t flag, or write to a pipe or eventfd, and"
            " do the work in the main loop; or take the signal with signalfd or sigwait",
            explains=[
                ("lock-never-released", stuck.call.line),
                *(("killed-from-outside", line) for line in killing_lines(end)),
            ],
        )


def _lasts(call: Waited, kernel: Kernel) -> bool:
    return isinstance(call, Syscall) and lasts(call, kernel, _LONG)


def _owner(kernel: Kernel, thread: Thread) -> bool | None:
    """Return whether a snapshot of /proc shows the thread itself as the owner; None where it shows no owner."""
    moment = None if kernel.known is None else kernel.known.latest
    link = None if moment is None or thread.tid is None else link_of(moment, thread.tid)
    return None if link is None else link.blocker == thread.tid


def _story(end: ProcessEnd, stuck: _Stuck) -> Iterator[Step]:
    number = stuck.signal.name
    made = stuck.thread.process.signals.set_by.get(number)
    if made is not None:
        yield step(made, f"installs a handler for {number}")
    yield step(stuck.signal, f"{number} interrupts the program, and its handler runs")
    yield step(stuck.call, "the handler waits for a lock, and does not return", primary=True)
    if end.exit is not None:
        yield step(end.exit, f"the process is killed by {end.exit.signal} in this wait")
