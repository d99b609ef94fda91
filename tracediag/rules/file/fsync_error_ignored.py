"""TD407: fsync fails, and the program keeps using the file or trusts the success of a second fsync."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.complaints import meaning
from tracediag.evidence.paths import path_of, places, same
from tracediag.evidence.runs import Run
from tracediag.evidence.steps import birth, no
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.rules.file._failed_syncs import FAILED, FailedSync, keeps_writing, written_again
from tracediag.trace.calls import FSYNCS, FTRUNCATES, RANGE_SYNCS, RENAMES, UNLINKS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural

_SYNCS = FSYNCS | RANGE_SYNCS | {"msync"}
_KEPT = 16


class FsyncErrorIgnored(Rule):
    """An fsync fails; the program keeps writing, renames the file, or trusts the success of a second fsync."""

    code = "TD407"
    name = "fsync-error-ignored"
    severity = Severity.ERROR
    summary = "fsync fails, and the program continues or trusts the success of a second fsync: the data is lost"

    def __init__(self) -> None:
        self._failed: list[FailedSync] = []

    @on_errno("EIO", "ENOSPC", "EDQUOT")
    def failed(self, action: Action) -> None:
        """Remember the file; of several failures in a row the first one counts."""
        call = action.call
        if call.name not in _SYNCS:
            return
        mapped = call.name == "msync"
        descriptor = action.descriptor
        known = next((state for state in self._failed if _is_on(state, action, descriptor)), None)
        if known is not None:
            known.run.add(call)
            return
        file = None if descriptor is None else descriptor.file
        if (file is None and not mapped) or len(self._failed) >= _KEPT:
            return
        written, taken = (None, 0) if file is None else (file.written, file.taken)
        state = FailedSync(Aftermath(action.process, call), descriptor, written, taken, Run(call, call))
        self._failed.append(state)
        if file is not None:
            file.memory[FAILED] = state

    @on_call(*_SYNCS)
    def synced(self, action: Action) -> Iterator[Finding]:
        """Report a success after the failure: it does not cover the data written before the failure."""
        if not self._failed or action.call.result != 0:
            return
        descriptor = action.descriptor
        for state in [state for state in self._failed if _is_on(state, action, descriptor)]:
            self._failed.remove(state)
            if not written_again(state, None if descriptor is None else descriptor.file):
                state.found = True
                yield self._trusted(state, action.call, descriptor)

    @on_call(*RENAMES)
    def renamed(self, action: Action) -> Iterator[Finding]:
        """Report a rename of the file into place: the program has not checked the result of fsync."""
        if not self._failed or action.call.result != 0:
            return
        source = next(iter(places(action.call, action.process)), "")
        for state in list(self._failed):
            path = None if state.descriptor is None else path_of(state.descriptor.file, state.process)
            if path is not None and action.process is state.process and same(path, source):
                self._failed.remove(state)
                state.found = True
                note = f"the file gets its final name despite the failed {state.call.name}"
                how = "the file is renamed into place anyway"
                yield self._finding(state, [step(action.call, note)], how, _sure(state, state.descriptor))

    @on_call(*UNLINKS, *FTRUNCATES)
    def undone(self, action: Action) -> None:
        """Forget a file that the program removes or truncates: the program has seen the failure."""
        if not self._failed or action.call.result != 0:
            return
        gone = next(iter(places(action.call, action.process)), "")
        for state in [state for state in self._failed if state.descriptor is not None]:
            assert state.descriptor is not None
            file = state.descriptor.file
            held = action.descriptor is not None and action.descriptor.file is file
            if held or same(path_of(file, state.process) or "", gone):
                self._failed.remove(state)
                del file.memory[FAILED]

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge a process that kept writing without another fsync."""
        for state in [state for state in self._failed if state.process is end.process]:
            self._failed.remove(state)
            if state.descriptor is not None and keeps_writing(state):
                written = state.descriptor.file.written
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


def _is_on(state: FailedSync, action: Action, descriptor: Descriptor | None) -> bool:
    """Whether a call syncs what failed before: the same description, another one of that path, or the same mapping."""
    if state.descriptor is None or descriptor is None:
        same_mapping = state.descriptor is descriptor and state.call.number(0) == action.call.number(0)
        return same_mapping and state.process is action.process and action.call.name == "msync"
    if state.descriptor.file is descriptor.file:
        return True
    if state.process is not action.process:
        return False  # another process may have written all the data again
    known, path = path_of(state.descriptor.file, state.process), path_of(descriptor.file, action.process)
    return known is not None and path is not None and same(known, path)


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
