"""Which process killed another one, or what did: a traced process, a timer, a limit, the terminal, or the unknown."""

from __future__ import annotations

from collections.abc import Container

import msgspec

from tracediag.evidence.names import process_name
from tracediag.evidence.verdicts import is_orphan
from tracediag.kernel import Kernel
from tracediag.kernel.process import Process
from tracediag.results.findings import Severity
from tracediag.rules.process._at_death import loss_of, memory_of
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Exit, Signal
from tracediag.trace.values import names_of

_TIMERS = frozenset({"SIGALRM", "SIGVTALRM", "SIGPROF"})
_GROUPS = (0, -1)
_INTENDED = "none needed if this was intended"
_SYSTEM = lazy_pattern(r"\bsi_code=(SI_KERNEL|SI_TIMER)\b")


class Killing(msgspec.Struct, frozen=True):
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


UNRECORDED = Killing(
    Severity.NOTE,
    "killed by SIGKILL; the sender was not recorded",
    "record without -e trace=..., or with %process and %signal in it, to see whether the parent sends SIGKILL",
    sure=False,
)


def killing_of(  # these are what the rule has noted of the process
    kernel: Kernel,
    process: Process,
    end: Exit,
    signal: Signal | None,
    asked: Signal | None,
    bound: Syscall | None,
    unnamed: Container[str] = (),
) -> Killing | None:
    """Return how a process was killed; None if it did that itself, or the recorder did as its user asked."""
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
        return Killing(Severity.ERROR, title, f"install a handler for {name} before arming the timer")
    if name == "SIGXCPU":
        title = "CPU time limit exceeded: killed by SIGXCPU"
        return Killing(Severity.ERROR, title, "raise RLIMIT_CPU where the program is started: ulimit -t, LimitCPU=")
    system = signal is None or _SYSTEM.search(signal.info) is not None or signal.sender is None
    if name in ("SIGINT", "SIGQUIT") and system:
        return Killing(Severity.NOTE, f"{name} from the terminal ends the process", _INTENDED)
    if name == "SIGHUP" and system:
        fix = "start the program under setsid, nohup or a supervisor"
        return Killing(loss_of(process, unnamed), "terminal closed: SIGHUP ends the process", fix)
    number = None if signal is None else signal.sender
    # A child that strace does not follow is known by its pid, and nothing else of it is seen.
    known = next((found for found in kernel.processes if found.is_called(number) and _followed(found)), None)
    if known is not None:
        return _by_known(known, name)
    by, origin = "outside the trace", "sent the signal"
    if number:
        by, origin = f"pid {number}, which is not in the trace", f"pid {number} is"
    severity = loss_of(process, unnamed)
    fix = f"find out what {origin} (supervisor, timeout, container stop, a user); handle {name} to finish work first"
    if severity is Severity.NOTE:  # an orderly stop of a program that needs no handler
        fix = f"{_INTENDED}; if not, {fix}"
    return Killing(severity, f"killed by {name} from {by}", fix)


def _is_recorder(kernel: Kernel, signal: Signal) -> bool:
    """Whether tracediag ended the command itself, as its user had asked with `--for`."""
    return kernel.known is not None and kernel.known.ender is not None and kernel.known.ender == signal.sender


def _by_known(sender: Process, name: str, call: Syscall | None = None) -> Killing:
    by = process_name(sender)
    fix = f"find out why {by} sends {name}; {_INTENDED}"
    return Killing(Severity.NOTE, f"killed by {name} from {by}", fix, call, f"{by} sends {name}")


def _followed(process: Process) -> bool:
    """Whether the trace holds lines of a process, which may have ended."""
    return (
        process.exit is not None
        or process.table.seen
        or any(thread.last_call or thread.last_signal for thread in process.threads)
    )


def _by_force(kernel: Kernel, process: Process, asked: Signal | None, bound: Syscall | None) -> Killing | None:
    if bound is not None and bound.has("SIGKILL") and process.parent is not None and process.parent.exit is not None:
        fix = f"keep the parent running, or remove PR_SET_PDEATHSIG; {_INTENDED}"
        title = "killed by SIGKILL at the exit of the parent, as requested with PR_SET_PDEATHSIG"
        return Killing(Severity.NOTE, title, fix, bound, "requests SIGKILL at the exit of the parent")
    if process is not kernel.processes[0] and is_orphan(process, kernel):
        # Like the call that created the process, the kill may not have been recorded.
        return UNRECORDED
    if asked is not None and asked.name == "SIGTERM":
        title = "SIGTERM did not stop the process; SIGKILL did"
        return Killing(Severity.WARNING, title, "exit on SIGTERM within the timeout of the supervisor")
    return Killing(
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
