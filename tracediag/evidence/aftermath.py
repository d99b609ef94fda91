"""A failed call, and what the process did about it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.complaints import Complaint, report_step, said_by
from tracediag.evidence.exits import end_step, failed_end
from tracediag.kernel.process import Process
from tracediag.results.findings import Severity, Step
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit, Message


class Aftermath(msgspec.Struct, eq=False):
    """How a program answered a failure, as far as known: reported, retried, undone, exited, or ignored.

    The messages and the end of the process are read from the model, so it is complete when the process has ended. The
    model forgets its messages with the next event.
    """

    process: Process
    call: Syscall
    """The call that failed."""
    retried: Syscall | None = None
    """The retry of the call, if the rule looks for one."""
    undone: Syscall | None = None
    """The call with which the program undid what the failure left incomplete, where the rule follows that."""
    noticed: Syscall | None = None
    """The write to a file, socket or fd 2 that reported it, where the rule saw it."""

    @property
    def settled(self) -> bool:
        """Whether a rule has already seen the program answer the failure."""
        return self.retried is not None or self.undone is not None or self.noticed is not None

    @property
    def complaint(self) -> Complaint:
        """All messages of the program on fd 2 after the failure."""
        return said_by(self.process, self.call.line)

    @property
    def reported(self) -> Message | None:
        """The write that reported it: one that names the error."""
        return self.noticed or self.complaint.names_error(self.call.errno or "")

    @property
    def answered(self) -> bool:
        """Whether the program is known to have seen it: it reported the error, retried, or undid its work."""
        return self.settled or self.reported is not None

    @property
    def ignored(self) -> bool:
        """Whether nothing shows that the program noticed the failure: no answer and no bad end.

        A message of which strace shows no text may be the answer.
        """
        return not self.process.ended_badly and not self.answered and self.complaint.withheld is None

    @property
    def mattered(self) -> bool:
        """Whether the process ended badly or wrote any message after the failure."""
        return self.process.ended_badly or bool(self.complaint)

    @property
    def severity(self) -> Severity:
        """An error if the failure mattered, else a warning."""
        return Severity.ERROR if self.mattered else Severity.WARNING

    def ended_within(self, lines: int) -> bool:
        """Whether the process ended badly at most so many lines after the failure, most likely because of it."""
        end = self.process.exit
        return end is not None and self.process.ended_badly and end.line - self.call.line <= lines

    @property
    def proof(self) -> Message | Exit | None:
        """The event that shows that the failure mattered: the report of its error, else the bad exit of the process."""
        return self.reported or failed_end(self.process)

    def proof_steps(self) -> Iterator[Step]:
        """Yield the step of the proof, if any."""
        found = self.proof
        if isinstance(found, Exit):
            yield end_step(found)
        elif found is not None:
            yield report_step(found)

    def message_steps(self) -> Iterator[Step]:
        """Yield the step of the report, or else of the first message after the failure."""
        said = self.complaint
        named = said.names_error(self.call.errno or "")
        write = named or said.first
        if write is not None:
            yield report_step(write, named=named is not None)

    def steps(self) -> Iterator[Step]:
        """Yield the steps of the message after the failure and of a bad end."""
        yield from self.message_steps()
        if self.process.exit is not None and self.process.ended_badly:
            yield end_step(self.process.exit)
