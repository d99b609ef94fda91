"""TD513: a background process is stopped by SIGTTIN or SIGTTOU from the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.names import process_name
from tracediag.kernel import Action, Kernel
from tracediag.kernel.process import Process, Thread
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_signal, on_stop, on_trace_end
from tracediag.trace.calls import CHILD_WAITS, KILLS
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Signal, Stop
from tracediag.trace.values import names_of

_SIGNALS = frozenset({"SIGTTIN", "SIGTTOU"})
_STOPPED = lazy_pattern(r"\bsi_code=CLD_STOPPED\b.*?\bsi_pid=([0-9]{1,10}+).*?\bsi_status=(SIGTTIN|SIGTTOU)\b")
_COLLECTED = lazy_pattern(rf"{_STOPPED.pattern}|WSTOPSIG\(s\) == (SIGTTIN|SIGTTOU)\b")
_WHY = (
    "only the foreground process group of a terminal may read from it or change its settings; the kernel"
    " stops any other group with SIGTTIN or SIGTTOU: setpgid(2), tcsetpgrp(3)"
)


class StoppedByTerminal(Rule):
    """A process is stopped because it used the terminal from a background group, or was sent the signal."""

    code = "TD513"
    name = "stopped-by-terminal"
    severity = Severity.ERROR
    summary = "a background process that uses the terminal is stopped by SIGTTIN or SIGTTOU"

    def __init__(self) -> None:
        self._alone: dict[int | None, tuple[Signal, Action, bool]] = {}
        """Signals without a stop so far, and whether each of them interrupted a call."""
        self._reported: set[int] = set()
        """Lines of the kills that have been reported: one kill stops a process group."""
        self._children: set[int] = set()
        """Children, not followed, whose stop has been reported: SIGCHLD and the wait both tell of it."""

    @on_signal(*_SIGNALS)
    def signalled(self, action: Action) -> None:
        """Remember the signal until its effect is known."""
        if isinstance(action.event, Signal):
            last = action.thread.last_call
            interrupted = last is not None and (last.errno or "").startswith("ERESTART")
            self._alone[action.thread.tid] = (action.event, action, interrupted)

    @on_stop
    def stopped(self, action: Action) -> Iterator[Finding]:
        """Report the stop."""
        event = action.event
        if not isinstance(event, Stop) or event.signal not in _SIGNALS:
            return
        held = self._alone.pop(action.thread.tid, None)
        signal = held[0] if held is not None and held[0].name == event.signal else None
        yield from self._stopped(action, signal, event)

    @on_signal("SIGCHLD")
    def told(self, action: Action) -> Iterator[Finding]:
        """Report a stop that SIGCHLD tells of, if strace does not follow the child."""
        event = action.event
        found = _STOPPED.search(event.info) if isinstance(event, Signal) else None
        if found is not None and isinstance(event, Signal):
            yield from self._of_child(action, checked_integer(found[1]), found[2], event)

    @on_call(*CHILD_WAITS)
    def collected(self, action: Action) -> Iterator[Finding]:
        """Report a stop that a wait with WUNTRACED tells of; without it only a debugger is told of stops."""
        call = action.call
        found = _COLLECTED.search(call.body)
        if found is None or not (call.has("WUNTRACED") or call.has("WSTOPPED")):
            return
        pid = call.result if found[1] is None else checked_integer(found[1])
        if pid:
            yield from self._of_child(action, pid, found[2] or found[3], call)

    def _of_child(self, action: Action, pid: int, name: str, event: Signal | Syscall) -> Iterator[Finding]:
        thread = action.kernel.process_table.find(pid)
        if pid in self._children or (thread is not None and _is_followed(thread)):
            return
        self._children.add(pid)
        yield self.finding(
            [step(event, f"the kernel reports that child {pid} is stopped by {name}", primary=True)],
            object=f"child {pid}",
            title=f"child {pid} is stopped by {name}: it is not in the foreground group of the terminal",
            confidence=Confidence.LIKELY,
            why=_WHY,
            fix=_fix(name, sent=False),
        )

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """In an excerpt, accept a signal that interrupts a call or is the last line as the stop itself."""
        for signal, action, interrupted in self._alone.values():
            if self.scope.is_excerpt and (interrupted or kernel.last_event is signal):
                yield from self._stopped(action, signal, None)

    def _stopped(self, action: Action, signal: Signal | None, stop: Stop | None) -> Iterator[Finding]:
        process, last = action.process, action.thread.last_call
        reason = _sent(action, signal)
        by_kernel = signal is not None and "SI_KERNEL" in signal.info
        if reason is None and last is not None and (last.errno or "").startswith("ERESTART") and by_kernel:
            reason = last
        if reason is not None and reason.line in self._reported:
            return
        if reason is not None:
            self._reported.add(reason.line)
        yield self._finding(process, reason, signal, stop)

    def _finding(self, process: Process, reason: Syscall | None, signal: Signal | None, stop: Stop | None) -> Finding:
        name = signal.name if signal is not None else stop.signal if stop is not None else "SIGTTIN"
        steps = list(_reasons(process, reason, name))
        if signal is not None:
            steps.append(step(signal, _arrival(signal, reason), primary=stop is None))
        if stop is not None:
            steps.append(step(stop, "the process is stopped from here on", primary=True))
        sent = reason is not None and reason.name in KILLS
        return self.finding(
            steps,
            object=process_name(process),
            title=f"stopped by {name}: {_cause(reason, signal, sent=sent)}",
            confidence=Confidence.POSSIBLE if stop is None else Confidence.CERTAIN,
            why=_WHY,
            fix=_fix(name, sent=sent),
        )


def _is_followed(thread: Thread) -> bool:
    """Whether lines of a thread are in the trace, so that its stop is as well: not if only its clone is."""
    process = thread.process
    return process.started is None or process.table.seen or thread.last_signal is not None


def _sent(action: Action, signal: Signal | None) -> Syscall | None:
    """Return the kill that sent the signal: by the sender that the signal names, or by any traced process."""
    if signal is None or "SI_KERNEL" in signal.info:
        return None
    for sender, call in reversed(action.kernel.sent):
        named = signal.sender is None or sender.pid is None or sender.is_called(signal.sender)
        if named and call.name in KILLS and signal.name in names_of(call.arg(1)):
            return call
    return None


def _reasons(process: Process, reason: Syscall | None, name: str) -> Iterator[Step]:
    terminal = process.terminal
    if terminal.shown is not None and (reason is None or terminal.shown.line < reason.line):
        background = process.group is not None and process.group != terminal.foreground
        own = f"; the process is in group {process.group}" if background else ""
        yield step(terminal.shown, f"the foreground group of the terminal{own}")
    if reason is None:
        return
    if reason.name in KILLS:
        to = "process group of the sender" if reason.number(0) == 0 else "process"
        yield step(reason, f"{name} is sent to the {to}")
    else:
        yield step(reason, f"{reason.name} on the terminal from a background group")


def _arrival(signal: Signal, reason: Syscall | None) -> str:
    if reason is not None and reason.name in KILLS:
        return f"{signal.name} is delivered to this process"
    if "SI_KERNEL" in signal.info:
        return f"the kernel sends {signal.name}"
    return f"{signal.name} is sent by pid {signal.sender}" if signal.sender else f"{signal.name} is delivered"


def _cause(reason: Syscall | None, signal: Signal | None, *, sent: bool) -> str:
    if sent:
        return "a kill to the process group"
    if reason is not None:
        return f"{reason.name} on the terminal from a background process group"
    if signal is not None and signal.sender:
        return f"sent by pid {signal.sender}"
    return "the process is not in the foreground group of the terminal"


def _fix(name: str, *, sent: bool) -> str:
    if sent:
        return (
            "put the interactive child into a process group of its own, and take the terminal back when the child exits"
        )
    if name == "SIGTTIN":
        return "redirect standard input (</dev/null), or give the group the terminal with tcsetpgrp before the read"
    return "bring the group to the foreground with tcsetpgrp first, ignore SIGTTOU, or start the program with setsid"
