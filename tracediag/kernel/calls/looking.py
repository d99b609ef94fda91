"""Calls that look at files: stat(2). Their results are kept unparsed, for what may fail on the same file later."""

from __future__ import annotations

from tracediag.kernel.action import Action
from tracediag.kernel.handlers import handles
from tracediag.trace.calls import STATS
from tracediag.trace.events import Syscall

_MOST = 4096
"""Looks of a trace that are recorded: a build makes hundreds of thousands, and none of them fails later."""


@handles(*STATS)
def stat(action: Action, call: Syscall) -> None:
    """Record what was seen of a file."""
    kernel = action.kernel
    if call.errno is not None or kernel.looks >= _MOST:
        return
    action.thread.process.looks.append(call)
    kernel.looks += 1
    if kernel.looks == _MOST:
        kernel.enough(STATS)
