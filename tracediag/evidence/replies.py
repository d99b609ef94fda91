"""A failure of a server that its client gets to see: a failed call, and the reply with an error status after it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.blame import Blame, placed
from tracediag.evidence.complaints import target
from tracediag.evidence.pieces import pieces_of
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

_REPLY = lazy_pattern(r"HTTP/1\.[01] ([45][0-9]{2}(?: [A-Za-z ]{1,40})?)")
_NEAR = 40
"""Lines between the failure and the reply: the server writes a log and reads what it replies with."""
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
    told: set[tuple[str, str | None, str | None]] = set()
    for refusal in process.refusals:
        reply = refusal.reply
        status = _status(reply)
        failed = next((call for call in refusal.failed if _led_to(call, reply)), None)
        key = None if failed is None else (failed.name, failed.errno, target(failed))
        if status is not None and failed is not None and key is not None and key not in told:
            told.add(key)
            blame = Blame(failed, None, named=False, confidence=Confidence.LIKELY)
            yield Answered(placed(blame, process), reply, status)


def _led_to(failed: Syscall, reply: Syscall) -> bool:
    return failed.errno in _SERIOUS and failed.pid == reply.pid and reply.line - failed.line <= _NEAR


def _status(reply: Syscall) -> str | None:
    """Return the status of a reply, from the first line of its head: "403 Forbidden"."""
    found = _REPLY.match("".join(piece.text for piece in pieces_of(reply)))
    return None if found is None else found[1].rstrip()
