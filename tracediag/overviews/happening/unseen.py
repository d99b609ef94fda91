"""Traced threads that made no call, where the look at /proc shows why: they are stopped, or wait uninterruptibly."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.blocking import chain_of, name_of, stopped
from tracediag.kernel import Kernel
from tracediag.results.overview import Overview, Waiting
from tracediag.snapshot import Moment, ProcessState

_TIMED = "when the time of --for was over: "
"""Before the wait of a process that tracediag itself then ended: the report names that end as well."""


def unseen(kernel: Kernel) -> tuple[Waiting, ...]:
    """Return where the threads stand of which the trace has no line, or which stood there until `--for` ended them."""
    moment = _moment(kernel)
    if moment is None:
        return ()
    ended = kernel.known is not None and kernel.known.ender is not None
    return tuple(_waits(moment, _silent(kernel, moment), _TIMED if ended else ""))


def overview_of(kernel: Kernel) -> Overview:
    """Return what was traced, of a trace without calls."""
    moment = _moment(kernel)
    first = None if moment is None else next(iter(_silent(kernel, moment)), None)
    if first is None:
        return Overview()
    executable = first.executable or None
    return Overview(
        command=first.arguments, program=executable, pid=first.pid, processes=1, threads=len(first.threads), unborn=1
    )


def _moment(kernel: Kernel) -> Moment | None:
    return None if kernel.known is None else kernel.known.latest


def _silent(kernel: Kernel, moment: Moment) -> Iterator[ProcessState]:
    traced = () if kernel.known is None else kernel.known.traced or tuple(each.pid for each in moment.processes)
    for process in moment.processes:
        if process.pid in traced and not any(_called(kernel, thread.tid) for thread in process.threads):
            yield process


def _called(kernel: Kernel, tid: int) -> bool:
    """Whether the trace shows a call of a thread; of one that is stopped it has a line about that, and no call."""
    thread = kernel.process_table.find(tid)
    return thread is not None and (thread.last_call is not None or thread.inside is not None)


def _waits(moment: Moment, processes: Iterator[ProcessState], when: str) -> Iterator[Waiting]:
    for process in processes:
        for thread in process.threads:
            why, chain = stopped(moment, thread.tid), chain_of(moment, thread.tid)
            if not why and chain is None:
                continue
            yield Waiting(
                process=name_of(moment, process.pid),
                pid=thread.tid,
                call=_named(thread.call),
                object=thread.path,
                text="",
                line=0,
                reason=f"{when}{f'it {why}' if why or chain is None else chain.sentence}",
            )


def _named(call: str) -> str:
    """Name a call of a look at /proc, which is a number where the look does not know it."""
    return f"system call {call}" if call.isdecimal() else call or "no call"
