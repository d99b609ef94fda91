"""What the process that a thread waits for waits for itself: the chain of waits, to its end."""

from __future__ import annotations

from tracediag.evidence.file_locks import FileLocks
from tracediag.evidence.names import process_name
from tracediag.evidence.reasons import reason
from tracediag.evidence.wait_graph import Moment
from tracediag.evidence.waits import Standing, is_lock
from tracediag.kernel.process import Process, Thread
from tracediag.trace.calls import CHILD_WAITS

_LONGEST = 4
"""Processes of a chain that are told."""


def explained(standing: Standing) -> str:
    """Return what would end a call, and where the process stands that could do that; "" for a call that need not wait.

    Of a process that has ended, others may have ended with it, so nothing more is told.
    """
    why = reason(standing)
    return f"{why}{_chain(standing)}" if why and standing.process.exit is None else why


def _chain(standing: Standing) -> str:
    locks = FileLocks.held_in(standing.kernel) if is_lock(standing.call) else FileLocks()
    moment, thread = Moment(standing.kernel, locks), standing.thread
    seen, told = {standing.process}, ""
    for _ in range(_LONGEST):
        wait = moment.wait_of(thread)
        others = [] if wait is None else [each for each in wait.enders if each is not thread.process]
        if wait is None or len(others) != 1:
            return told
        ender = others[0]
        if ender in seen:
            return f"{told}, and waits for {process_name(ender)}: a circle" if told else ""
        seen.add(ender)
        known = wait.call.name in CHILD_WAITS and not told
        thread = _standing_thread(ender, moment) or thread
        if thread.process is not ender:
            return told
        call = moment.stood_in(thread)
        if call is not None and not known:
            told += f"; {process_name(ender)} stands in {call.name} since line {call.line:,}"
    return told


def _standing_thread(process: Process, moment: Moment) -> Thread | None:
    """Return a thread of a process that stands in a call; None if none does."""
    return next((thread for thread in process.threads if moment.stood_in(thread) is not None), None)
