"""A failure of a server that its client gets to see: a failed call, and the reply with an error status after it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.blame import Blame, failed_calls, placed
from tracediag.evidence.complaints import target
from tracediag.evidence.pieces import pieces_of
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

_HTTP = "HTTP/1."
_REPLY = lazy_pattern(r"HTTP/1\.[01] ([45][0-9]{2}(?: [A-Za-z ]{1,40})?)")
_NEAR = 40
"""Lines between the failure and the reply: the server writes a log and reads what it replies with."""
_MOST = 64
"""Connections of a process of which the last reply is looked at."""
_SERIOUS = frozenset(
    {"EACCES", "EPERM", "EMFILE", "ENFILE", "ENOSPC", "EDQUOT", "EROFS", "EIO", "ENOMEM", "ESTALE", "ELOOP"}
    | {"ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "EADDRNOTAVAIL"}
)
"""Errors that are a fault on the side of the server; a file that is not there (ENOENT) is an answer."""


class Answered(msgspec.Struct, frozen=True):
    """A failure and the reply that it led to."""

    blame: Blame
    reply: Syscall
    status: str
    """As in the reply: "403 Forbidden"."""


def answered(process: Process) -> Iterator[Answered]:
    """Yield the failures of a process that a client got as an error, each call and object once."""
    replies = list(_replies(process))  # fewer processes reply than have failures
    if not replies:
        return
    failures = [call for call in failed_calls(process) if call.errno in _SERIOUS]
    told: set[tuple[str, str | None, str | None]] = set()
    for reply, status in replies:
        before = [call for call in failures if 0 < reply.line - call.line <= _NEAR and call.pid == reply.pid]
        key = (before[-1].name, before[-1].errno, target(before[-1])) if before else None
        if key is not None and key not in told:
            told.add(key)
            blame = Blame(before[-1], None, named=False, confidence=Confidence.LIKELY)
            yield Answered(placed(blame, process), reply, status)


def _replies(process: Process) -> Iterator[tuple[Syscall, str]]:
    """Yield the last replies with an error status on the connections of a process."""
    held = [*process.table.open.values(), *process.table.last_closed.values()][-_MOST:]
    for descriptor in held:
        write = None if descriptor.file.socket is None else descriptor.file.socket.reply
        if write is None or _HTTP not in write.body:
            continue
        found = _REPLY.match("".join(piece.text for piece in pieces_of(write)))
        if found is not None:
            yield write, found[1].rstrip()
