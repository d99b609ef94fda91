"""Calls that look at files: stat(2). Their results are kept unparsed, for what may fail on the same file later."""

from __future__ import annotations

from tracediag.kernel.action import Action
from tracediag.kernel.handlers import handles
from tracediag.trace.calls import STATS
from tracediag.trace.events import Syscall


@handles(*STATS)
def stat(action: Action, call: Syscall) -> None:
    """Record what was seen of a file."""
    if call.errno is None:
        action.thread.process.looks.append(call)
