"""Which later failure follows from which earlier one, for example EEXIST from a failed unlink of the same path."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tracediag.evidence.paths import places, same
from tracediag.kernel import Action
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.socket import format_address
from tracediag.trace.calls import (
    ACCEPTS,
    CHDIRS,
    CHMODS,
    CHOWNS,
    EPOLL_CREATES,
    EVENTFDS,
    FTRUNCATES,
    LINKS,
    MKDIRS,
    MKNODS,
    OPENS,
    PIPES,
    REMOVES,
    RENAMES,
    SYMLINKS,
    TRUNCATES,
)
from tracediag.trace.events import Syscall
from tracediag.trace.records import Signal
from tracediag.trace.values import names_of, text_of

_DIRECTORIES = MKDIRS | {"mount"}
_MAKES = _DIRECTORIES | LINKS | SYMLINKS | RENAMES | MKNODS | {"bind"}
_RIGHTS = CHMODS | CHOWNS
_LIMITS = frozenset({"setrlimit", "prlimit64"})
_LENGTHS = FTRUNCATES | {"fallocate"}
_FIRSTS = _MAKES | _RIGHTS | _LENGTHS | {"chdir"}
_NUMBERED = ACCEPTS | PIPES | EPOLL_CREATES | EVENTFDS | {"socket", "dup"}
_USES = TRUNCATES | {"execve", "connect"}

NAMES = _FIRSTS | REMOVES | OPENS | _LIMITS | _NUMBERED | _USES | {"setsockopt"}
"""The calls that can be either of the two."""

_REUSE = frozenset({"SO_REUSEADDR", "SO_REUSEPORT"})
_IN_THE_WAY = frozenset({"EEXIST", "EADDRINUSE", "ENOTEMPTY", "EISDIR"})
_UNRELATED = frozenset({"EINTR", "EAGAIN", "ENOSYS", "EFAULT", "EBADF"})
"""Errors that say nothing about the object of the call."""


class How(StrEnum):
    """How an ignored failure makes a later call fail."""

    IN_THE_WAY = "the path that was not removed still exists"
    MISSING = "the path was never created"
    ELSEWHERE = "relative paths still refer to the old directory"
    FORBIDDEN = "the old owner and mode still apply"
    IN_USE = "the address cannot be bound again yet"
    TOO_FEW = "the old limit still applies"
    TOO_SHORT = "the file is shorter than the mapping"


class First(msgspec.Struct, frozen=True):
    """A failed call that may make a later one fail."""

    call: Syscall
    paths: tuple[str, ...]
    file: OpenFile | None = None
    """The description that the call was made on, for calls on descriptors."""


def first(action: Action) -> First | None:
    """Return a failed call that may make a later one fail; None if no later failure can follow from it."""
    call = action.call
    errno = call.errno or ""
    if errno in _UNRELATED or not _may_strike(call, errno):
        return None
    if call.name in _LENGTHS or call.name == "setsockopt":
        held = action.descriptor or action.process.table.get(call.number(0) or 0)
        return None if held is None else First(call, (), held.file)
    paths = paths_of(action, call)
    return First(call, paths) if paths or call.name in _LIMITS else None


def _may_strike(call: Syscall, errno: str) -> bool:
    name = call.name
    if name in OPENS:
        return name == "creat" or call.has("O_CREAT")
    if name in REMOVES:
        return errno not in ("ENOENT", "ENOTDIR") or (name == "rmdir" and errno == "ENOTDIR")
    if name in RENAMES:
        return errno not in ("ENOENT", "EEXIST", "EXDEV")  # a log that does not exist, a copy instead
    if name == "setsockopt":
        return not _REUSE.isdisjoint(names_of(call.arg(2)))
    if name in _LIMITS:
        return call.has("RLIMIT_NOFILE")
    return name in _FIRSTS and not (errno == "EEXIST" and name in _MAKES)


def paths_of(action: Action, call: Syscall) -> tuple[str, ...]:
    """Return the paths of a call, including that of a UNIX socket; "" for a path that the trace cuts short."""
    if call.name in ("bind", "connect"):
        address = format_address(call.arg(1)) if call.has("sun_path") or call.has("AF_UNIX") else None
        return () if address is None or address.startswith("@") else (address,)
    return places(call, action.process)


def follows(before: First, action: Action) -> How | None:
    """Return how a failed call follows from an earlier failure; None if it does not."""
    call, errno = action.call, action.call.errno or ""
    earlier = before.call
    if errno == "EMFILE":
        return How.TOO_FEW if earlier.name in _LIMITS else None
    if before.file is not None:
        held = action.descriptor
        used = errno == "EADDRINUSE" and earlier.name == "setsockopt" and held is not None and held.file is before.file
        return How.IN_USE if used else None
    paths = paths_of(action, call)
    if not paths or not before.paths or (call.name == earlier.name and paths == before.paths):
        return None
    return _by_path(before, call, errno, paths[-1])


def _by_path(before: First, call: Syscall, errno: str, path: str) -> How | None:
    earlier, makes = before.call, makes_something(call)
    if errno in _IN_THE_WAY and makes:
        unmoved = earlier.name in REMOVES or earlier.name in RENAMES
        return How.IN_THE_WAY if unmoved and same(before.paths[0], path) else None
    if errno == "EACCES" and earlier.name in _RIGHTS:
        return How.FORBIDDEN if same(before.paths[0], path) and call.name not in _RIGHTS else None
    if errno != "ENOENT" or not path or call.name in REMOVES or call.name in RENAMES:
        return None
    if earlier.name == "chdir":
        return How.ELSEWHERE if is_relative(call) else None
    if not makes_something(earlier):
        return None
    if same(before.paths[-1], path):
        return How.MISSING if not makes else None
    inside = earlier.name in _DIRECTORIES and _is_inside(path, before.paths[-1])
    return How.MISSING if inside and makes else None  # a file to be read may be missing in a directory that exists


def makes_something(call: Syscall) -> bool:
    """Whether a call creates a name."""
    return call.name in _MAKES or call.name == "creat" or (call.name in OPENS and call.has("O_CREAT"))


def _is_inside(path: str, directory: str) -> bool:
    if directory.startswith("/") or not path.startswith("/"):
        return path.startswith(f"{directory}/")
    return not directory.startswith(".") and f"/{directory}/" in path


def is_relative(call: Syscall) -> bool:
    """Whether the path of a call is relative to the working directory."""
    if call.name.endswith(("at", "at2")) and not call.has("AT_FDCWD"):
        return False
    path = next((text for text in map(text_of, call.args[:2]) if text is not None), None)
    return path is not None and bool(path.data) and not path.data.startswith(b"/")


def undoes(call: Syscall, paths: tuple[str, ...], before: First) -> bool:
    """Whether a call that succeeds does what an earlier one failed to do."""
    if not before.paths or not paths:
        return False
    if call.name in CHDIRS:
        return before.call.name == "chdir" or not all(path.startswith(("/", "<")) for path in before.paths)
    removed = (call.name in REMOVES or call.name in RENAMES) and same(paths[0], before.paths[0])
    return removed or (makes_something(call) and same(paths[-1], before.paths[-1]))


def tolerable(how: How, later: Syscall | Signal) -> bool:
    """Whether programs often continue rightly after the later call, so that only its consequences count."""
    if how is How.IN_USE or how is How.TOO_SHORT or isinstance(later, Signal):
        return False
    return how is not How.IN_THE_WAY or later.name != "bind"
