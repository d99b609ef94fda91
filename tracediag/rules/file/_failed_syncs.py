"""Files whose data the kernel could not write to disk, and what the program did with them afterwards."""

from __future__ import annotations

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.runs import Run
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.process import Process
from tracediag.trace.events import Syscall
from tracediag.trace.values import text_of

FAILED = "failed sync"
"""In the memory of an open file: the first fsync that failed and after which the data was not written again."""


class FailedSync(msgspec.Struct, eq=False):
    """A file whose data the kernel could not write to disk."""

    aftermath: Aftermath
    descriptor: Descriptor | None
    """None for a mapping."""
    written: Syscall | None
    """The last write before the failure."""
    taken: int
    """Bytes written before the failure."""
    run: Run
    """The calls that failed."""
    found: bool = False
    """Whether a finding of fsync-error-ignored reports it."""

    @property
    def call(self) -> Syscall:
        """The first call that failed."""
        return self.aftermath.call

    @property
    def process(self) -> Process:
        """The process whose data it is."""
        return self.aftermath.process


def is_found(file: OpenFile) -> bool:
    """Whether fsync-error-ignored reports a failed fsync of a file, so that no other rule has to."""
    state: FailedSync | None = file.memory.get(FAILED)
    return state is not None and (state.found or keeps_writing(state))


def written_again(state: FailedSync, now: OpenFile | None) -> bool:
    """Whether the data was written again, as far as the last writes before and after the failure show."""
    if now is None or state.descriptor is None or now.written is None:
        return False
    if now is state.descriptor.file and now.taken == state.taken:
        return False
    opened = "" if now.opened is None else now.opened.body
    if now is not state.descriptor.file and ("O_TRUNC" in opened or "O_EXCL" in opened):
        return True
    before, after = (None if call is None else text_of(call.arg(1)) for call in (state.written, now.written))
    # With nothing to compare, a new description that was written to is assumed to hold the data.
    return now is not state.descriptor.file if before is None or after is None else before.data == after.data


def keeps_writing(state: FailedSync) -> bool:
    """Whether the program wrote to the file again, did not report the failure, and did not end badly."""
    file = None if state.descriptor is None else state.descriptor.file
    if file is None or file.taken == state.taken or written_again(state, file):
        return False
    return state.aftermath.ignored
