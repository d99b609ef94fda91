"""Files whose data the kernel could not write to disk, and what the program did with them afterwards."""

from __future__ import annotations

import msgspec

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.cases import Cases
from tracediag.evidence.paths import path_of, places, same
from tracediag.evidence.runs import Run
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.process import Process
from tracediag.trace.calls import FSYNCS, RANGE_SYNCS
from tracediag.trace.events import Syscall
from tracediag.trace.values import text_of

SYNCS = FSYNCS | RANGE_SYNCS | {"msync"}
"""Calls that write the data of a file to disk."""
_KEPT = 16


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


class FailedSyncs:
    """The files whose data could not be written to disk, until the program syncs, renames or removes them.

    A rule that follows them passes on each call that fails or syncs, renames, removes or truncates a file.
    """

    def __init__(self) -> None:
        self._open: list[FailedSync] = []
        self._by_file: Cases[OpenFile, FailedSync] = Cases(outlive=True)
        """The latest of each description, also those that are over."""

    def fail(self, action: Action) -> None:
        """Remember a file; of several failures in a row the first one counts."""
        call, descriptor = action.call, action.descriptor
        if call.name not in SYNCS:
            return
        known = next((state for state in self._open if _is_on(state, action)), None)
        if known is not None:
            known.run.add(call)
            return
        file = None if descriptor is None else descriptor.file
        if (file is None and call.name != "msync") or len(self._open) >= _KEPT:
            return
        written, taken = (None, 0) if file is None else (file.written, file.taken)
        state = FailedSync(Aftermath(action.process, call), descriptor, written, taken, Run(call, call))
        self._open.append(state)
        if file is not None:
            self._by_file[file] = state

    def sync(self, action: Action) -> list[FailedSync]:
        """Return those that a success may hide: it does not cover the data written before the failure."""
        if not self._open or action.call.result != 0:
            return []
        over = [state for state in self._open if _is_on(state, action)]
        now = None if action.descriptor is None else action.descriptor.file
        return self._found(over, [state for state in over if not written_again(state, now)])

    def rename(self, action: Action) -> list[FailedSync]:
        """Return those that are renamed into place: the program has not checked the result of fsync."""
        if not self._open or action.call.result != 0:
            return []
        source = next(iter(places(action.call, action.process)), "")
        mine = [
            state for state in self._open if state.process.current is action.process and state.descriptor is not None
        ]
        over = [state for state in mine if _is_named(state, source)]
        return self._found(over, over)

    def undo(self, action: Action) -> None:
        """Forget a file that the program removes or truncates: the program has seen the failure."""
        if not self._open or action.call.result != 0:
            return
        gone = next(iter(places(action.call, action.process)), "")
        for state in [state for state in self._open if state.descriptor is not None]:
            assert state.descriptor is not None
            file = state.descriptor.file
            held = action.descriptor is not None and action.descriptor.file is file
            if held or same(path_of(file, state.process) or "", gone):
                self._open.remove(state)
                self._by_file.pop(file)

    def end(self, process: Process) -> list[FailedSync]:
        """Return those of a process that kept writing without another fsync."""
        if not self._open:
            return []
        over = [state for state in self._open if state.process.current is process]
        return self._found(over, [state for state in over if keeps_writing(state)])

    def is_found(self, file: OpenFile) -> bool:
        """Whether fsync-error-ignored reports a failed fsync of a file, so that no other rule has to."""
        state = self._by_file.get(file)
        return state is not None and (state.found or keeps_writing(state))

    def _found(self, over: list[FailedSync], found: list[FailedSync]) -> list[FailedSync]:
        self._open = [state for state in self._open if state not in over]
        for state in found:
            state.found = True
        return found


def written_again(state: FailedSync, now: OpenFile | None, *, withheld: bool = True) -> bool:
    """Whether the data was written again, as far as the last writes before and after the failure show.

    Args:
        state: the failure.
        now: the file that was written to after the failure.
        withheld: the answer if strace shows no text of the two writes (`-s 0`).
    """
    if now is None or state.descriptor is None or now.written is None:
        return False
    if now is state.descriptor.file and now.taken == state.taken:
        return False
    opened = "" if now.opened is None else now.opened.body
    if now is not state.descriptor.file and ("O_TRUNC" in opened or "O_EXCL" in opened):
        return True
    before, after = (None if call is None else text_of(call.arg(1)) for call in (state.written, now.written))
    # With nothing to compare, a new description that was written to is assumed to hold the data.
    if before is None or after is None:
        return now is not state.descriptor.file
    return before.data == after.data and (withheld or not before.shortened or bool(before.data))


def keeps_writing(state: FailedSync) -> bool:
    """Whether the program wrote to the file again, did not report the failure, and did not end badly."""
    file = None if state.descriptor is None else state.descriptor.file
    if file is None or file.taken == state.taken or written_again(state, file, withheld=False):
        return False
    return state.aftermath.ignored


def _is_on(state: FailedSync, action: Action) -> bool:
    """Whether a call syncs what failed before: the same description, another one of that path, or the same mapping."""
    descriptor = action.descriptor
    if state.descriptor is None or descriptor is None:
        same_mapping = state.descriptor is descriptor and state.call.number(0) == action.call.number(0)
        return same_mapping and state.process.current is action.process and action.call.name == "msync"
    if state.descriptor.file is descriptor.file:
        return True
    if state.process.current is not action.process:
        return False  # another process may have written all the data again
    known, path = path_of(state.descriptor.file, state.process), path_of(descriptor.file, action.process)
    return known is not None and path is not None and same(known, path)


def _is_named(state: FailedSync, path: str) -> bool:
    known = None if state.descriptor is None else path_of(state.descriptor.file, state.process)
    return known is not None and same(known, path)
