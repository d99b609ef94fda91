"""What was known when a program printed the words: the write, the failures before it, the children that had ended."""

from __future__ import annotations

import msgspec

from tracediag.evidence.blame import Blame
from tracediag.evidence.complaints import Complaint
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process, Reaped
from tracediag.overviews.why.words import Match
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Message, Remark


class Found(msgspec.Struct, eq=False):
    """The write that completed the words, and what was known then."""

    match: Match
    process: Process
    descriptor: Descriptor | None
    failures: list[Syscall]
    said: list[Message]
    reaped: Reaped | None
    read: tuple[Syscall, str] | None
    """The call that read the words before, and what from."""


class Ended(msgspec.Struct, frozen=True):
    """A child that ended badly, and the failed call behind that."""

    end: Exit
    program: str | None
    blame: Blame | None


def ends_line(write: Message) -> bool:
    """Whether a message is complete with a write."""
    return isinstance(write, Remark) or Complaint((write,)).text.endswith("\n")
