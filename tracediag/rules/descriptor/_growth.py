"""Groups the descriptors left open by origin, where a program has no use for so many of one origin."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from tracediag.kernel.descriptor import PATHS, Descriptor, Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.trace.calls import EPOLL_CREATES, EVENTFDS, INOTIFIES, PIPES, SIGNALFDS, TIMERFDS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.values import names_of

STANDARD_STREAMS = 3
"""Numbers from here on are a program's own."""
_SAME_DEVICE = frozenset({"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"})
"""Opening any other device may create an object of its own each time: /dev/ptmx, /dev/net/tun, /dev/kvm."""
_PER_PROCESS = ("/proc/", "/sys/")
_DIGITS = lazy_pattern(r"\d+")
_FEW, _SOME, _MANY, _VERY_MANY = 3, 8, 16, 32
_FLAGS = frozenset({"SOCK_CLOEXEC", "SOCK_NONBLOCK"})
_OBJECTS = dict.fromkeys(EPOLL_CREATES | INOTIFIES, _MANY) | dict.fromkeys(EVENTFDS | TIMERFDS | SIGNALFDS, _VERY_MANY)


class Group(msgspec.Struct, eq=False):
    """Descriptors of one origin that are all still open."""

    label: str
    """What each of them is."""
    least: int
    """How many of them make a leak."""
    failed: Mapping[Descriptor, Syscall]
    """The last call on a descriptor, of any group, that is known to have failed."""
    left: list[Descriptor] = []
    """In the order of their opening."""

    @property
    def openings(self) -> list[Syscall]:
        """The calls that created them."""
        return [held.opened for held in self.left if held.opened is not None]

    @property
    def plain(self) -> bool:
        """Whether a few are enough to be suspicious; several open connections are normal."""
        return self.least == _FEW or self.left[0].file.kind is Kind.FILE

    @property
    def failures(self) -> list[Syscall]:
        """The last failure on each of them, if a call has failed on every one; otherwise empty."""
        found = [self.failed[held] for held in self.left if held in self.failed]
        return found if len(found) == len(self.left) else []


def groups(process: Process, held: Iterable[Descriptor], failed: Mapping[Descriptor, Syscall]) -> list[Group]:
    """Return the descriptors that a process has opened and not closed, by origin, the largest group first.

    Args:
        process: the process.
        held: what it has open.
        failed: the last call on a descriptor that is known to have failed.
    """
    found: dict[object, Group] = {}
    busy = _in_calls(process)
    for descriptor in held:
        if descriptor.number < STANDARD_STREAMS or descriptor.opened is None or _came_by_fork(descriptor):
            continue
        if descriptor.number in busy:
            continue
        origin = _origin(process, descriptor, descriptor.opened, failed.get(descriptor))
        if origin is not None:
            key, label, least = origin
            found.setdefault(key, Group(label, least, failed)).left.append(descriptor)
    for group in found.values():
        group.left.sort(key=lambda held: 0 if held.opened is None else held.opened.line)
    unused = [group for group in found.values() if not _in_use(process, group)]
    return sorted(unused, key=lambda group: -len(group.left))


def _in_calls(process: Process) -> set[int | None]:
    """Return the numbers that its threads wait on where the trace ends: what a thread reads from is in use."""
    pending = (thread.pending for thread in process.threads)
    return {call.number(0) for call in pending if call is not None}


def _came_by_fork(descriptor: Descriptor) -> bool:
    return descriptor.copy_of is not None and descriptor.copy_of.table is not descriptor.table


def _origin(
    process: Process, descriptor: Descriptor, opened: Syscall, failed: Syscall | None
) -> tuple[object, str, int] | None:
    """Return the key of an origin, its name, and how many make a leak; None for descriptors that may be needed."""
    file = descriptor.file
    if descriptor.copy_of is not None:
        return (file, f"a copy of fd {descriptor.copy_of.number}", _SOME)
    if opened.name in PATHS:
        path = same_thing(file, opened)
        return None if path is None else (path, path, _SOME)
    if file.socket is not None:
        return _of_socket(process, descriptor, failed)
    if file.kind is Kind.PIPE and opened.name in PIPES:
        writes = file.pipe is not None and file.pipe.writing
        least = max(_SOME, 2 * len(process.children))
        return (("pipe", writes), f"the {'write' if writes else 'read'} end of a pipe", least)
    least = _OBJECTS.get(opened.name, 0)
    return (opened.name, f"created by {opened.name}", least) if least else None


def same_thing(file: OpenFile, opened: Syscall) -> str | None:
    """Return the path if it always opens the same object, with `N` for the numbers in /proc and /sys; else None."""
    path = file.path
    if path is None or opened.has("O_TMPFILE"):
        return None
    if not path.startswith("/") and opened.name.startswith("openat") and not opened.has("AT_FDCWD"):
        return None
    path = posixpath.normpath(path)
    if path.startswith("/dev/") and path not in _SAME_DEVICE:
        return None
    return _DIGITS.sub("N", path) if path.startswith(_PER_PROCESS) else path


def _of_socket(process: Process, descriptor: Descriptor, failed: Syscall | None) -> tuple[object, str, int] | None:
    socket = descriptor.file.socket
    if socket is None or socket.accepting:
        return None
    if failed is not None and failed.name == "connect":
        again = socket.connected is not None and socket.connected.line > failed.line
        peer = failed.body.partition(", ")[2]
        return None if again else ((peer, failed.errno), f"a socket with a failed connect ({failed.errno})", _FEW)
    if failed is not None and socket.broken is not None and socket.accepted is not None:
        return (("broken", socket.local), "a broken connection", _SOME)
    if len(process.threads) > 1 or descriptor.waited_for or descriptor.file.registrations:
        return None  # it may be idle but alive
    if socket.accepted is not None:
        return (("accepted", socket.local), f"a connection accepted at {socket.local or 'one listener'}", _SOME)
    if socket.peer is not None:
        return ("peer", socket.peer), f"a connection to {socket.peer}", _SOME
    return _of_one_request(descriptor)


def _of_one_request(descriptor: Descriptor) -> tuple[object, str, int] | None:
    """Return the origin of a socket without a peer, made for an ioctl or a netlink request: its family and type."""
    opened, socket = descriptor.opened, descriptor.file.socket
    if opened is None or opened.name != "socket" or socket is None or socket.listening is not None:
        return None
    netlink = opened.has("AF_NETLINK")
    if not netlink and (socket.local is not None or socket.last_read is not None):
        return None  # it serves, or waits to serve, at an address of its own
    kinds = sorted(name for position in (0, 1) for name in names_of(opened.arg(position)) if name not in _FLAGS)
    return ("socket", *kinds), f"a socket({', '.join(kinds)}) without a peer", _MANY if netlink else _SOME


def _in_use(process: Process, group: Group) -> bool:
    """Whether all of them may be needed: one for each thread, or several connections in use at the same time."""
    if group.least > _FEW and len(group.left) <= len(process.threads) + 1:
        return True
    openings = group.openings
    following = zip(group.left, openings[1:], strict=False)
    return any(held.file.socket is not None and _last_use(held) > after.line for held, after in following)


def _last_use(descriptor: Descriptor) -> int:
    socket = descriptor.file.socket
    uses = () if socket is None else (socket.last_read, socket.last_write)
    return max((call.line for call in uses if call is not None), default=0)


def sibling(process: Process, group: Group) -> Descriptor | None:
    """Return a descriptor that was opened by the same call and closed, where the model still knows one."""
    first = group.openings[0]
    for gone in _closed(process, group):
        opened = gone.opened
        if opened is not None and opened.name in PATHS and opened.body == first.body:
            return gone if isinstance(gone.closed, Syscall) else None
    return None


def _closed(process: Process, group: Group) -> Iterator[Descriptor]:
    for held in group.left:
        if held.before is not None:
            yield held.before
    yield from process.table.last_closed.values()
