"""The working directory: chdir(2)."""

from __future__ import annotations

from tracediag.kernel.action import Action
from tracediag.kernel.handlers import handles
from tracediag.trace.events import Syscall


@handles("chdir")
def chdir(action: Action, call: Syscall) -> None:
    """The directory that relative paths start from is another."""
    if not call.failed:
        action.process.chdir = call
