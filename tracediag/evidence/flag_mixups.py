"""Which flags of fcntl(2) are confused: those of the descriptor and the status flags of the open file."""

from __future__ import annotations

from tracediag.kernel import Action
from tracediag.kernel.calls.control import command_of, status_flags
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.flags import ACCESS_MODES, canonical
from tracediag.trace.events import Syscall
from tracediag.trace.values import Flags, Value, bare, names_of, number_of

_O_NONBLOCK = 0o4000
_STATUS_BITS = 0o7777776
"""Every bit of the status flags except the one that FD_CLOEXEC has among the descriptor flags."""


CONFUSIONS = frozenset({"getfd", "cloexec", "nonblock", "getfl"})
"""F_SETFL is passed what F_GETFD returned, or FD_CLOEXEC; F_SETFD is passed O_NONBLOCK, or what F_GETFL returned."""

_SOUND = (", F_GETFL", ", F_SETFD, FD_CLOEXEC")
"""Ends of calls that cannot be wrong."""


def confusion(action: Action) -> str | None:
    """Return which mistake an fcntl makes, one of `CONFUSIONS`; None if it makes none, or fails."""
    call, descriptor = action.call, action.descriptor
    if descriptor is None or call.failed or call.body.endswith(_SOUND):
        return None
    command = command_of(call)
    if command == "F_SETFD":
        return _in_descriptor_flags(call.arg(2))
    if command != "F_SETFL" or action.change is None:
        return None
    return _in_status_flags(descriptor, passed(call), action.change.mistaken)


def passed(call: Syscall) -> frozenset[str]:
    """Return the status flags that an F_SETFL is passed, the access mode among them."""
    return canonical(status_flags(call.arg(2)))


def is_fetched(descriptor: Descriptor, call: Syscall) -> bool:
    """Whether the flags come from an F_GETFL: they contain the access mode, which no source code states."""
    mode = next(iter(passed(call) & ACCESS_MODES), "O_RDONLY")
    return mode != "O_RDONLY" and access_mode(descriptor) in (mode, None)


def sets(call: Syscall, flags: frozenset[str]) -> bool:
    """Whether the arguments of a call turn on one of the flags."""
    names = canonical(name for arg in call.args for name in names_of(arg))
    return bool(names & flags) or bool(names & {"FIONBIO", "FIOASYNC"})


def _in_descriptor_flags(value: Value | None) -> str | None:
    found = bare(value)
    bits = found.rest if isinstance(found, Flags) else number_of(found) or 0
    if bits & _O_NONBLOCK or names_of(found) & {"O_NONBLOCK", "O_NDELAY"}:
        return "nonblock"
    return "getfl" if bits & _STATUS_BITS and not bits & ~(_STATUS_BITS | 1) else None


def _in_status_flags(descriptor: Descriptor, given: frozenset[str], fetched: Syscall | None) -> str | None:
    access = access_mode(descriptor)
    mode = next(iter(given & ACCESS_MODES), None)
    if mode == access or (access is None and not is_telling(given, fetched)):
        return None
    if fetched is not None and mode == ("O_WRONLY" if fetched.result else "O_RDONLY"):
        return "getfd"
    return "cloexec" if mode == "O_WRONLY" or "O_ACCMODE" in given else None


def is_telling(given: frozenset[str], fetched: Syscall | None) -> bool:
    """Whether the flags of an F_SETFL look like descriptor flags, where the access mode of the descriptor is not shown.

    FD_CLOEXEC has the value of O_WRONLY: alone, or directly after an F_GETFD that returned it, it is hardly a mode.
    """
    return "O_WRONLY" in given and (len(given) == 1 if fetched is None else bool(fetched.result))


def access_mode(descriptor: Descriptor) -> str | None:
    """Return the access mode of a descriptor, or None where it is not known; a socket has O_RDWR."""
    return descriptor.file.flags.access or (None if descriptor.file.socket is None else "O_RDWR")
