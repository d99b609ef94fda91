"""Waiting for children: wait4(2), waitid(2)."""

from __future__ import annotations

import re

from tracediag.kernel.action import Action
from tracediag.kernel.adopting import adopted
from tracediag.kernel.handlers import handles
from tracediag.kernel.process import Reaped
from tracediag.trace.calls import CHILD_WAITS
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.values import Macro, Operation, Structure, Symbol, Value, bare, items_of, names_of, number_of, walk

_EXITED = re.compile(r"[^\[]*+\[\{WIFEXITED\(s\) && WEXITSTATUS\(s\) == ([0-9]{1,3}+)\}\], ").match
"""How nearly every child ends; matched without parsing."""


@handles(*CHILD_WAITS - {"waitid"})
def wait4(action: Action, call: Syscall) -> None:
    """Reap the child, unless it was only stopped or continued."""
    if call.result is None or call.result <= 0:
        return
    usual = _EXITED(call.body)
    status, signal, ended = (checked_integer(usual[1]), None, True) if usual is not None else _status(call.arg(1))
    if ended:
        _reap(action, call, call.result, status, signal)


@handles("waitid")
def waitid(action: Action, call: Syscall) -> None:
    """Reap the child that the siginfo names; with WNOWAIT it remains waitable."""
    info = bare(call.arg(2))
    if call.result != 0 or not isinstance(info, Structure) or "WNOWAIT" in names_of(call.arg(3)):
        return
    pid = number_of(info.get("si_pid"))
    how = names_of(info.get("si_code"))
    if pid and how & {"CLD_EXITED", "CLD_KILLED", "CLD_DUMPED"}:
        status = number_of(info.get("si_status")) if "CLD_EXITED" in how else None
        signal = next(iter(names_of(info.get("si_status"))), None) if status is None else None
        _reap(action, call, pid, status, signal)


def _reap(action: Action, call: Syscall, pid: int, status: int | None, signal: str | None) -> None:
    process = action.process
    table = action.kernel.process_table
    child = process.children.get(pid) or adopted(action.kernel, pid, process)
    process.children.pop(pid, None)
    if child is not None and child.guessed:
        child = table.inner.settle(process, child, pid, status, signal)
    process.reaped.append(Reaped(pid, child, status, signal, call))


def _status(value: Value | None) -> tuple[int | None, str | None, bool]:
    """Decode `[{WIFEXITED(s) && WEXITSTATUS(s) == 1}]`: exit status, signal, whether the child has terminated.

    A NULL status shows nothing; without WUNTRACED wait4 only returns for a child that has terminated.
    """
    items = items_of(value)
    if not items:
        return None, None, True
    status = signal = None
    ended = False
    for part in walk(items[0]):
        if isinstance(part, Macro) and part.name in ("WIFEXITED", "WIFSIGNALED"):
            ended = True
        elif isinstance(part, Operation) and part.operator == "==" and isinstance(part.left, Macro):
            if part.left.name == "WEXITSTATUS":
                status = number_of(part.right)
            elif part.left.name == "WTERMSIG" and isinstance(part.right, Symbol):
                signal = part.right.name
    return status, signal, ended
