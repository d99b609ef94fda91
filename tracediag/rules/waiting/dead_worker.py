"""TD612: a program that waits for a worker, a process or thread, that has died."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import report_step
from tracediag.evidence.exits import failed_end, manner
from tracediag.evidence.names import process_name
from tracediag.evidence.waiters import STOPS, blocked_in, killing_lines
from tracediag.evidence.waits import Waited, is_endless_futex
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Kind
from tracediag.kernel.kernel import Kernel
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Explained, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_exit, on_process_end, on_trace_end
from tracediag.rules.waiting._moments import is_known_to_last
from tracediag.trace.calls import FILE_READS, FORKS, FUTEXES, RECEIVES
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Exit, Message

_DIED = lazy_pattern(r"exception|error|panic|traceback|terminate called|assert", re.IGNORECASE)
_KEPT = 256
"""Deaths whose lines are kept."""


class _Lost(msgspec.Struct, frozen=True):
    """A worker that died."""

    name: str
    end: Exit
    how: str
    words: Message | None
    child: Process | None = None
    """The process; None for a thread."""
    last: Syscall | None = None
    """Its last call."""


class DeadWorker(Rule):
    """A forked child has died, or a thread has ended with a message; the main thread waits on until it is stopped."""

    code = "TD612"
    name = "dead-worker"
    severity = Severity.ERROR
    summary = "a program waits for the work of a process or thread that has died"
    raised_by = (FORKS, FUTEXES | FILE_READS | RECEIVES)

    def __init__(self) -> None:
        self._lost: Cases[Process, _Lost] = Cases()
        """The first worker that each process has lost."""
        self._found: list[Finding] = []
        self._kills: list[Explained] = []

    @on_exit
    def exited(self, action: Action) -> None:
        """Note the end of a thread after a message that it wrote itself."""
        event, process, thread = action.event, action.process, action.thread
        if process.exit is not None or not isinstance(event, Exit) or event.signal is not None:
            return
        words = next((each for each in reversed(process.messages) if each.pid == thread.tid), None)
        if words is not None and _DIED.search(words.text) and process.threads and thread.tid != process.pid:
            self._lost.setdefault(process, _Lost(f"a thread (pid {thread.tid})", event, "ends after an error", words))

    @on_process_end
    def ended(self, end: ProcessEnd) -> None:
        """Note the death of a worker, and judge a process that has lost one."""
        process, parent = end.process, end.process.parent
        if end.exit is not None and end.exit.signal in STOPS and len(self._kills) < _KEPT:
            self._kills += [Explained("killed-from-outside", line) for line in killing_lines(end)]
        if process.ordered_in is not None and len(self._kills) < _KEPT:
            self._kills.append(Explained("waits-in-a-circle", process.ordered_in.line))
        died = end.exit is not None and (failed_end(process) is not None or end.exit.signal == "SIGKILL")
        if end.exit is not None and died and parent is not None and not process.execs and parent.order is None:
            words = process.messages[-1] if process.messages else None
            last = None if end.thread is None else end.thread.last_call
            self._lost.setdefault(
                parent, _Lost(process_name(process), end.exit, manner(end.exit), words, process, last)
            )
        lost = self._lost.get(process)
        call = None if lost is None or _is_known(lost, process) else _stood(end, lost)
        if lost is not None and call is not None:
            self._found.append(self._finding(end, lost, call))

    @on_trace_end
    def over(self, kernel: Kernel) -> Iterator[Finding]:
        """Report, now that all deaths by signals are known that follow from these."""
        del kernel
        for finding in self._found:
            yield msgspec.structs.replace(finding, explains=tuple(self._kills))

    def _finding(self, end: ProcessEnd, lost: _Lost, call: Waited) -> Finding:
        name = process_name(end.process)
        return self.finding(
            _story(lost, call),
            object=lost.name,
            title=f"{name} waits for the work of {lost.name}, which {lost.how}",
            confidence=Confidence.LIKELY,
            why="a worker that dies takes its task along: neither the kernel nor a pool such as Python's"
            " multiprocessing.Pool reports that to the thread that waits for the result: futex(2), wait(2)",
            fix=f"{_remedy(lost)}; wait for results with a timeout, or with an executor that reports a lost worker",
        )


def _remedy(lost: _Lost) -> str:
    if lost.words is not None:
        return f"mend the error that the worker reports at line {lost.words.line:,}, or catch it in the worker's loop"
    return f"find out why {lost.name} died: dmesg shows whether the kernel killed it for lack of memory"


def _is_known(lost: _Lost, process: Process) -> bool:
    """Whether the program has waited for just that child, and so knows of its death."""
    return lost.child is not None and any(
        reaped.child is lost.child and not reaped.call.has("WNOHANG") for reaped in process.reaped
    )


def _stood(end: ProcessEnd, lost: _Lost) -> Waited | None:
    """Return the endless wait of the main thread that an order to stop ended, or in which it stands at the end."""
    process = end.process
    if process.order is not None:
        call: Waited | None = process.ordered_in
    elif process.exit is None:
        main = next((each for each in process.threads if each.tid == process.pid), None)
        call = None if main is None else blocked_in(main)
        if not isinstance(call, Syscall) or not is_known_to_last(call, end.kernel):
            return None
    else:
        return None
    if call is None or is_endless_futex(call):
        return call
    number = call.number(0) if call.name in FILE_READS | RECEIVES else None
    held = next((each.file for each in end.held if each.number == number), None)
    made = None if held is None or held.kind is not Kind.PIPE else held.opened
    born = None if lost.child is None else lost.child.started
    return call if made is not None and born is not None and made.line < born.line else None


def _story(lost: _Lost, call: Waited) -> Iterator[Step]:
    if lost.words is not None:
        yield report_step(lost.words, subject="worker")
    elif lost.last is not None and lost.last.line != lost.end.line:
        yield step(lost.last, "the last call of the worker")
    yield step(lost.end, f"{lost.name} {lost.how}", primary=True)
    yield step(call, "the main thread waits for the result, and does not return")
