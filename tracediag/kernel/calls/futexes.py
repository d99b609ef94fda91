"""futex(2), as far as it tells which pids are threads of one process: pthread_join waits for the number of a thread."""

from __future__ import annotations

from tracediag.kernel.action import Action
from tracediag.kernel.handlers import begins, handles
from tracediag.kernel.sharing import unite
from tracediag.trace.events import Begun, Syscall

_TWO = 2
"""Processes whose start is not traced: fewer have no others to share with."""


@begins("futex", "futex_time64")
def begin_futex(action: Action, call: Begun) -> None:
    """Take what a thread joins for a thread of the same process: the kernel clears its tid when it exits."""
    _joins(action, call)


@handles("futex", "futex_time64")
def futex(action: Action, call: Syscall) -> None:
    """Do the same for a join that returned on the same line."""
    _joins(action, call)


def _joins(action: Action, call: Syscall | Begun) -> None:
    if action.kernel.process_table.strangers.count < _TWO:
        return
    if not call.has("FUTEX_WAIT_BITSET") or not call.has("FUTEX_CLOCK_REALTIME"):
        return
    other = action.kernel.process_table.threads.get(call.number(2))
    unite(action.kernel, action.process, None if other is None else other.process)
