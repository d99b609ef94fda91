"""futex(2), as far as it tells which pids are threads of one process.

pthread_join waits for the number of a thread, and a private futex is one of a single process.
"""

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
    """Do the same for a join that returned on the same line, and for a thread that a wake reaches."""
    _joins(action, call)
    if call.result == 1 and action.kernel.process_table.strangers.count == _TWO:
        _wakes(action, call)


def _joins(action: Action, call: Syscall | Begun) -> None:
    if action.kernel.process_table.strangers.count < _TWO:
        return
    if not call.has("FUTEX_WAIT_BITSET") or not call.has("FUTEX_CLOCK_REALTIME"):
        return
    other = action.kernel.process_table.threads.get(call.number(2))
    unite(action.kernel, action.process, None if other is None else other.process)


def _wakes(action: Action, call: Syscall) -> None:
    """Take the only other process for the same one, if it waits on that private futex: another has none there."""
    if not call.has("FUTEX_WAKE_PRIVATE"):
        return
    start = f"{call.body.partition(',')[0]}, FUTEX_WAIT"
    for thread in list(action.kernel.process_table.threads.values()):
        inside = thread.inside
        if thread.process is action.process or inside is None or not inside.name.startswith("futex"):
            continue
        if inside.body.startswith(start) and "_PRIVATE" in inside.body:
            unite(action.kernel, action.process, thread.process)
            return
