"""The moments at which waits are judged: an order to stop arrives, which ends them, or the trace ends."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.file_locks import FileLocks
from tracediag.evidence.wait_graph import Moment
from tracediag.evidence.waiters import STOPS, killing_lines, none_returns
from tracediag.evidence.waits import Waited
from tracediag.kernel import Action
from tracediag.kernel.kernel import Kernel
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.signals import ORDERS
from tracediag.results.findings import Confidence, Explained, Finding
from tracediag.rules.base import Rule, on_call, on_process_end, on_signal, on_trace_end
from tracediag.trace.events import Syscall
from tracediag.trace.records import Signal

_MOMENTS = 16
"""Orders to stop at which all waits are looked at: a supervisor may send any number."""
_KEPT = 256
"""Lines of deaths that are kept."""
LONG = 1.0
"""Seconds after which a wait is not one of two processes that both work."""


class WaitRule(Rule):
    """A rule about waits of several processes; it reports at the end, when the signals that ended them are known."""

    def __init__(self) -> None:
        self._locks = FileLocks()
        self._kills: list[tuple[str, int]] = []
        self._moments = 0
        self._found: dict[object, Finding] = {}

    @on_call("flock")
    def locked(self, action: Action) -> None:
        """Keep the locks of flock(2)."""
        self._locks.note(action)

    @on_signal(*ORDERS)
    def ordered(self, action: Action) -> None:
        """Judge the waits that an order to stop is about to end."""
        if self._moments < _MOMENTS:
            self._moments += 1
            sender = action.event.sender if isinstance(action.event, Signal) else None
            self._judge(action.kernel, sender, ended=False)

    @on_process_end
    def killed(self, end: ProcessEnd) -> None:
        """Note the signal that killed a process: it ended the wait, and is not its cause."""
        if self._found and end.exit is not None and end.exit.signal in STOPS and len(self._kills) < _KEPT:
            self._kills += [("killed-from-outside", line) for line in killing_lines(end)]

    @on_trace_end
    def over(self, kernel: Kernel) -> Iterator[Finding]:
        """Judge the waits in which threads stand at the end, and report."""
        self._judge(kernel, None, ended=True)
        explained = tuple(Explained(name, line) for name, line in self._kills)
        for finding in self._found.values():
            yield msgspec.structs.replace(finding, explains=(*finding.explains, *explained))

    def _judge(self, kernel: Kernel, awake: int | None, *, ended: bool) -> None:
        """Judge a moment; where the beginning is cut off, also with what is known of older pipes: one step weaker."""
        for key, finding in self.judged(Moment(kernel, self._locks, awake), ended=ended):
            self._found.setdefault(key, finding)
        if not self.scope.starts:
            for key, finding in self.judged(Moment(kernel, self._locks, awake, guess=True), ended=ended):
                self._found.setdefault(key, msgspec.structs.replace(finding, confidence=Confidence.POSSIBLE))

    def judged(self, moment: Moment, *, ended: bool) -> Iterator[tuple[object, Finding]]:
        """Yield what is found at a moment, each with what tells it from others; `ended`: at the end of the trace."""
        raise NotImplementedError


def has_lasted(call: Waited, kernel: Kernel, *, ended: bool) -> bool:
    """Whether a call waits, at an order to stop or at the end of the trace, and is not just under way.

    Without times a write may be under way; a connect that strace leaves, or a signal interrupts, has waited.
    """
    last = kernel.last_time
    if ended and none_returns(kernel):
        return True
    if call.time is not None and last is not None:
        return last - call.time >= LONG
    return isinstance(call, Syscall) and call.name == "connect" and (call.cut or call.interrupted)


def is_known_to_last(call: Syscall, kernel: Kernel) -> bool:
    """Whether a call at the end of the trace is known to wait: strace left within it, or it has lasted a second."""
    last = kernel.last_time
    timed = call.time is not None and last is not None and last - call.time >= LONG
    return timed or call.cut or none_returns(kernel)
