"""TD312: O_NONBLOCK is set on a stream shared with other processes, and not cleared."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.complaints import said_by
from tracediag.evidence.exits import manner
from tracediag.evidence.steps import birth
from tracediag.kernel import Kernel, describe
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_process_end, on_trace_end
from tracediag.trace.calls import READS, WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Message

_STREAMS = range(3)
_KEPT = 64
_TRANSFERS = READS | WRITES


class _Left(msgspec.Struct, eq=False):
    """A stream that a process has set non-blocking and not restored by its end."""

    process: Process
    descriptor: Descriptor
    call: Syscall
    end: Exit | Syscall | None
    """None for a process that is still running."""
    shared: bool
    """Whether another process of the trace has it open then."""


class _Victim(msgspec.Struct, eq=False):
    """A process that failed because a read or write on a stream returned EAGAIN."""

    process: Process
    descriptor: Descriptor
    call: Syscall
    outcome: Message | Exit
    """Its report of the error, or its end."""


class NonblockingSharedTerminal(Rule):
    """F_SETFL with O_NONBLOCK, or FIONBIO, on an inherited 0, 1 or 2, not undone when the process ends."""

    code = "TD312"
    name = "nonblocking-shared-terminal"
    severity = Severity.ERROR
    summary = "O_NONBLOCK is set on a terminal or stream shared with other processes, and not cleared: they get EAGAIN"

    def __init__(self) -> None:
        self._left: list[_Left] = []
        self._victims: list[_Victim] = []

    @on_trace_end
    def over(self, kernel: Kernel) -> Iterator[Finding]:
        """Match each process that set the flag with a process that failed because of it."""
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
        """Find the streams that a process left non-blocking, or on which it failed with EAGAIN."""
        process = end.process
        refused = any(call.errno == "EAGAIN" for call in process.failures)
        for number in _STREAMS:
            held = _stream(process, number)
            if held is None:
                continue
            call = None if held.file.known_flags is None else held.file.flags.unblocked
            if call is not None and _is_own(end.kernel, process, call):
                shared = any(other.table is not held.table for other in held.file.holders) or bool(held.file.heirs)
                if _came_from_outside(held) and len(self._left) < _KEPT:
                    self._left.append(_Left(process, held, call, end.event, shared))
            elif refused and len(self._victims) < _KEPT:
                victim = _victim(process, held)
                if victim is not None:
                    self._victims.append(victim)

    def _finding(self, left: _Left, victim: _Victim | None, severity: Severity, confidence: Confidence) -> Finding:
        held, number = left.descriptor, left.descriptor.number
        return self.finding(
            [
                *(birth(held) if victim is None else ()),
                step(left.call, f"fd {number} is set non-blocking for all processes that share it", primary=True),
                *(
                    []
                    if left.end is None
                    else [step(left.end, f"the process {manner(left.end)} and leaves fd {number} non-blocking")]
                ),
                *([] if victim is None else _harm(victim)),
            ],
            object=describe.describe(held),
            title=_title(left, victim),
            severity=severity,
            confidence=confidence,
            why="O_NONBLOCK belongs to the open file description, which is shared by all processes that inherited it:"
            " the next reader or writer gets EAGAIN instead of blocking: fcntl(2), open(2)",
            fix=_fix(held),
            explains=[]
            if victim is None
            else [(name, victim.call.line) for name in ("eagain-treated-as-error", "failed-call-behind-exit")],
        )


def _stream(process: Process, number: int) -> Descriptor | None:
    return process.table.open.get(number) or process.table.last_closed.get(number)


def _came_from_outside(held: Descriptor) -> bool:
    """Whether the descriptor comes from another process: from before the trace, or by fork."""
    return held.opened is None or (held.copy_of is not None and held.copy_of.table is not held.table)


def _is_own(kernel: Kernel, process: Process, call: Syscall) -> bool:
    """Whether this process made a call, as far as the pid shows."""
    thread = kernel.process_table.threads.get(call.pid)
    if thread is not None and thread.process is not process:
        return False
    return not any(other is not process and other.pid == call.pid for other in kernel.processes)


def _victim(process: Process, held: Descriptor) -> _Victim | None:
    """Return the last EAGAIN on a stream that the process reports as an error, or after which it ends badly."""
    for call in reversed(process.failures):
        if call.errno != "EAGAIN" or call.name not in _TRANSFERS or call.number(0) != held.number:
            continue
        outcome: Message | Exit | None = said_by(process, call.line).names_error("EAGAIN")
        end = process.exit
        if outcome is None and end is not None and end.status and process.failures[-1] is call:
            outcome = end
        return None if outcome is None or held.waited_for else _Victim(process, held, call, outcome)
    return None


def _harm(victim: _Victim) -> list[Step]:
    how = manner(victim.outcome) if isinstance(victim.outcome, Exit) else "reports the error on fd 2"
    number = victim.descriptor.number
    return [
        step(
            victim.call, f"{victim.call.name} on fd {number} in {_program(victim)} returns EAGAIN instead of blocking"
        ),
        step(victim.outcome, f"{_program(victim)} {how}"),
    ]


def _program(victim: _Victim) -> str:
    return victim.process.program or "another process"


def _fix(held: Descriptor) -> str:
    own = "; or open /dev/tty, which has flags of its own" if _is_terminal(held.file) else ""
    return (
        f"restore the flags of fd {held.number} before exit, also in signal handlers; or leave O_NONBLOCK off and poll"
        f" before reading or writing{own}"
    )


def _suffers(left: _Left, victim: _Victim) -> bool:
    """Whether both are about the same stream."""
    if left.process.current is victim.process or victim.call.line < left.call.line:
        return False
    one, other = left.descriptor, victim.descriptor
    if one.file is other.file:
        return True
    if not (one.file.inherited and other.file.inherited) or _root(left.process) is not _root(victim.process):
        return False
    # Descriptors from before the trace are known by number only, unless -y shows the path.
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
    """Return severity and confidence where no process is seen to fail; None where none may share the stream."""
    file = left.descriptor.file
    if _is_terminal(file) or (left.shared and file.kind is Kind.PIPE):
        return Severity.WARNING, Confidence.LIKELY
    if file.socket is not None and file.socket.accepted is not None:
        return None  # a connection that a server has handed to its child has no next user
    if left.shared and file.kind is Kind.SOCKET:
        # A connection mostly has one user at a time: other processes only have it open.
        return Severity.NOTE, Confidence.LIKELY
    if file.kind is Kind.UNKNOWN and file.path is None:
        return Severity.NOTE, Confidence.POSSIBLE
    return None


def _title(left: _Left, victim: _Victim | None) -> str:
    held = left.descriptor
    what = f"the terminal on fd {held.number}" if _is_terminal(held.file) else describe.name(held)
    if victim is None:
        return f"{what} is left non-blocking for other processes"
    return f"{what} is {'set' if left.end is None else 'left'} non-blocking, and {_program(victim)} fails with EAGAIN"
