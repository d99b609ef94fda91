"""TD502: a process killed by a signal from outside."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.exits import end_step
from tracediag.evidence.faults import FAULTS, Fault
from tracediag.evidence.names import process_name
from tracediag.evidence.paths import places
from tracediag.kernel import Action, Kernel
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Absence, Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_signal, on_trace_end
from tracediag.rules.process._killing import UNRECORDED, Killing, killing_of
from tracediag.trace.calls import KILLS
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Signal
from tracediag.trace.values import names_of

_KILLERS = (
    *("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU"),
    *("SIGPOLL", "SIGIO", "SIGPWR", "SIGSTKFLT"),
)
_KEPT = 1024
_NONE_SENT = "no kill, tkill or tgkill of it by a process of the trace"


class KilledFromOutside(Rule):
    """SIGKILL, SIGTERM and similar signals: which process sent it, or where to look for the sender."""

    code = "TD502"
    name = "killed-from-outside"
    severity = Severity.ERROR
    summary = "a signal from outside kills the process: the sender, or where to look for it"

    def __init__(self) -> None:
        self._signals: Cases[Process, Signal] = Cases()
        """The last signal to each process that may end it."""
        self._bound: Cases[Process, Syscall] = Cases()
        """The call by which it asks for a signal at the exit of its parent."""
        self._unnamed: Cases[Process, set[str]] = Cases()
        """The paths that it has removed or renamed, the first of them."""
        self._unsent: list[tuple[Finding, Finding]] = []
        """Deaths by SIGKILL that no traced process has sent, each also as it is where such calls are not recorded."""

    @on_signal(*_KILLERS, *FAULTS)
    def struck(self, action: Action) -> None:
        """Remember the last signal that may end the process."""
        signal = action.event
        assert isinstance(signal, Signal)
        if signal.name not in FAULTS or Fault(signal, action.thread, action.thread.last_call, None).sent:
            self._signals[action.process] = signal

    @on_call("prctl")
    def bound(self, action: Action) -> None:
        """Remember that the process asks for a signal when its parent exits."""
        if action.call.has("PR_SET_PDEATHSIG") and not action.call.failed:
            self._bound[action.process] = action.call

    @on_call("unlink", "unlinkat", "rename", "renameat", "renameat2")
    def unnamed(self, action: Action) -> None:
        """Remember the names that are gone: what a process leaves under another name, or under none, is no loss."""
        known = self._unnamed.setdefault(action.process, set())
        if not action.call.failed and len(known) < _KEPT:
            known.update(places(action.call, action.process)[:1])

    @on_process_end
    def ended(self, last: ProcessEnd) -> Iterator[Finding]:
        """Judge a death by a signal that is no crash."""
        process, thread, end = last.process, last.thread, last.exit
        if thread is None or end is None or end.signal is None:
            return
        signal = self._signals.get(process)
        if signal is not None and signal.name != end.signal:
            # Asked to stop first, then killed by SIGKILL: the first signal is a step of its own.
            asked, signal = signal, None
        else:
            asked = None
        if signal is None and (end.signal != "SIGKILL" or process.strictly_confined):
            return
        if _by_itself(process, thread.last_call, signal, end):
            return
        gone = self._unnamed.get(process, ())
        killing = killing_of(last.kernel, process, end, signal, asked, self._bound.get(process), gone)
        if killing is None:
            return
        found = self._finding(process, thread, end, signal, asked, killing)
        if not killing.unsent:
            yield found
        elif len(self._unsent) < _KEPT:
            # What a shell reports stands in a text that was pasted, not in a recording with a filter.
            milder = found if end.told else self._finding(process, thread, end, signal, asked, UNRECORDED)
            self._unsent.append((found, milder))

    @on_trace_end
    def over(self, kernel: Kernel) -> Iterator[Finding]:
        """Report what no traced process has sent, now that it is clear whether the recording would show that."""
        # `kill` that ends its caller has no result, and so does not show where failures do not. Where no call shows, a
        # process that ends by itself may have sent the signal.
        called = bool(kernel.names) or any(process.status is not None for process in kernel.processes)
        hidden = self.scope.hides_failures or (called and not self.scope.records(KILLS))
        yield from (milder if hidden else found for found, milder in self._unsent)

    def _finding(  # the parts of the story
        self,
        process: Process,
        thread: Thread,
        end: Exit,
        signal: Signal | None,
        asked: Signal | None,
        killing: Killing,
    ) -> Finding:
        return self.finding(
            _story(thread, end, signal, asked, killing),
            object=process_name(process),
            title=killing.title,
            severity=Severity.WARNING if end.told and killing.severity is Severity.ERROR else killing.severity,
            confidence=_confidence(end, sure=killing.sure),
            absent=[Absence(text=_NONE_SENT, first_line=1, last_line=end.line)] if killing.unsent else (),
            why=_why(end.signal or "", shown=killing.call is not None),
            fix=killing.fix,
            explains=[("child-failure-behind", end.line)] if killing.severity is not Severity.NOTE else (),
        )


def _confidence(end: Exit, *, sure: bool) -> Confidence:
    if end.told:
        return Confidence.POSSIBLE
    return Confidence.CERTAIN if sure else Confidence.LIKELY


def _by_itself(process: Process, last: Syscall | None, signal: Signal | None, end: Exit) -> bool:
    """Whether the last call of the process sent the signal; without pids in the trace, compare the sender."""
    if last is None or last.name not in KILLS:
        return False
    target = last.number(0)
    if target == 0 and last.name == "kill":
        return end.signal in names_of(last.arg(1))  # its own group, to which it belongs
    return process.is_called(target) or (signal is not None and target == signal.sender)


def _why(name: str, *, shown: bool) -> str:
    if name == "SIGKILL" and shown:
        return "SIGKILL cannot be caught, blocked or ignored: the process has no chance to clean up: signal(7)"
    if name == "SIGKILL":
        return "SIGKILL cannot be caught or blocked, and strace shows only its effect, not the sender: signal(7)"
    if name == "SIGXCPU":
        return "the kernel sends SIGXCPU at the soft limit of RLIMIT_CPU, and SIGKILL at the hard limit: setrlimit(2)"
    return (
        f"the default action of {name} ends the process without exit handlers: buffered output is lost, and temporary"
        " files stay: signal(7), exit(3)"
    )


def _story(thread: Thread, end: Exit, signal: Signal | None, asked: Signal | None, killing: Killing) -> Iterator[Step]:
    doing = thread.last_call
    if killing.call is not None:
        yield step(killing.call, killing.note)
    if doing is not None:
        yield step(doing, "the last call before the signal")
    if asked is not None:
        yield step(asked, f"{asked.name} is delivered, and the process keeps running")
    if signal is not None:
        yield step(signal, f"{signal.name} is delivered", primary=True)
    yield end_step(end, primary=signal is None)
