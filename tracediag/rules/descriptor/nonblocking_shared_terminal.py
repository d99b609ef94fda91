"""TD312: O_NONBLOCK is set on a stream that others use as well, and is left so."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.complaints import said_by
from tracediag.evidence.exits import manner
from tracediag.evidence.steps import birth
from tracediag.kernel import Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end, on_trace_end
from tracediag.trace.calls import READS, WRITES
from tracediag.trace.events import Exit, Syscall

_STREAMS = range(3)
_KEPT = 64
_TRANSFERS = READS | WRITES


class _Left(msgspec.Struct, eq=False):
    """A stream that a process has made non-blocking, and has not set back by its end."""

    process: Process
    descriptor: Descriptor
    call: Syscall
    end: Exit | Syscall | None
    """None for a process that lives on."""
    held: bool
    """Whether another process of the trace holds it then."""


class _Victim(msgspec.Struct, eq=False):
    """A process that failed since a read or write on a stream said EAGAIN."""

    process: Process
    descriptor: Descriptor
    call: Syscall
    told: Syscall | Exit


class NonblockingSharedTerminal(Rule):
    """F_SETFL with O_NONBLOCK, or FIONBIO, on an inherited 0, 1 or 2, and the process ends without setting it back."""

    code = "TD312"
    name = "nonblocking-shared-terminal"
    severity = Severity.ERROR
    summary = "O_NONBLOCK is set on a terminal or stream shared with other processes, and left so: they get EAGAIN"

    def __init__(self) -> None:
        self._left: list[_Left] = []
        self._victims: list[_Victim] = []

    @on_trace_end
    def over(self, kernel: Kernel) -> Iterator[Finding]:
        """Bring together the process that set the flag and the one that suffered."""
        del kernel
        for left in self._left:
            victim = next((victim for victim in self._victims if _suffers(left, victim)), None)
            if victim is not None:
                yield self._finding(left, victim, Severity.ERROR, Confidence.CERTAIN)
            elif left.end is not None:
                judged = _alone(left)
                if judged is not None:
                    yield self._finding(left, None, *judged)

    @on_process_end
    def ended(self, end: ProcessEnd) -> None:
        """Look back from the end of a process: what it left behind, and what it suffered."""
        process = end.process
        for number in _STREAMS:
            held = _stream(process, number)
            if held is None:
                continue
            call = None if held.file.known_flags is None else held.file.flags.unblocked
            if call is not None and _is_own(end.kernel, process, call):
                others = any(other.table is not held.table for other in held.file.holders) or bool(held.file.heirs)
                if _came_from_outside(held) and len(self._left) < _KEPT:
                    self._left.append(_Left(process, held, call, end.event, others))
            elif process.failures and len(self._victims) < _KEPT:
                victim = _victim(process, held)
                if victim is not None:
                    self._victims.append(victim)

    def _finding(self, left: _Left, victim: _Victim | None, severity: Severity, confidence: Confidence) -> Finding:
        held, number = left.descriptor, left.descriptor.number
        return self.finding(
            [
                *(birth(held) if victim is None or len(_told(victim)) < 2 else ()),
                step(left.call, f"fd {number} is made non-blocking, for all who share it", primary=True),
                *([] if left.end is None else [step(left.end, "the process ends, and leaves it so")]),
                *([] if victim is None else _told(victim)),
            ],
            object=describe(held),
            title=_title(left, victim),
            severity=severity,
            confidence=confidence,
            why="O_NONBLOCK belongs to the open file description, which all processes share that have inherited it: who"
            " reads or writes there next gets EAGAIN where it expects to wait: fcntl(2), open(2)",
            fix=f"set the flags of fd {number} back before the end, also on a signal; or leave them alone and use poll,"
            " or open the terminal anew (/dev/tty), which gives a description of its own",
            explains=[]
            if victim is None
            else [(name, victim.call.line) for name in ("eagain-treated-as-error", "failed-call-behind-exit")],
        )


def _stream(process: Process, number: int) -> Descriptor | None:
    return process.table.open.get(number) or process.table.last_closed.get(number)


def _came_from_outside(held: Descriptor) -> bool:
    """Whether the process has got it from another: from before the trace, or by fork."""
    return held.opened is None or (held.copy_of is not None and held.copy_of.table is not held.table)


def _is_own(kernel: Kernel, process: Process, call: Syscall) -> bool:
    """Whether a call was made by this process, as far as its pid tells."""
    thread = kernel.process_table.threads.get(call.pid)
    if thread is not None and thread.process is not process:
        return False
    return not any(other is not process and other.pid == call.pid for other in kernel.processes)


def _victim(process: Process, held: Descriptor) -> _Victim | None:
    """Return the last EAGAIN on a stream that the process has not expected: it says so, or ends badly right then."""
    for call in reversed(process.failures):
        if call.errno != "EAGAIN" or call.name not in _TRANSFERS or call.number(0) != held.number:
            continue
        told: Syscall | Exit | None = said_by(process, call.line).names_error("EAGAIN")
        end = process.exit
        if told is None and end is not None and end.status and process.failures[-1] is call:
            told = end
        return None if told is None or held.waited_for else _Victim(process, held, call, told)
    return None


def _told(victim: _Victim) -> list[Step]:
    how = manner(victim.told) if isinstance(victim.told, Exit) else "reports the error on fd 2"
    return [
        step(victim.call, f"{victim.call.name} of another process on fd {victim.descriptor.number} does not wait"),
        step(victim.told, f"that process {how}"),
    ]


def _suffers(left: _Left, victim: _Victim) -> bool:
    """Whether the stream of the one is that of the other."""
    if left.process is victim.process or victim.call.line < left.call.line:
        return False
    one, other = left.descriptor, victim.descriptor
    if one.file is other.file:
        return True
    if not (one.file.inherited and other.file.inherited) or _root(left.process) is not _root(victim.process):
        return False
    # What a process has from before the trace is known by number only, unless -y shows the path.
    known = one.file.path is not None and other.file.path is not None
    return one.file.path == other.file.path if known else one.number == other.number


def _root(process: Process) -> Process:
    while process.parent is not None:
        process = process.parent
    return process


def _is_terminal(file: OpenFile) -> bool:
    path = file.path or ""
    return file.terminal or path.startswith(("/dev/pts/", "/dev/tty", "/dev/console"))


def _alone(left: _Left) -> tuple[Severity, Confidence] | None:
    """Say how bad it is where nobody is seen to suffer; None where there may be nobody."""
    file = left.descriptor.file
    if _is_terminal(file) or (left.held and file.kind is Kind.PIPE):
        return Severity.WARNING, Confidence.LIKELY
    if left.held and file.kind is Kind.SOCKET:
        # A connection has one user at a time, mostly: the others only hold it.
        return Severity.NOTE, Confidence.LIKELY
    if file.kind is Kind.UNKNOWN and file.path is None:
        return Severity.NOTE, Confidence.POSSIBLE
    return None


def _title(left: _Left, victim: _Victim | None) -> str:
    what = "the terminal" if _is_terminal(left.descriptor.file) else f"fd {left.descriptor.number}, which is shared,"
    if victim is None:
        return f"{what} is left non-blocking for whoever uses it next"
    return f"{what} is made non-blocking, and another process fails with EAGAIN there"
