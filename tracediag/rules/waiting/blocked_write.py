"""TD609: a write that waits because the other end is not read."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.names import process_name
from tracediag.evidence.wait_graph import Moment, Wait
from tracediag.evidence.waiters import none_returns
from tracediag.evidence.waits import Waited
from tracediag.kernel.describe import describe_file
from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.kernel.process import Process, Thread
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.waiting._moments import WaitRule, has_lasted
from tracediag.trace.calls import FILE_WRITES, SENDS
from tracediag.trace.events import Syscall

_WRITES = FILE_WRITES | SENDS
_TERMINALS = ("/dev/tty", "/dev/pts/", "/dev/console")
_NAMED = 2


class BlockedWrite(WaitRule):
    """A process stands in write or send on a pipe, socket or terminal that is full."""

    code = "TD609"
    name = "blocked-write"
    severity = Severity.WARNING
    summary = "a write to a pipe, socket or terminal does not return: the other end does not read"
    raised_by = (_WRITES,)

    def __init__(self) -> None:
        super().__init__()
        self._circled: set[int] = set()
        """The lines of calls in circles of processes: another rule reports these."""

    def judged(self, moment: Moment, *, ended: bool) -> Iterator[tuple[object, Finding]]:
        """Yield the writes that wait."""
        writing = [
            (thread, call)
            for process in moment.kernel.processes
            if process.exit is None
            for thread in process.threads
            if (call := moment.stood_in(thread)) is not None and call.name in _WRITES
        ]
        known = moment.deadlocked() if writing else {}
        self._circled |= {wait.call.line for waits in known.values() for wait in waits}
        for thread, call in writing:
            file = thread.process.table.file_of(call.number(0))
            if file is not None and _may_fill(file, call, moment) and call.line not in self._circled:
                wait = moment.wait_of(thread)
                if wait is not None and any(each.is_called(moment.awake) for each in wait.enders):
                    continue  # the reader ends the writer: it has read enough
                stops = ended and call.time is not None  # within a call that may have been about to return
                broken_off = moment.guess and call.time is None and isinstance(call, Syscall) and call.interrupted
                lasts = broken_off or has_lasted(call, moment.kernel, ended=ended)
                if lasts or (not stops and _is_ignored(wait, moment)):
                    yield call.line, self._finding(thread, call, file, wait, moment)

    def _finding(self, thread: Thread, call: Waited, file: OpenFile, wait: Wait | None, moment: Moment) -> Finding:
        name, number = process_name(thread.process), call.number(0)
        terminal = _is_terminal(file)
        where = _what(file)
        readers = () if wait is None else tuple(each for each in wait.enders if each is not thread.process)
        named = ", ".join(process_name(each) for each in readers[:_NAMED])
        missing = "the terminal takes no more output" if terminal else f"{named or 'the other end'} does not read"
        return self.finding(
            _story(call, readers, moment),
            object=where,
            title=f"{name} waits in {call.name} to {where} (fd {number}): {missing}",
            confidence=Confidence.LIKELY,
            why="write to a full pipe, socket or terminal waits until the other side reads: pipe(7), tty_ioctl(4)",
            fix=_fix(terminal=terminal, named=named, inode=_inode(file), pid=thread.process.pid),
        )


def _may_fill(file: OpenFile, call: Waited, moment: Moment) -> bool:
    """Whether a write can wait for a reader; also of an unknown file, where strace was attached within the call.

    A signal interrupts only writes that wait so: signal(7).
    """
    interrupted = moment.guess and isinstance(call, Syscall) and call.interrupted
    if file.kind is Kind.UNKNOWN and (interrupted or none_returns(moment.kernel)):
        return True
    return file.pipe is not None or file.socket is not None or file.kind is Kind.PIPE or _is_terminal(file)


def _is_terminal(file: OpenFile) -> bool:
    return file.terminal or (file.path or "").startswith(_TERMINALS)


def _what(file: OpenFile) -> str:
    if _is_terminal(file):
        return f"the terminal {file.path}" if (file.path or "").startswith(_TERMINALS) else "the terminal"
    if file.pipe is not None or file.kind is Kind.PIPE:
        return "a pipe"
    return describe_file(file) or "a pipe, socket or terminal"


def _is_ignored(wait: Wait | None, moment: Moment) -> bool:
    """Whether each process that could read stands in a call that is no read."""
    return (
        wait is not None
        and bool(wait.enders)
        and all(
            each is not wait.process and any(_is_elsewhere(thread, moment) for thread in each.threads)
            for each in wait.enders
        )
    )


def _is_elsewhere(thread: Thread, moment: Moment) -> bool:
    call = moment.stood_in(thread)
    return call is not None and call.name in ("nanosleep", "clock_nanosleep", "restart_syscall", "pause", "wait4")


def _story(call: Waited, readers: tuple[Process, ...], moment: Moment) -> Iterator[Step]:
    yield step(call, "the buffer is full, and the call does not return", primary=True)
    for each in readers[:_NAMED]:
        stood = next((found for thread in each.threads if (found := moment.stood_in(thread)) is not None), None)
        if stood is not None:
            yield step(stood, f"{process_name(each)}, which could read, stands in {stood.name}")


def _inode(file: OpenFile) -> int | None:
    return None if file.pipe is None else file.pipe.pipe.inode


def _fix(*, terminal: bool, named: str, inode: int | None, pid: int | None) -> str:
    if terminal:
        return (
            "press Ctrl-Q if Ctrl-S has stopped the output; else end the program that holds the terminal's other side"
        )
    if named:
        return f"find out what keeps {named} from reading, or let the program drop or buffer its output"
    if inode is not None:
        return f"find /proc/[0-9]*/fd -lname 'pipe:\\[{inode}\\]' shows the processes that have the pipe open"
    return f"ls -l /proc/{pid or 'PID'}/fd names the pipe or socket; find the process at its other end (lsof +E -p PID)"
