"""How the root processes ended: what a shell would report after the command."""

from __future__ import annotations

from tracediag.kernel import Kernel
from tracediag.kernel.process import Process
from tracediag.overviews.programs import program_of
from tracediag.results.report import Ending


def endings(kernel: Kernel) -> tuple[Ending, ...]:
    """Return the ends of the root processes, in order of appearance."""
    return tuple(_ending(process) for process in kernel.processes if process.started is None)


def _ending(process: Process) -> Ending:
    program = None if process.executed is None else program_of(process.executed)
    exited = process.exit
    return Ending(
        pid=process.pid,
        program=process.program,
        command=() if program is None else program.command,
        status=process.status,
        signal=None if exited is None else exited.signal,
        core_dumped=exited is not None and exited.core_dumped,
        line=None if process.end is None else process.end.line,
    )
