"""TD603: a reader that does not see the end of a pipe, because a process that does not write keeps a write end open."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.names import process_name
from tracediag.evidence.wait_graph import Moment, Wait
from tracediag.kernel.kernel import Kernel
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.waiting._moments import WaitRule, is_known_to_last
from tracediag.trace.calls import CLOSES, FILE_READS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import listed, plural

_MOST = 256
_NAMED = 3


class PipeEndKeptOpen(WaitRule):
    """A process stands in read on a pipe whose only write ends are its own, or those of processes left behind."""

    code = "TD603"
    name = "pipe-end-kept-open"
    severity = Severity.ERROR
    summary = "read of a pipe waits for an end that does not come: a process that does not write keeps the write end"
    raised_by = (FILE_READS,)
    rests_on = CLOSES

    def judged(self, moment: Moment, *, ended: bool) -> Iterator[tuple[object, Finding]]:
        """Yield the reads of pipes that wait so."""
        running = [each for each in moment.kernel.processes if each.exit is None]
        reading = [each for each in running if _reads(each, moment)] if len(running) <= _MOST else []
        if not reading:
            return
        known = moment.deadlocked()
        for process in reading:
            wait = moment.wait_of(next(iter(process.threads)))
            if wait is None or wait.file is None or (wait.file.pipe is None and not moment.guess):
                continue
            if wait.enders == (process,) and process in known:
                yield wait.call.line, self._own(wait, moment)
            elif self._lasts(wait, moment.kernel, ended=ended) and all(
                _left_behind(each, wait, moment) for each in wait.enders
            ):
                yield wait.call.line, self._others(wait, moment)

    def _lasts(self, wait: Wait, kernel: Kernel, *, ended: bool) -> bool:
        call = wait.call
        return bool(wait.enders) and (not ended or (isinstance(call, Syscall) and is_known_to_last(call, kernel)))

    def _own(self, wait: Wait, moment: Moment) -> Finding:
        name, which = process_name(wait.process), _which(wait, wait.process, moment)
        return self._about(
            wait,
            moment,
            title=f"{name} waits for the end of a pipe, and keeps the write end open{which}",
            fix=f"close the write end{which} in {name} before it reads: after fork, each process"
            " closes the end that it does not use",
        )

    def _others(self, wait: Wait, moment: Moment) -> Finding:
        names = [process_name(each) for each in wait.enders]
        several = len(names) > _NAMED
        holders = plural(len(names), "process") + "es" if several else listed(names)
        numbers = _which(wait, wait.enders[0], moment)
        return self._about(
            wait,
            moment,
            title=f"{process_name(wait.process)} waits for the end of a pipe that {holders}, started in the background,"
            f" keep{'s' if len(names) == 1 else ''} open{numbers}",
            fix=f"start {names[0]} with its output redirected (>/dev/null 2>&1 or a log file), or close its inherited"
            " descriptors before it runs in the background",
        )

    def _about(self, wait: Wait, moment: Moment, *, title: str, fix: str) -> Finding:
        made = None if wait.file is None else wait.file.opened
        steps = [step(made, "the pipe is created")] if made is not None else []
        steps.append(step(wait.call, "waits for data or the end of the pipe", primary=True))
        for ender in wait.enders[:_NAMED]:
            call = next((found for each in ender.threads if (found := moment.stood_in(each)) is not None), None)
            if ender is not wait.process and call is not None:
                steps.append(step(call, f"{process_name(ender)} has the write end open, and does not write"))
        return self.finding(
            steps,
            object=process_name(wait.process),
            title=title,
            confidence=Confidence.LIKELY,
            why="read on a pipe returns 0, the end, only when every write end is closed: those that fork and exec"
            " passed on count as well: pipe(7)",
            fix=fix,
        )


def _reads(process: Process, moment: Moment) -> bool:
    """Whether a process is one thread that stands in a read."""
    call = moment.stood_in(next(iter(process.threads))) if len(process.threads) == 1 else None
    return call is not None and call.name in FILE_READS


def _left_behind(process: Process, wait: Wait, moment: Moment) -> bool:
    """Whether a process outlives its parent, waits itself, and is not the reader."""
    parent = process.parent
    gone = parent is not None and parent.exit is not None
    return (
        gone and process is not wait.process and all(moment.stood_in(thread) is not None for thread in process.threads)
    )


def _which(wait: Wait, process: Process, moment: Moment) -> str:
    """Return the number of the write end in a process, in brackets."""
    other = None if wait.file is None else moment.other_end(wait.file)
    numbers = [] if other is None else process.table.numbers_of(other)
    return f" (fd {', '.join(map(str, numbers[:_NAMED]))})" if numbers else ""
