"""TD407: fsync has failed, and the program goes on with the file, or asks again and believes the answer."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.complaints import meaning
from tracediag.evidence.paths import path_of, places, same
from tracediag.evidence.steps import birth, no, repeated
from tracediag.kernel import Action
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.rules.file._failed_syncs import FAILED, FailedSync, goes_on, written_again
from tracediag.trace.calls import FSYNCS, FTRUNCATES, RANGE_SYNCS, RENAMES, UNLINKS
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural

_SYNCS = FSYNCS | RANGE_SYNCS | {"msync"}
_KEPT = 16


class FsyncErrorIgnored(Rule):
    """An fsync fails; the program writes on, renames the file, or takes a second fsync's success for the truth."""

    code = "TD407"
    name = "fsync-error-ignored"
    severity = Severity.ERROR
    summary = "fsync fails, and the program goes on, or asks again and believes the answer: the data is gone"

    def __init__(self) -> None:
        self._failed: list[FailedSync] = []

    @on_errno("EIO", "ENOSPC", "EDQUOT")
    def failed(self, action: Action) -> None:
        """Remember the file; of several failures one after the other the first one counts."""
        call = action.call
        if call.name not in _SYNCS:
            return
        mapped = call.name == "msync"
        descriptor = action.descriptor
        known = next((state for state in self._failed if _is_on(state, action, descriptor)), None)
        if known is not None:
            known.times, known.last = known.times + 1, call.line
            return
        file = None if descriptor is None else descriptor.file
        if (file is None and not mapped) or len(self._failed) >= _KEPT:
            return
        written, taken = (None, 0) if file is None else (file.written, file.taken)
        state = FailedSync(Aftermath(action.process, call), descriptor, written, taken, last=call.line)
        self._failed.append(state)
        if file is not None:
            file.memory[FAILED] = state

    @on_call(*_SYNCS)
    def synced(self, action: Action) -> Iterator[Finding]:
        """A success after the failure says nothing of the data that was in memory before."""
        if not self._failed or action.call.result != 0:
            return
        descriptor = action.descriptor
        for state in [state for state in self._failed if _is_on(state, action, descriptor)]:
            self._failed.remove(state)
            if not written_again(state, None if descriptor is None else descriptor.file):
                state.told = True
                yield self._believed(state, action.call, descriptor)

    @on_call(*RENAMES)
    def renamed(self, action: Action) -> Iterator[Finding]:
        """Whoever puts the file into its place after that has not looked at the result."""
        if not self._failed or action.call.result != 0:
            return
        source = next(iter(places(action.call, action.process)), "")
        for state in list(self._failed):
            path = None if state.descriptor is None else path_of(state.descriptor.file, state.process)
            if path is not None and action.process is state.process and same(path, source):
                self._failed.remove(state)
                state.told = True
                note = "the file takes another's place all the same"
                how = "the file is put into place all the same"
                yield self._finding(state, [step(action.call, note)], how, _sure(state, state.descriptor))

    @on_call(*UNLINKS, *FTRUNCATES)
    def undone(self, action: Action) -> None:
        """Whoever removes or cuts the file has seen that it is not whole."""
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
        """Judge a process that wrote on without a further fsync."""
        for state in [state for state in self._failed if state.process is end.process]:
            self._failed.remove(state)
            if state.descriptor is not None and goes_on(state):
                written = state.descriptor.file.written
                assert written is not None
                note = "the program writes on to it as if nothing were lost"
                yield self._finding(state, [step(written, note)], "the program writes on to the file")

    def _believed(self, state: FailedSync, again: Syscall, now: Descriptor | None) -> Finding:
        note = f"{again.name} succeeds: the pages that could not be written count as clean, and are not tried again"
        how = f"a second {again.name} succeeds and is believed"
        return self._finding(state, [step(again, note)], how, _sure(state, now))

    def _finding(
        self, state: FailedSync, after: list[Step], how: str, confidence: Confidence = Confidence.LIKELY
    ) -> Finding:
        call = state.call
        what = "the mapping" if state.descriptor is None else f"fd {state.descriptor.number}"
        return self.finding(
            [*_story(state, what), *after],
            object="the mapping" if state.descriptor is None else describe(state.descriptor),
            title=f"{call.name} on {what} fails ({meaning(call.errno or '')}), and {how}",
            confidence=confidence,
            absent=[no("second write of the data that was lost", call, after[-1].line)],
            why="a page that could not be written is marked clean, and the error is told once: what it held is not"
            " tried again, though the next fsync succeeds: fsync(2)",
            fix=f"take a failed {call.name} for the loss of all that was written since the last good one: stop, or"
            " write that data once more, from memory or a log, to a new file; never just repeat the call",
            explains=[("write-error-ignored", call.line), ("failed-call-behind-exit", call.line)],
        )


def _is_on(state: FailedSync, action: Action, descriptor: Descriptor | None) -> bool:
    """Whether a call syncs what had failed: the same description, another one of the same path, the same mapping."""
    if state.descriptor is None or descriptor is None:
        same_mapping = state.descriptor is descriptor and state.call.number(0) == action.call.number(0)
        return same_mapping and state.process is action.process and action.call.name == "msync"
    if state.descriptor.file is descriptor.file:
        return True
    if state.process is not action.process:
        return False  # one that was started anew may well have written all of it once more
    known, path = path_of(state.descriptor.file, state.process), path_of(descriptor.file, action.process)
    return known is not None and path is not None and same(known, path)


def _sure(state: FailedSync, now: Descriptor | None) -> Confidence:
    """Tell how sure it is that the data was not given once more; writes at an offset of their own are not followed."""
    if state.descriptor is None or now is None or now.file is not state.descriptor.file:
        return Confidence.LIKELY
    return Confidence.CERTAIN if state.written is not None and now.file.taken == state.taken else Confidence.LIKELY


def _story(state: FailedSync, what: str) -> Iterator[Step]:
    if state.descriptor is not None:
        yield from birth(state.descriptor)
    if state.written is not None:
        yield step(state.written, f"the last of {plural(state.taken, 'byte')} before it")
    note = f"{state.call.name} fails with {state.call.errno}: of what was written to {what} some is not on the disk"
    yield repeated(state.call, note, state.times, state.last, primary=True)
