"""Resource limits that a process reads or sets: getrlimit(2), prlimit64."""

from __future__ import annotations

from tracediag.kernel.action import Action
from tracediag.kernel.credentials import Limit
from tracediag.kernel.handlers import handles
from tracediag.trace.events import Syscall
from tracediag.trace.values import Structure, Value, bare, names_of, number_of

_MOST_LIMITS = 32
"""Linux has 16 resources; a damaged trace may name any number, and each forked process has a copy."""


@handles("getrlimit", "ugetrlimit", "setrlimit")
def getrlimit(action: Action, call: Syscall) -> None:
    """Record a limit of the caller."""
    _take(action, call, 0, call.arg(1))


@handles("prlimit64")
def prlimit64(action: Action, call: Syscall) -> None:
    """Record the new limit, or else the old one, if the pid is 0 or the caller's own."""
    if (pid := call.number(0)) == 0 or action.process.is_called(pid):
        new = call.arg(2)
        _take(action, call, 1, new if isinstance(bare(new), Structure) else call.arg(3))


def _take(action: Action, call: Syscall, name_at: int, value: Value | None) -> None:
    found = bare(value)
    if call.result != 0 or not isinstance(found, Structure):
        return
    for name in names_of(call.arg(name_at)):
        limit = Limit(number_of(found.get("rlim_cur")), number_of(found.get("rlim_max")), call)
        limits = action.process.limits
        if name in limits or len(limits) < _MOST_LIMITS:
            limits[name] = limit
