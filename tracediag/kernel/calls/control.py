"""Calls that change the flags of a descriptor or its description: fcntl(2), ioctl(2) FIONBIO, terminal ioctls."""

from __future__ import annotations

from tracediag.kernel.action import Action, FlagChange
from tracediag.kernel.calls.making import IOCTL_MAKERS, from_ioctl
from tracediag.kernel.calls.subject import subject
from tracediag.kernel.credentials import Terminal
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.flags import decode
from tracediag.kernel.handlers import handles
from tracediag.kernel.numbers import install
from tracediag.trace.calls import CONTROLS
from tracediag.trace.events import Syscall
from tracediag.trace.values import Value, items_of, names_of, number_of


def status_flags(value: Value | None) -> frozenset[str]:
    """Return the status flags of an F_SETFL argument, even if strace printed them as a number."""
    names = names_of(value)
    if names:
        return names
    number = number_of(value)
    return frozenset() if number is None else decode(number)


_PLAIN = frozenset({"F_GETFD", "F_GETFL", "F_SETFD", "F_SETFL", "F_DUPFD", "F_DUPFD_CLOEXEC"})


def command_of(call: Syscall) -> str | None:
    """Return the command of an fcntl; read from the text, because find(1) calls fcntl as often as it opens files."""
    body = call.body
    # Use the last match: a path that -y shows may hold anything.
    word = body[body.rfind(", F_") + 2 :].partition(",")[0]
    return word if word in _PLAIN else next(iter(names_of(call.arg(1))), None)


@handles(*CONTROLS)
def fcntl(action: Action, call: Syscall) -> None:
    """Apply an fcntl: flags are fetched or set, or the descriptor is duplicated."""
    descriptor = subject(action, call)
    if descriptor is None or call.failed:
        return
    match command_of(call):
        case "F_GETFD":
            descriptor.asked = call
        case "F_GETFL":
            descriptor.file.stated, descriptor.asked = call, None
        case "F_SETFL":
            _set(action, descriptor, call)
            descriptor.asked = None
        case "F_SETFD":
            _set_cloexec(descriptor, call, on=_wants_cloexec(call))
            descriptor.asked = None
        case "F_DUPFD" | "F_DUPFD_CLOEXEC" as command if call.result is not None:
            copy = install(action, call.result, descriptor.file, cloexec=command == "F_DUPFD_CLOEXEC")
            copy.copy_of = descriptor


def _set_cloexec(descriptor: Descriptor, call: Syscall, *, on: bool) -> None:
    descriptor.cloexec = on
    descriptor.table.change(descriptor.number)
    descriptor.kept = None if on else call


def _wants_cloexec(call: Syscall) -> bool:
    if call.has("FD_CLOEXEC"):
        return True
    number = call.number(2)
    return number is not None and bool(number & 1)


def _set(action: Action, descriptor: Descriptor, call: Syscall) -> None:
    flags = descriptor.file.flags
    action.change = FlagChange(flags.on, flags.complete, flags.access, flags.fetched, flags.changed, descriptor.asked)
    flags.replace(status_flags(call.arg(2)), call)


_FLAG_REQUESTS = {"FIONBIO": "O_NONBLOCK", "FIOASYNC": "O_ASYNC"}
_CLOEXEC_REQUESTS = {"FIOCLEX": True, "FIONCLEX": False}
_FOREGROUND_REQUESTS = frozenset({"TIOCGPGRP", "TIOCSPGRP"})
_MASTER = "/dev/ptmx"
"""A terminal emulator uses it to query the foreground group of a terminal that is not its own."""
_TERMINAL_REQUESTS = frozenset({"TCGETS", "TCGETS2"})


@handles("ioctl")
def ioctl(action: Action, call: Syscall) -> None:
    """Apply FIONBIO, FIOASYNC, FIOCLEX and FIONCLEX, which change flags as fcntl does: fs/ioctl.c."""
    descriptor = subject(action, call)
    if descriptor is None or call.failed:
        return
    requests = names_of(call.arg(1))
    if call.result and not IOCTL_MAKERS.isdisjoint(requests):
        from_ioctl(action, call, requests)
    for request in requests:
        flag = _FLAG_REQUESTS.get(request)
        given = items_of(call.arg(2)) if flag is not None else ()
        on = number_of(given[0]) if given else None
        if flag is not None and on is not None:
            descriptor.file.flags.put(flag, bool(on), call)
        elif request in _CLOEXEC_REQUESTS:
            _set_cloexec(descriptor, call, on=_CLOEXEC_REQUESTS[request])
        elif request in _TERMINAL_REQUESTS:
            descriptor.file.terminal = True
        elif request in _FOREGROUND_REQUESTS and descriptor.file.path != _MASTER:
            _foreground(action.process.terminal, call)


@handles("timerfd_settime", "timerfd_settime64")
def set_timer(action: Action, call: Syscall) -> None:
    """Learn that a descriptor that is older than the trace is a timer: timerfd_create(2)."""
    descriptor = subject(action, call)
    if descriptor is not None and not call.failed and descriptor.file.kind is Kind.UNKNOWN:
        descriptor.file.kind = Kind.TIMERFD


def _foreground(terminal: Terminal, call: Syscall) -> None:
    """Record the foreground process group of the controlling terminal: tcgetpgrp(3)."""
    given = items_of(call.arg(2))
    group = number_of(given[0]) if given else None
    if group is not None:
        terminal.foreground, terminal.shown = group, call
