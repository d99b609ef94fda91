"""Signal dispositions and masks: rt_sigaction(2), signal(2), rt_sigprocmask(2)."""

from __future__ import annotations

import re

from tracediag.kernel.action import Action
from tracediag.kernel.handlers import handles
from tracediag.kernel.sharing import unite
from tracediag.kernel.signals import Disposition
from tracediag.trace.calls import SIGNAL_ACTIONS, SIGNAL_MASKS, SIGNAL_RETURNS, SIGNAL_SENDS
from tracediag.trace.events import Syscall
from tracediag.trace.values import Structure, Symbol, Value, Words, bare, items_of, names_of, number_of

_CATCHABLE = frozenset({"SIGPIPE", "SIGCHLD", "SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM"})
"""The signals that `~[...]` and a full mask expand to."""


_PLAIN = re.compile(r"(?P<signal>SIG\w++), \{(?:sa_handler=|sa_sigaction=)?(?P<handler>\w++),").match
"""The usual sigaction with a new disposition; matched without parsing, since every shell makes dozens at its start."""

_NUMBERED: dict[int | None, Disposition] = {0: Disposition.DEFAULT, 1: Disposition.IGNORED}
_HANDLERS = {
    "SIG_DFL": Disposition.DEFAULT,
    "0": Disposition.DEFAULT,
    "SIG_IGN": Disposition.IGNORED,
    "0x1": Disposition.IGNORED,
}


def disposition(value: Value | None) -> Disposition | None:
    """Return the disposition in a struct sigaction or a handler argument; None for NULL.

    With -X raw or verbose SIG_DFL and SIG_IGN are the numbers 0 and 1: asm-generic/signal-defs.h.
    """
    found = bare(value)
    if isinstance(found, Structure):
        if not found.fields:
            return None
        handler = found.get("sa_handler") or found.get("sa_sigaction") or found.fields[0][1]
        return disposition(handler)
    match found:
        case Symbol("SIG_DFL"):
            return Disposition.DEFAULT
        case Symbol("SIG_IGN"):
            return Disposition.IGNORED
        case Symbol("NULL") | None:
            return None
        case _:
            return _NUMBERED.get(number_of(found), Disposition.HANDLED)


@handles(*SIGNAL_ACTIONS)
def sigaction(action: Action, call: Syscall) -> None:
    """Record the new disposition, and the old one if the program asked for it."""
    if call.failed:
        return
    signals = action.process.signals
    plain = _PLAIN(call.body)
    if plain is not None:
        handler = _HANDLERS.get(plain["handler"], Disposition.HANDLED)
        signals.set(plain["signal"], handler, call)
        return
    for name in names_of(call.arg(0)):
        given = disposition(call.arg(1))
        before = disposition(call.arg(2)) if call.name != "signal" else None
        if given is not None:
            signals.set(name, given, call)
        elif before is not None and signals.get(name) is None:
            signals.set(name, before, None)


def _mask(value: Value | None) -> frozenset[str]:
    names = frozenset(f"SIG{name.removeprefix('SIG')}" for item in items_of(value) for name in names_of(item))
    found = bare(value)
    return _CATCHABLE - names if isinstance(found, Words) and found.inverted else names


@handles(*SIGNAL_MASKS)
def sigprocmask(action: Action, call: Syscall) -> None:
    """Update the signal mask of the calling thread."""
    if call.failed:
        return
    change = _changes.get(call.body)
    if change is None:
        if len(_changes) >= _CHANGES_KEPT:
            _changes.clear()
        change = _changes[call.body] = _change(call)
    how, given = change
    thread = action.thread
    match how:
        case "SIG_BLOCK":
            thread.blocked |= given
        case "SIG_UNBLOCK":
            thread.blocked -= given
        case "SIG_SETMASK":
            thread.blocked = given


_CHANGES_KEPT = 256
_changes: dict[str, tuple[str | None, frozenset[str]]] = {}
"""What a body asks for: the same few come before and after each fork of a shell."""


def _change(call: Syscall) -> tuple[str | None, frozenset[str]]:
    """Return how the mask changes and by which signals; None if the call only queries it."""
    if names_of(call.arg(1)) == frozenset({"NULL"}):
        return None, frozenset()
    return next(iter(names_of(call.arg(0))), None), _mask(call.arg(1))


@handles(*SIGNAL_SENDS)
def kill(action: Action, call: Syscall) -> None:
    """Record a signal and its sender, to explain what follows from it; tgkill names a thread and its process."""
    if call.result != 0:
        return
    action.kernel.sent.append((action.process, call))
    table = action.kernel.process_table
    if call.name in ("tgkill", "rt_tgsigqueueinfo") and table.strangers.count > 1:
        group, thread = table.threads.get(call.number(0)), table.threads.get(call.number(1))
        if group is not None and thread is not None:
            unite(action.kernel, group.process, thread.process)


@handles("sigaltstack")
def sigaltstack(action: Action, call: Syscall) -> None:
    """Remember the alternate stack on which handlers run: sigaltstack(2)."""
    if call.result == 0 and not call.body.startswith("NULL"):
        action.process.signal_stack = call


@handles(*SIGNAL_RETURNS)
def sigreturn(action: Action, call: Syscall) -> None:
    """Remember the return of a handler."""
    action.thread.handled = call
