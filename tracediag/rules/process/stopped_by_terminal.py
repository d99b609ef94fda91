"""TD513: a process of the background is stopped by the terminal's SIGTTIN or SIGTTOU."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.kernel import Action, Kernel
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_signal, on_stop, on_trace_end
from tracediag.trace.calls import KILLS
from tracediag.trace.events import Signal, Stop, Syscall
from tracediag.trace.values import names_of

_SIGNALS = frozenset({"SIGTTIN", "SIGTTOU"})


class StoppedByTerminal(Rule):
    """A process stands still, since it used the terminal from a background group, or was sent the signal of that."""

    code = "TD513"
    name = "stopped-by-terminal"
    severity = Severity.ERROR
    summary = "a process of a background group is stopped by SIGTTIN or SIGTTOU"

    def __init__(self) -> None:
        self._alone: dict[int | None, tuple[Signal, Action, bool]] = {}
        """Signals whose stop has not been shown, and whether they have broken a call off."""
        self._told: set[int] = set()
        """Lines of the senders that have been spoken of: one kill stops a whole group."""

    @on_signal(*_SIGNALS)
    def signalled(self, action: Action) -> None:
        """Remember the signal until it is clear what it does."""
        if isinstance(action.event, Signal):
            last = action.thread.last_call
            broken = last is not None and (last.errno or "").startswith("ERESTART")
            self._alone[action.thread.tid] = (action.event, action, broken)

    @on_stop
    def stopped(self, action: Action) -> Iterator[Finding]:
        """The process stands still."""
        event = action.event
        if not isinstance(event, Stop) or event.signal not in _SIGNALS:
            return
        held = self._alone.pop(action.thread.tid, None)
        signal = held[0] if held is not None and held[0].name == event.signal else None
        yield from self._stopped(action, signal, event)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """In a few lines, take a signal that breaks a call off, or with which the lines end, for the stop itself."""
        for signal, action, broken in self._alone.values():
            if self.scope.is_excerpt and (broken or kernel.last_event is signal):
                yield from self._stopped(action, signal, None)

    def _stopped(self, action: Action, signal: Signal | None, stop: Stop | None) -> Iterator[Finding]:
        process, last = action.process, action.thread.last_call
        reason = _sent(action, signal)
        by_kernel = signal is not None and "SI_KERNEL" in signal.info
        if reason is None and last is not None and (last.errno or "").startswith("ERESTART") and by_kernel:
            reason = last
        if reason is not None and reason.line in self._told:
            return
        if reason is not None:
            self._told.add(reason.line)
        yield self._finding(process, reason, signal, stop)

    def _finding(self, process: Process, reason: Syscall | None, signal: Signal | None, stop: Stop | None) -> Finding:
        name = signal.name if signal is not None else stop.signal if stop is not None else "SIGTTIN"
        steps = list(_reasons(process, reason, name))
        if signal is not None:
            steps.append(step(signal, _told_by(signal, reason), primary=stop is None))
        if stop is not None:
            steps.append(step(stop, "from here on the process stands still", primary=True))
        sent = reason is not None and reason.name in KILLS
        return self.finding(
            steps,
            object="the process" if process.pid is None else f"process {process.pid}",
            title=f"{name} stops the process: {_why(reason, signal, sent=sent)}",
            confidence=Confidence.POSSIBLE if stop is None else Confidence.CERTAIN,
            why="only the foreground process group of a terminal may read it or change its settings; the kernel stops"
            " any other with SIGTTIN or SIGTTOU: setpgid(2), tcsetpgrp(3)",
            fix=_fix(name, sent=sent),
        )


def _sent(action: Action, signal: Signal | None) -> Syscall | None:
    """Return the kill that the signal came from: from the sender that it names, or of the same few lines."""
    if signal is None or "SI_KERNEL" in signal.info:
        return None
    for sender, call in reversed(action.kernel.sent):
        named = signal.sender is None or sender.pid is None or sender.pid == signal.sender
        if named and call.name in KILLS and signal.name in names_of(call.arg(1)):
            return call
    return None


def _reasons(process: Process, reason: Syscall | None, name: str) -> Iterator[Step]:
    terminal = process.terminal
    if terminal.shown is not None and (reason is None or terminal.shown.line < reason.line):
        background = process.group is not None and process.group != terminal.foreground
        own = f", and that of the process is {process.group}" if background else ""
        yield step(terminal.shown, f"this is the terminal's foreground group{own}")
    if reason is None:
        return
    if reason.name in KILLS:
        whole = reason.number(0) == 0
        yield step(reason, f"{name} is sent {'to the whole process group of the sender' if whole else 'to it'}")
    else:
        yield step(reason, f"{reason.name} on the terminal, from the background")


def _told_by(signal: Signal, reason: Syscall | None) -> str:
    if reason is not None and reason.name in KILLS:
        return f"{signal.name} reaches this process too"
    if "SI_KERNEL" in signal.info:
        return f"the kernel answers with {signal.name}"
    return f"{signal.name} is sent by process {signal.sender}" if signal.sender else f"{signal.name} comes"


def _why(reason: Syscall | None, signal: Signal | None, *, sent: bool) -> str:
    if sent:
        return "a process of its group has sent it with kill"
    if reason is not None:
        return f"{reason.name} on the terminal from a background process group"
    if signal is not None and signal.sender:
        return f"process {signal.sender} has sent it"
    return "it is not in the terminal's foreground group"


def _fix(name: str, *, sent: bool) -> str:
    if sent:
        return "give the interactive child a process group of its own, and take the terminal back when it ends"
    if name == "SIGTTIN":
        return "let it read /dev/null or a file in the background, or give its group the terminal by tcsetpgrp"
    return (
        "put the group into the foreground by tcsetpgrp first, or ignore SIGTTOU, or run it without a terminal (setsid)"
    )
