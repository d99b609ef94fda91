"""TD407: fsync fails, and the program keeps using the file or trusts the success of a second fsync."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.complaints import meaning
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.rules.file._failed_syncs import SYNCS, FailedSync, FailedSyncs
from tracediag.trace.calls import FTRUNCATES, RENAMES, UNLINKS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural


class FsyncErrorIgnored(Rule):
    """An fsync fails; the program keeps writing, renames the file, or trusts the success of a second fsync."""

    code = "TD407"
    name = "fsync-error-ignored"
    severity = Severity.ERROR
    summary = "fsync fails, and the program continues or trusts the success of a second fsync: the data is lost"
    rests_on_successes = True

    def __init__(self) -> None:
        self._syncs = FailedSyncs()

    @on_errno("EIO", "ENOSPC", "EDQUOT")
    def failed(self, action: Action) -> None:
        """Remember a file whose data could not be written to disk."""
        self._syncs.fail(action)

    @on_call(*SYNCS)
    def synced(self, action: Action) -> Iterator[Finding]:
        """Report a success after the failure: it does not cover the data written before the failure."""
        for state in self._syncs.sync(action):
            yield self._trusted(state, action.call, action.descriptor)

    @on_call(*RENAMES)
    def renamed(self, action: Action) -> Iterator[Finding]:
        """Report a rename of the file into place: the program has not checked the result of fsync."""
        for state in self._syncs.rename(action):
            note = f"the file gets its final name despite the failed {state.call.name}"
            how = "the file is renamed into place anyway"
            yield self._finding(state, [step(action.call, note)], how, _sure(state, state.descriptor))

    @on_call(*UNLINKS, *FTRUNCATES)
    def undone(self, action: Action) -> None:
        """Forget a file that the program removes or truncates: the program has seen the failure."""
        self._syncs.undo(action)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge a process that kept writing without another fsync."""
        for state in self._syncs.end(end.process):
            written = None if state.descriptor is None else state.descriptor.file.written
            assert written is not None
            note = "the program keeps writing as if no data were lost"
            yield self._finding(state, [step(written, note)], "the program keeps writing to the file")

    def _trusted(self, state: FailedSync, again: Syscall, now: Descriptor | None) -> Finding:
        note = f"{again.name} succeeds: the failed pages are marked clean and are not written again"
        how = f"the program trusts a second {again.name} that succeeds"
        return self._finding(state, [step(again, note)], how, _sure(state, now))

    def _finding(
        self, state: FailedSync, after: list[Step], how: str, confidence: Confidence = Confidence.LIKELY
    ) -> Finding:
        call = state.call
        what = "the mapping" if state.descriptor is None else name(state.descriptor)
        return self.finding(
            [*_story(state), *after],
            object="the mapping" if state.descriptor is None else describe(state.descriptor),
            title=f"{call.name} on {what} fails ({meaning(call.errno or '')}), and {how}",
            confidence=confidence,
            absent=[no("second write of the lost data", call, after[-1].line)],
            why="the kernel reports a write-back error once and marks the page clean, so the next fsync succeeds"
            " without writing the lost data: fsync(2), Documentation/filesystems/vfs.rst",
            fix=f"treat a failed {call.name} as the loss of all data written since the last successful one: stop, or"
            " write that data again, from memory or a log, to a new file; do not just repeat the call",
            explains=[("write-error-ignored", call.line), ("failed-call-behind-exit", call.line)],
        )


def _sure(state: FailedSync, now: Descriptor | None) -> Confidence:
    """Return how sure it is that the data was not written again; positioned writes are not followed."""
    if state.descriptor is None or now is None or now.file is not state.descriptor.file:
        return Confidence.LIKELY
    return Confidence.CERTAIN if state.written is not None and now.file.taken == state.taken else Confidence.LIKELY


def _story(state: FailedSync) -> Iterator[Step]:
    if state.descriptor is not None:
        yield from birth(state.descriptor)
    if state.written is not None:
        yield step(state.written, f"the last of {plural(state.taken, 'byte')} written before the failure")
    where = "the mapping" if state.descriptor is None else f"fd {state.descriptor.number}"
    note = f"{state.call.name} fails with {state.call.errno}: some of the data written to {where} is not on disk"
    yield state.run.together(note, primary=True)
