"""Files of which the data could not be brought to the disk, and what the program did with them after that."""

from __future__ import annotations

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.process import Process
from tracediag.trace.events import Syscall
from tracediag.trace.values import text_of

FAILED = "failed sync"
"""In the memory of an open file: the first fsync that failed and that the program did not make up for."""


class FailedSync(msgspec.Struct, eq=False):
    """A file whose data could not be brought to the disk."""

    aftermath: Aftermath
    descriptor: Descriptor | None
    """None for a mapping."""
    written: Syscall | None
    """The last write before."""
    taken: int
    times: int = 1
    last: int = 0
    told: bool = False
    """Whether a finding speaks of it."""

    @property
    def call(self) -> Syscall:
        """The call that failed."""
        return self.aftermath.call

    @property
    def process(self) -> Process:
        """The process whose data it is."""
        return self.aftermath.process


def tells_of(file: OpenFile) -> bool:
    """Whether a finding of fsync-error-ignored tells of a failed fsync of a file: no other rule need."""
    state: FailedSync | None = file.memory.get(FAILED)
    return state is not None and (state.told or goes_on(state))


def written_again(state: FailedSync, now: OpenFile | None) -> bool:
    """Whether the data had been given once more, as far as the last write before and after shows."""
    if now is None or state.descriptor is None or now.written is None:
        return False
    if now is state.descriptor.file and now.taken == state.taken:
        return False
    opened = "" if now.opened is None else now.opened.body
    if now is not state.descriptor.file and ("O_TRUNC" in opened or "O_EXCL" in opened):
        return True
    before, after = (None if call is None else text_of(call.arg(1)) for call in (state.written, now.written))
    # Where there is nothing to compare with, a new description with data of its own gets the benefit of the doubt.
    return now is not state.descriptor.file if before is None or after is None else before.data == after.data


def goes_on(state: FailedSync) -> bool:
    """Whether the program wrote on to the file, said nothing of the failure, and does not end badly."""
    file = None if state.descriptor is None else state.descriptor.file
    if file is None or file.taken == state.taken or written_again(state, file):
        return False
    return state.aftermath.ignored
