"""TD502: a process killed by a signal from outside."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.exits import end_step
from tracediag.evidence.faults import FAULTS, Fault
from tracediag.evidence.names import process_name
from tracediag.evidence.verdicts import is_orphan
from tracediag.kernel import Action, Kernel
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Absence, Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_signal, on_trace_end
from tracediag.rules.process._at_death import loss_of, memory_of
from tracediag.trace.calls import KILLS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Exit, Signal
from tracediag.trace.values import names_of

_KILLERS = (
    *("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU"),
    *("SIGPOLL", "SIGIO", "SIGPWR", "SIGSTKFLT"),
)
_TIMERS = frozenset({"SIGALRM", "SIGVTALRM", "SIGPROF"})
_KEPT = 1024
_GROUPS = (0, -1)
_NONE_SENT = "no kill, tkill or tgkill of it by a process of the trace"
_INTENDED = "none needed if this was intended"
_SYSTEM = lazy_pattern(r"\bsi_code=(SI_KERNEL|SI_TIMER)\b")


class _Killing(msgspec.Struct, frozen=True):
    """How a process was killed, how bad that is, and what to do."""

    severity: Severity
    title: str
    fix: str
    call: Syscall | None = None
    """The kill, or another call that led to it, where the trace shows it."""
    note: str = ""
    sure: bool = True
    """False where the sender may have acted before the trace began."""
    unsent: bool = False
    """Whether it rests on there being no kill in the trace."""


_UNRECORDED = _Killing(
    Severity.NOTE,
    "killed by SIGKILL; the sender was not recorded",
    "record without -e trace=..., or with %process and %signal in it, to see whether the parent sends SIGKILL",
    sure=False,
)


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
        killing = _killing(last.kernel, process, end, signal, asked, self._bound.get(process))
        if killing is None:
            return
        found = self._finding(process, thread, end, signal, asked, killing)
        if not killing.unsent:
            yield found
        elif len(self._unsent) < _KEPT:
            # What a shell reports stands in a text that was pasted, not in a recording with a filter.
            milder = found if end.told else self._finding(process, thread, end, signal, asked, _UNRECORDED)
            self._unsent.append((found, milder))

    @on_trace_end
    def over(self, kernel: Kernel) -> Iterator[Finding]:
        """Report what no traced process has sent, now that it is clear whether the recording would show that."""
        # `kill` that ends its caller has no result, and so does not show where failures do not. Where no call shows, a
        # process that ends well may have sent the signal.
        called = bool(kernel.names) or any(process.status == 0 for process in kernel.processes)
        hidden = self.scope.hides_failures or (called and not self.scope.records(KILLS))
        yield from (milder if hidden else found for found, milder in self._unsent)

    def _finding(  # the parts of the story
        self,
        process: Process,
        thread: Thread,
        end: Exit,
        signal: Signal | None,
        asked: Signal | None,
        killing: _Killing,
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


def _killing(
    kernel: Kernel, process: Process, end: Exit, signal: Signal | None, asked: Signal | None, bound: Syscall | None
) -> _Killing | None:
    name = end.signal or ""
    sent = _sender(kernel, process, name, end)
    if sent is not None:
        sender, call = sent
        if sender is process:
            return None
        return _by_known(sender, name, call)
    if signal is not None and (process.is_called(signal.sender) or _is_recorder(kernel, signal)):
        return None
    if name == "SIGKILL":
        return _by_force(kernel, process, asked, bound)
    if name in _TIMERS:
        title = f"killed by {name} from the process's own timer: no handler is installed"
        return _Killing(Severity.ERROR, title, f"install a handler for {name} before arming the timer")
    if name == "SIGXCPU":
        title = "CPU time limit exceeded: killed by SIGXCPU"
        return _Killing(Severity.ERROR, title, "raise RLIMIT_CPU where the program is started: ulimit -t, LimitCPU=")
    system = signal is None or _SYSTEM.search(signal.info) is not None or signal.sender is None
    if name in ("SIGINT", "SIGQUIT") and system:
        return _Killing(Severity.NOTE, f"{name} from the terminal ends the process", _INTENDED)
    if name == "SIGHUP" and system:
        fix = "start the program under setsid, nohup or a supervisor"
        return _Killing(loss_of(process), "terminal closed: SIGHUP ends the process", fix)
    number = None if signal is None else signal.sender
    # A child that strace does not follow is known by its pid, and nothing else of it is seen.
    known = next((found for found in kernel.processes if found.is_called(number) and _followed(found)), None)
    if known is not None:
        return _by_known(known, name)
    by, origin = "outside the trace", "sent the signal"
    if number:
        by, origin = f"pid {number}, which is not in the trace", f"pid {number} is"
    fix = f"find out what {origin} (supervisor, timeout, container stop, a user); handle {name} to finish work first"
    return _Killing(loss_of(process), f"killed by {name} from {by}", fix)


def _is_recorder(kernel: Kernel, signal: Signal) -> bool:
    """Whether tracediag ended the command itself, as its user had asked with `--for`."""
    return kernel.known is not None and kernel.known.ender is not None and kernel.known.ender == signal.sender


def _by_known(sender: Process, name: str, call: Syscall | None = None) -> _Killing:
    by = process_name(sender)
    fix = f"find out why {by} sends {name}; {_INTENDED}"
    return _Killing(Severity.NOTE, f"killed by {name} from {by}", fix, call, f"{by} sends {name}")


def _followed(process: Process) -> bool:
    """Whether the trace holds lines of a process, which may have ended."""
    return (
        process.exit is not None
        or process.table.seen
        or any(thread.last_call or thread.last_signal for thread in process.threads)
    )


def _by_force(kernel: Kernel, process: Process, asked: Signal | None, bound: Syscall | None) -> _Killing | None:
    if bound is not None and bound.has("SIGKILL") and process.parent is not None and process.parent.exit is not None:
        fix = f"keep the parent running, or remove PR_SET_PDEATHSIG; {_INTENDED}"
        title = "killed by SIGKILL at the exit of the parent, as requested with PR_SET_PDEATHSIG"
        return _Killing(Severity.NOTE, title, fix, bound, "requests SIGKILL at the exit of the parent")
    if process is not kernel.processes[0] and is_orphan(process, kernel):
        # Like the call that created the process, the kill may not have been recorded.
        return _UNRECORDED
    if asked is not None and asked.name == "SIGTERM":
        title = "SIGTERM did not stop the process; SIGKILL did"
        return _Killing(Severity.WARNING, title, "exit on SIGTERM within the timeout of the supervisor")
    return _Killing(
        Severity.ERROR,
        f"killed by SIGKILL, which no process in the trace sent{memory_of(process)}",
        "look for the out-of-memory killer (journalctl -k, memory.events of the cgroup), then for a supervisor, timeout"
        " or user that sends SIGKILL",
        sure=bool(kernel.processes[0].execs),
        unsent=True,
    )


def _sender(kernel: Kernel, process: Process, name: str, end: Exit) -> tuple[Process, Syscall] | None:
    """Return the traced process that sent the signal, and its call; the receiver's group counts as the receiver."""
    for sender, call in reversed(kernel.sent):
        if call.line > end.line or name not in names_of(call.arg(2 if call.name.startswith("tgkill") else 1)):
            continue
        number = call.number(0)
        if call.name == "pidfd_send_signal" and sender is not process:
            return sender, call
        if number is not None and (process.is_called(number) or number in _GROUPS or number < 0):
            return sender, call
    return None


def _story(thread: Thread, end: Exit, signal: Signal | None, asked: Signal | None, killing: _Killing) -> Iterator[Step]:
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
