"""TD502: a process that somebody else has ended by a signal."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from tracediag.evidence.exits import end_step
from tracediag.evidence.faults import FAULTS, Fault, who
from tracediag.evidence.verdicts import is_orphan
from tracediag.kernel import Action, Kernel
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end, on_signal
from tracediag.trace.calls import KILLS
from tracediag.trace.events import Exit, Signal, Syscall
from tracediag.trace.values import names_of

_KILLERS = (
    *("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU"),
    *("SIGPOLL", "SIGIO", "SIGPWR", "SIGSTKFLT"),
)
_TIMERS = frozenset({"SIGALRM", "SIGVTALRM", "SIGPROF"})
_GROUPS = (0, -1)
_DEATH = "TD502 death signal"
_SYSTEM = re.compile(r"\bsi_code=(SI_KERNEL|SI_TIMER)\b")


class _Killing(msgspec.Struct, frozen=True):
    """Who ended a process, how bad that is, and what to do."""

    severity: Severity
    title: str
    fix: str
    call: Syscall | None = None
    """The kill, or what else led to it, where the trace shows it."""
    note: str = ""
    sure: bool = True
    """False where whoever did it may stand before the beginning of the trace."""


class KilledFromOutside(Rule):
    """SIGKILL, SIGTERM and their like: who sent it, or where to look for who did."""

    code = "TD502"
    name = "killed-from-outside"
    severity = Severity.ERROR
    summary = "somebody else ends the process by a signal: who, or where to look"

    @on_signal(*_KILLERS, *FAULTS)
    def struck(self, action: Action) -> None:
        """Remember the last signal that may end the process."""
        signal = action.event
        assert isinstance(signal, Signal)
        if signal.name not in FAULTS or Fault(signal, action.thread, action.thread.last_call, None).sent:
            action.process.memory[self.name] = signal

    @on_call("prctl")
    def bound(self, action: Action) -> None:
        """Remember that the process wants to be killed with its parent."""
        if action.call.has("PR_SET_PDEATHSIG") and not action.call.failed:
            action.process.memory[_DEATH] = action.call

    @on_process_end
    def ended(self, last: ProcessEnd) -> Iterator[Finding]:
        """Judge an end by a signal that is no crash."""
        process, thread, end = last.process, last.thread, last.exit
        if thread is None or end is None or end.signal is None:
            return
        signal: Signal | None = process.memory.get(self.name)
        if signal is not None and signal.name != end.signal:
            # Asked first, and then killed by force: the first signal belongs to the story.
            asked, signal = signal, None
        else:
            asked = None
        if signal is None and (end.signal != "SIGKILL" or process.strictly_confined):
            return
        if _by_itself(process, thread.last_call, signal, end):
            return
        killing = _killing(last.kernel, process, end, signal, asked)
        if killing is not None:
            yield self._finding(process, thread, end, signal, asked, killing)

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
            object=who(process),
            title=killing.title,
            severity=killing.severity,
            confidence=Confidence.CERTAIN if killing.sure else Confidence.LIKELY,
            why="SIGKILL cannot be caught, and strace shows only its effect; the default action of SIGTERM, SIGHUP,"
            " SIGINT, SIGALRM and most others is to end the process at once: signal(7)",
            fix=killing.fix,
            explains=[("child-failure-behind", end.line)] if killing.severity is not Severity.NOTE else (),
        )


def _by_itself(process: Process, last: Syscall | None, signal: Signal | None, end: Exit) -> bool:
    """Whether its own last call sent the signal; where the trace shows no pids, the sender's number tells."""
    if last is None or last.name not in KILLS:
        return False
    target = last.number(0)
    if target == 0 and last.name == "kill":
        return end.signal in names_of(last.arg(1))  # its own group, to which it belongs
    return target == process.pid or (signal is not None and target == signal.sender)


def _killing(
    kernel: Kernel, process: Process, end: Exit, signal: Signal | None, asked: Signal | None
) -> _Killing | None:
    name = end.signal or ""
    sent = _sender(kernel, process, name, end)
    if sent is not None:
        sender, call = sent
        if sender is process:
            return None
        title = f"{who(sender)} ends it by {name}"
        return _Killing(Severity.NOTE, title, f"look into {who(sender)}, which sends {name}", call, "sends the signal")
    if signal is not None and signal.sender is not None and signal.sender == process.pid:
        return None
    if name == "SIGKILL":
        return _by_force(kernel, process, asked)
    if name in _TIMERS:
        title = f"its own timer ends it: {name} has no handler"
        return _Killing(Severity.ERROR, title, f"install the handler of {name} before the timer is armed")
    if name == "SIGXCPU":
        return _Killing(Severity.ERROR, "it has used up its processor time", "raise RLIMIT_CPU: ulimit -t")
    system = signal is None or _SYSTEM.search(signal.info) is not None or signal.sender is None
    if name in ("SIGINT", "SIGQUIT") and system:
        return _Killing(Severity.NOTE, f"it is ended at the terminal: {name}", "nothing, if that was meant")
    if name == "SIGHUP" and system:
        return _Killing(_loss(process), "its terminal goes away: SIGHUP", "run it under setsid, nohup or a supervisor")
    number = None if signal is None else signal.sender
    # A child that strace does not follow is known by its pid, and nothing else of it is seen.
    known = next((found for found in kernel.processes if found.pid == number and _followed(found)), None)
    if known is not None:
        return _Killing(Severity.NOTE, f"{who(known)} ends it by {name}", f"look into {who(known)}, which sends {name}")
    by = f"pid {number}, which is not in the trace, ends it" if number else "somebody outside the trace ends it"
    origin = f"pid {number}" if number else "the sender"
    fix = f"find out who {origin} is (supervisor, timeout, container stop, a user), and"
    return _Killing(_loss(process), f"{by} by {name}", f"{fix} handle {name} if the process has work to finish")


def _followed(process: Process) -> bool:
    """Whether the trace holds lines of its own of a process."""
    return process.table.seen or any(thread.last_call or thread.last_signal for thread in process.threads)


def _loss(process: Process) -> Severity:
    """A stop that was asked for is bad where work is cut off: a file that is being written anew stays half done."""
    left = (*process.table.open.values(), *process.table.last_closed.values())
    half_done = any(_is_made_anew(held) for held in left if held.closed is None or held.closed is process.exit)
    return Severity.WARNING if half_done else Severity.NOTE


def _is_made_anew(held: Descriptor) -> bool:
    made = held.file.opened
    return made is not None and made.has("O_CREAT") and (made.has("O_TRUNC") or made.has("O_EXCL"))


def _by_force(kernel: Kernel, process: Process, asked: Signal | None) -> _Killing | None:
    bound: Syscall | None = process.memory.get(_DEATH)
    if bound is not None and bound.has("SIGKILL") and process.parent is not None and process.parent.exit is not None:
        fix = "keep the parent alive, or drop PR_SET_PDEATHSIG"
        return _Killing(
            Severity.NOTE, "it is killed with its parent, as it asked for", fix, bound, "binds it to its parent"
        )
    if process is not kernel.processes[0] and is_orphan(process, kernel):
        # As the call that made it, the kill may be one of those that were not recorded.
        fix = "record without -e trace=..., or with process and signal in it, to see whether its parent sends SIGKILL"
        return _Killing(Severity.NOTE, "it is killed by SIGKILL; who sends it is not recorded", fix, sure=False)
    if asked is not None and asked.name == "SIGTERM":
        title = "it is killed by force, since it did not end on SIGTERM"
        return _Killing(Severity.WARNING, title, "end on SIGTERM within the time that the supervisor allows")
    return _Killing(
        Severity.ERROR,
        "it is killed by SIGKILL, and nobody in the trace has sent it",
        "look for the out-of-memory killer (dmesg, journalctl -k, memory.events of its cgroup), then for a supervisor,"
        " a timeout or a user who sends SIGKILL",
        sure=bool(kernel.processes[0].execs),
    )


def _sender(kernel: Kernel, process: Process, name: str, end: Exit) -> tuple[Process, Syscall] | None:
    """Return the traced process that sent the signal, and its call; the receiver's group counts as the receiver."""
    for sender, call in reversed(kernel.sent):
        if call.line > end.line or name not in names_of(call.arg(2 if call.name.startswith("tgkill") else 1)):
            continue
        number = call.number(0)
        if call.name == "pidfd_send_signal" and sender is not process:
            return sender, call
        if number is not None and (number == process.pid or number in _GROUPS or number < 0):
            return sender, call
    return None


def _story(thread: Thread, end: Exit, signal: Signal | None, asked: Signal | None, killing: _Killing) -> Iterator[Step]:
    doing = thread.last_call
    if killing.call is not None:
        yield step(killing.call, killing.note)
    if doing is not None:
        yield step(doing, "what it was doing")
    if asked is not None:
        yield step(asked, f"{asked.name} comes, and the process goes on")
    if signal is not None:
        yield step(signal, f"{signal.name} is delivered", primary=True)
    yield end_step(end, primary=signal is None)
