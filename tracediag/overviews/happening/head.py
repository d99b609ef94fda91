"""The head of the report, made of what the engine knows when the trace is over."""

from __future__ import annotations

import msgspec

from tracediag.evidence.fates import Fates
from tracediag.evidence.scope import Scope
from tracediag.kernel import Kernel
from tracediag.overviews.happening.standing import standing
from tracediag.overviews.happening.unseen import overview_of, unseen
from tracediag.overviews.programs import arguments_of, program_of
from tracediag.results.clock import wall_clock
from tracediag.results.overview import MOST_ENTRIES, Fate, Overview, Waiting, Words

_MOST_WAITING = 4
"""Entries of the head that `waiting` gets where as many processes ended."""


class Head(msgspec.Struct, frozen=True):
    """The parts of a report that tell what happened."""

    overview: Overview
    ending: tuple[Fate, ...] = ()
    waiting: tuple[Waiting, ...] = ()


def head_of(kernel: Kernel, scope: Scope, fates: Fates, times: str, heard: Words | None = None) -> Head:
    """Return the head of the report on a trace.

    Args:
        kernel: the state at the end of the trace.
        scope: what the recording is.
        fates: how its processes ended.
        times: the kind of clock, as `Scope.times` names it.
        heard: what the program printed beside a table of `strace -c`.
    """
    if scope.is_table:
        said = () if heard is None else (Fate(process="the program", pid=None, program=None, words=heard),)
        return Head(Overview(counts=scope.table.described()), said)
    if not kernel.names and not any(process.exit is not None for process in kernel.processes):
        return Head(overview_of(kernel), waiting=unseen(kernel))
    waiting = (*standing(kernel), *unseen(kernel))
    ending, further = fates.chosen(MOST_ENTRIES - min(len(waiting), _MOST_WAITING))
    shown = waiting[: MOST_ENTRIES - len(ending)]
    first = kernel.processes[0]
    program = None if first.executed is None else program_of(first.executed)
    people, last = kernel.process_table, kernel.last_time
    began = people.began
    overview = Overview(
        command=arguments_of(kernel, first.pid) if program is None else program.command,
        shortened=program is not None and program.shortened,
        program=first.program,
        pid=first.pid,
        processes=people.made,
        threads=people.threads_made,
        unborn=sum(process.started is None for process in kernel.processes),
        start=None if began is None else wall_clock(began, times),
        span=None if began is None or last is None else max(0.0, last - began),
        further=further,
        further_waiting=sum(one.threads for one in waiting[len(shown) :]),
    )
    return Head(overview, ending, shown)
