"""Negative lengths, passed to calls whose lengths are unsigned: which call has which, and where it comes from."""

from __future__ import annotations

from tracediag.kernel.process import Process
from tracediag.trace.calls import (
    FTRUNCATES,
    GETDENTS,
    MQ_SENDS,
    POSITIONED_READS,
    READLINKS,
    READS,
    SEEKS,
    TRUNCATES,
    VECTORS,
)
from tracediag.trace.errnos import all_errors, find_errno
from tracediag.trace.events import Syscall
from tracediag.trace.values import Array, Structure, Value, bare, number_of

_BUFFERS = {
    **dict.fromkeys(("read", "write", "pread", "pread64", "pwrite", "pwrite64", "getdents", "getdents64"), "count"),
    **dict.fromkeys(("send", "sendto", "recv", "recvfrom"), "len"),
    **dict.fromkeys(("getxattr", "fgetxattr", "lgetxattr", "setxattr", "fsetxattr", "lsetxattr"), "size"),
    **dict.fromkeys(("bind", "connect"), "addrlen"),
    **dict.fromkeys(("readlink", "readlinkat"), "bufsiz"),
    "getrandom": "buflen",
    "setsockopt": "optlen",
    "msgsnd": "msgsz",
    **dict.fromkeys(MQ_SENDS, "msg_len"),
    "mmap2": "length",
}
"""Calls with the length of a buffer in memory: one just below 4 GiB is never intended."""

_RANGES = {
    **dict.fromkeys(("mmap", "munmap", "msync", "madvise", "mincore", *TRUNCATES, *FTRUNCATES), "length"),
    **dict.fromkeys(("mprotect", "mlock", "fallocate", "fadvise64", "splice", "tee", "copy_file_range"), "len"),
    "mremap": "new_size",
    "sendfile": "count",
    "sendfile64": "count",
    "readahead": "count",
    "sync_file_range": "nbytes",
}
"""Calls with the length of a mapping or of a part of a file: 4 GiB may be intended."""

_VECTORS = VECTORS | {"sendmsg", "recvmsg"}
LENGTHS = frozenset(_BUFFERS) | frozenset(_RANGES) | _VECTORS
"""The calls whose lengths are known."""
_COUNTS = READS | POSITIONED_READS | READLINKS | GETDENTS | SEEKS | {"getrandom"}
"""Calls whose result is likely to be the length of a later call."""

MARKS = (", -", "=-", "42949", "1844674407", "0xffff")
"""A negative length contains one of these: most failed calls need not be parsed."""
_WORD, _LONG = 1 << 32, 1 << 64
_NEAR = 1 << 16
_SOON = 8


def length_of(call: Syscall) -> int | None:
    """Return the length passed to a call, the greatest of several; None if the call has none."""
    name = _BUFFERS.get(call.name) or _RANGES.get(call.name)
    if name is not None:
        return number_of(call.arg(name))
    if call.name not in _VECTORS:
        return None
    value = bare(call.arg(1))
    vector = bare(value.get("msg_iov")) if isinstance(value, Structure) else value
    lengths = [_piece(item) for item in vector.items] if isinstance(vector, Array) else []
    return max((length for length in lengths if length is not None), default=None)


def _piece(item: Value) -> int | None:
    if not isinstance(item, Structure) or len(item.fields) < 2:
        return None
    return number_of(item.get("iov_len") or item.fields[1][1])


def negative_length(call: Syscall) -> int | None:
    """Return the negative number that the length of a call was made from; None if its length is plausible."""
    if not any(mark in call.body for mark in MARKS):
        return None
    length = length_of(call)
    if length is None or length < 0:
        return length
    if _LONG // 2 <= length < _LONG:
        return length - _LONG
    if call.name not in _RANGES and _WORD - _NEAR <= length < _WORD:
        return length - _WORD
    return None


def cause(call: Syscall, process: Process, negative: int) -> Syscall | None:
    """Return the failed call of a process whose -1, or negative error number, was passed as the length."""
    for failure in reversed(process.failures):
        if failure is call or failure.pid != call.pid:
            continue
        if call.line - failure.line > _SOON:
            break
        if failure.name in _COUNTS and negative in (-1, -_number(failure.errno or "")):
            return failure if negative_length(failure) is None else None
    return None


def _number(errno: str) -> int:
    found = find_errno(errno)
    return 0 if found is None else found.number


def error_of(negative: int) -> str | None:
    """Return the error whose negative number a length is: raw system calls and io_uring report failures so."""
    return next((error.name for error in all_errors() if error.number == -negative and negative < -1), None)
