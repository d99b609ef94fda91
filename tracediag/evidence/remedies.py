"""What a failed call means, in words: what failed on what, what is little known about its error, and what helps."""

from __future__ import annotations

import posixpath

import msgspec

from tracediag.evidence.blame import Blame
from tracediag.evidence.complaints import meaning, target
from tracediag.trace.calls import (
    ACCEPTS,
    CONTROLS,
    EPOLL_CTLS,
    FILE_READS,
    FILE_WRITES,
    FSYNCS,
    FTRUNCATES,
    GETDENTS,
    LOCKS,
    MKDIRS,
    MKNODS,
    POSITIONED,
    SEEKS,
    SENDFILES,
    SOCKET_TRANSFERS,
)
from tracediag.trace.events import Syscall
from tracediag.trace.values import text_of

_ON_FD = (
    (FILE_READS | FILE_WRITES | POSITIONED | SOCKET_TRANSFERS | SENDFILES | ACCEPTS | CONTROLS | FSYNCS | FTRUNCATES)
    | (LOCKS | SEEKS | GETDENTS | EPOLL_CTLS)
    | {"listen", "ioctl", "fallocate", "setsockopt", "fchmod", "fchown", "fchown32", "close"}
)
"""Calls about the descriptor in their first argument."""
_NUMBERS = 1 << 20
"""Larger arguments are no descriptor."""
_CREATING = MKDIRS | MKNODS | {"bind"}
"""Calls that create a file without O_CREAT."""


class _Remedy(msgspec.Struct, frozen=True):
    """What to do about an error, with "{it}" for the path or address and "{call}" for the call, and why it comes."""

    fix: str
    why: str


_REMEDIES = {
    "ENOENT": _Remedy(
        "create {it}, or correct the path",
        "ENOENT may concern any part of a path: a directory, the file, or the target of a symbolic link:"
        " path_resolution(7)",
    ),
    "ENOTDIR": _Remedy(
        "correct the path {it}: a component is not a directory",
        "ENOTDIR is about a component before the last one: a file stands where a directory is needed:"
        " path_resolution(7)",
    ),
    "EACCES": _Remedy(
        "give the user of the process permission for {it} and for every directory above it: namei -l shows them",
        "EACCES may come from any directory above a file, since each of them needs search (x) permission:"
        " path_resolution(7)",
    ),
    "EPERM": _Remedy(
        "run the program with the privilege that {call} needs, or leave the call out",
        "EPERM asks for a capability or ownership; a change of the file's mode does not help: capabilities(7)",
    ),
    "EADDRINUSE": _Remedy(
        "stop the process that has {it} (ss -ltnp shows it), or choose another address",
        "without SO_REUSEADDR connections that are still closing hold a port, too: socket(7)",
    ),
    "EADDRNOTAVAIL": _Remedy(
        "use an address of this host instead of {it}",
        "EADDRNOTAVAIL from bind means that no interface has the address, from connect that no local port is free:"
        " bind(2), connect(2)",
    ),
    "ECONNREFUSED": _Remedy(
        "start the server that should listen on {it}, or correct the address",
        "ECONNREFUSED means that the address was reached, and that nothing listens there: connect(2)",
    ),
    "ETIMEDOUT": _Remedy(
        "check that {it} can be reached from this host",
        "ETIMEDOUT means that no answer came at all: the host is down, or a firewall drops the packets: connect(2)",
    ),
    "EISDIR": _Remedy(
        "name a file: {it} is a directory",
        "a directory can be opened, but neither for writing nor with O_CREAT: open(2)",
    ),
    "EEXIST": _Remedy(
        "remove {it}, or make the program accept an existing one",
        "O_EXCL and mkdir refuse any existing name, a dangling symbolic link included: open(2), mkdir(2)",
    ),
    "ENOSPC": _Remedy(
        "free space in the file system of {it}: df -h and df -i",
        "a file system is also full when its inodes are used up, which only df -i shows: df(1)",
    ),
    "EROFS": _Remedy(
        "remount the file system of {it} for writing, or choose another place",
        "the kernel itself may remount a file system read-only after an I/O error (errors=remount-ro): ext4(5)",
    ),
    "EMFILE": _Remedy(
        "close descriptors that are no longer needed, or raise RLIMIT_NOFILE: ulimit -n",
        "EMFILE is the limit of this process, ENFILE that of the system: getrlimit(2)",
    ),
    "ENOMEM": _Remedy(
        "find the limit that stops {call}: memory, RLIMIT_AS, the cgroup",
        "ENOMEM also comes from RLIMIT_DATA and from the number of mappings, with memory to spare: mmap(2)",
    ),
    "EXDEV": _Remedy(
        "copy {it} and remove the original",
        "rename does not work across mount points, even of the same file system: rename(2)",
    ),
    "ETXTBSY": _Remedy(
        "write a new file and rename it over {it}, which is being executed",
        "a program that is being executed cannot be opened for writing, but its name may be replaced: open(2)",
    ),
}
_UNMADE = _Remedy(
    "create the directory for {it}, or correct the path",
    "a call that creates a file creates none of the directories in the path: open(2), mkdir(2)",
)


def object_of(blame: Blame) -> str | None:
    """Return the path or address that the call was made on, with the directory that a relative path starts from."""
    path = target(blame.call if blame.connect is None else blame.connect)
    if path is None or blame.directory is None:
        return path
    return posixpath.join(str(text_of(blame.directory.arg(0)) or ""), path)


def failure_of(blame: Blame) -> str:
    """Return what failed: "openat of /etc/x fails with ENOENT (no such file or directory)"."""
    call, path = blame.call, object_of(blame)
    error = f"fails with {call.errno} ({meaning(call.errno or '')})"
    if call.name == "getsockopt":
        return f"the connection{f' to {path}' if path else ''} {error}"
    if path is not None:
        return f"{call.name} {'to' if call.name == 'connect' else 'of'} {path} {error}"
    number = call.number(0)
    on_fd = number is not None and 0 <= number < _NUMBERS and call.name in _ON_FD
    return f"{call.name}{f' on fd {number}' if on_fd else ''} {error}"


def fix_of(blame: Blame) -> str:
    """Return what removes the cause of the failure."""
    call, known = blame.call, _remedy(blame.call)
    if known is None:
        return f"remove the cause of {call.errno} at line {call.line}, or let the program continue without {call.name}"
    return known.fix.format(it=object_of(blame) or f"what {call.name} names at line {call.line}", call=call.name)


def why_of(blame: Blame) -> str:
    """Return what is little known about the error, with its manual page."""
    call, known = blame.call, _remedy(blame.call)
    return f"what {call.errno} means for {call.name}: {call.name}(2), ERRORS" if known is None else known.why


def _remedy(call: Syscall) -> _Remedy | None:
    if call.errno == "ENOENT" and (call.has("O_CREAT") or call.name in _CREATING):
        return _UNMADE
    return _REMEDIES.get(call.errno or "")
