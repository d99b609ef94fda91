"""TD411: a negative length, passed to a call whose length is unsigned."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import meaning
from tracediag.evidence.steps import birth
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_errno
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
_COUNTS = READS | POSITIONED_READS | READLINKS | GETDENTS | SEEKS | {"getrandom"}
"""Calls whose result is likely to be the length of a later call."""

_MARKS = (", -", "=-", "42949", "1844674407", "0xffff")
"""A negative length contains one of these: most failed calls need not be parsed."""
_WORD, _LONG = 1 << 32, 1 << 64
_NEAR = 1 << 16
_SOON = 8
_KEPT = 16


class NegativeLength(Rule):
    """A read, write, mmap or similar call gets a length near 2^64 or 2^32, and fails."""

    code = "TD411"
    name = "negative-length"
    severity = Severity.ERROR
    summary = "a negative length is passed to a call, which takes it as a huge unsigned one"

    def __init__(self) -> None:
        self._told: Cases[Process, set[tuple[str, int]]] = Cases()

    @on_errno("EFAULT", "EINVAL", "ENOMEM", "EMSGSIZE", "ENOBUFS", "E2BIG")
    def failed(self, action: Action) -> Iterator[Finding] | None:
        """Check the length of a call that fails with an error that a negative length causes."""
        body = action.call.body
        for mark in _MARKS:
            if mark in body:
                return self._checked(action)
        return None

    def _checked(self, action: Action) -> Iterator[Finding]:
        call = action.call
        length = _length(call)
        below = None if length is None else _below(call, length)
        if length is None or below is None:
            return
        told = self._told.setdefault(action.process, set())
        if (call.name, length) in told or len(told) >= _KEPT:
            return
        told.add((call.name, length))
        yield self._finding(action, length, below, _cause(action, below))

    def _finding(self, action: Action, length: int, below: int, cause: Syscall | None) -> Finding:
        call, descriptor = action.call, action.descriptor or action.process.table.get(action.call.number("fd") or -1)
        place = "" if descriptor is None else f" on {name(descriptor)}"
        origin = "" if cause is None else f", the result of a failed {cause.name}"
        return self.finding(
            _story(descriptor, cause, call, length, below),
            object=call.name if descriptor is None else describe(descriptor),
            title=f"{call.name}{place} is called with a length of {below:,}{origin}",
            confidence=Confidence.CERTAIN if length < 0 or length > _WORD else Confidence.LIKELY,
            why="a negative number passed as size_t becomes a huge one: the call fails, or moves data far beyond the"
            " end of the buffer if the memory there is mapped: read(2), write(2), size_t(3type)",
            fix=_fix(call, cause, below),
            explains=[("failed-call-behind-exit", call.line), ("failing-call-spin", call.line)],
        )


def _length(call: Syscall) -> int | None:
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


def _below(call: Syscall, length: int) -> int | None:
    """Return the negative number that an unsigned length was made from; None if the length is plausible."""
    if length < 0:
        return length
    if _LONG // 2 <= length < _LONG:
        return length - _LONG
    if call.name not in _RANGES and _WORD - _NEAR <= length < _WORD:
        return length - _WORD
    return None


def _cause(action: Action, below: int) -> Syscall | None:
    """Return the failed call whose -1, or negative error number, was passed as the length."""
    call = action.call
    for failure in reversed(action.process.failures):
        if failure is call or failure.pid != call.pid:
            continue
        if call.line - failure.line > _SOON:
            break
        if failure.name in _COUNTS and below in (-1, -_number(failure.errno or "")):
            length = _length(failure)
            return failure if length is None or _below(failure, length) is None else None
    return None


def _number(errno: str) -> int:
    found = find_errno(errno)
    return 0 if found is None else found.number


def _named(below: int) -> str:
    """Return the error whose negative number the length is: raw system calls and io_uring report failures so."""
    names = (error.name for error in all_errors() if error.number == -below and below < -1)
    name = next(names, None)
    return "" if name is None else f" ({below} is also -{name})"


def _fix(call: Syscall, cause: Syscall | None, below: int) -> str:
    if cause is not None:
        return f"check the result of {cause.name} at line {cause.line}: call {call.name} only if it is greater than 0"
    if below == -1:
        return f"find the failed call whose result -1 is passed to {call.name} as the length, and check that result"
    return (
        f"check the length before {call.name}: a subtraction went below zero, or a negative result was not"
        f" checked{_named(below)}"
    )


def _story(
    descriptor: Descriptor | None, cause: Syscall | None, call: Syscall, length: int, below: int
) -> Iterator[Step]:
    if descriptor is not None:
        yield from birth(descriptor)
    if cause is not None:
        yield step(cause, f"{cause.name} fails with {cause.errno} and returns {below:,}")
    huge = f"the length is {below:,}" if length < 0 else f"the length is {below:,}, as unsigned {length:,}"
    yield step(call, f"{huge}: {call.name} fails ({meaning(call.errno or '')})", primary=True)
