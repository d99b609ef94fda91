"""TD115: an event of a batch whose descriptor was closed while an earlier event was handled."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import watched
from tracediag.kernel import Action
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import HANGUPS, Readiness, Round
from tracediag.kernel.process import Thread
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_errno, on_release, on_round, on_signal, on_traffic
from tracediag.trace.calls import READS, REPLACES, SELECTS
from tracediag.trace.events import Syscall
from tracediag.trace.records import Signal

_ENDINGS = frozenset({"epoll_ctl", "close", "shutdown"})
"""Calls that end the use of a descriptor; any other shows that its own event was being handled."""

_SETTING_UP = frozenset(
    {"accept", "accept4", "fcntl", "fcntl64", "ioctl", "setsockopt", "getsockopt", "getpeername", "getsockname"}
)
_FOLLOWERS = ("use-after-close", "double-close", "epoll-ctl-misuse", "crashed")
_MAX_STALE = 100
_NEAR = 64
"""Calls after the close within which the batch is still being handled; the program may also leave its loop."""


class _Stale(msgspec.Struct):
    """An event that has not been handled yet although its descriptor is already closed."""

    turn: Round
    place: int
    earlier: Syscall
    """The call on the descriptor of an earlier event, during which it was closed."""
    close: Syscall
    descriptor: Descriptor
    report: Readiness
    calls: int
    """How many calls the turn had by then."""
    reported: bool = False

    @property
    def is_due(self) -> bool:
        """Whether this event may be handled next: no later one has been, and not many calls were made since."""
        later = self.turn.reports[self.place + 1 :]
        return self.turn.calls - self.calls <= _NEAR and not any(report.touched for report in later)


class EventAfterClose(Rule):
    """A descriptor is closed while an earlier event of a batch is handled, and its own event is handled after that."""

    code = "TD115"
    name = "event-after-close"
    severity = Severity.ERROR
    summary = "an event is handled although its descriptor was closed earlier in the same batch"

    def __init__(self) -> None:
        self._stale: Cases[Thread, list[_Stale]] = Cases()
        """What is stale in the batches of a thread."""

    @on_release
    def released(self, action: Action) -> None:
        """Look for the descriptor among the events of the batch that the thread has not handled yet."""
        call = action.event
        if not isinstance(call, Syscall) or call.name not in {"close", *REPLACES}:
            return
        for descriptor in action.released:
            for turn in action.thread.rounds.values():
                stale = _find(turn, descriptor, call) if len(turn.reports) > 1 else None
                pending = self._stale.setdefault(action.thread, []) if stale is not None else []
                if stale is not None and len(pending) < _MAX_STALE:
                    pending.append(stale)

    @on_round
    def turned(self, action: Action) -> None:
        """Drop what was stale in a finished batch: the program skipped it."""
        turn = action.finished
        pending = self._stale.pop(action.thread) if self._stale else None
        left = [stale for stale in pending or () if stale.turn is not turn]
        if left:
            self._stale[action.thread] = left

    @on_errno("EBADF")
    def refused(self, action: Action) -> Iterator[Finding]:
        """Report a call on the closed number of the stale event."""
        call = action.call
        number = call.number(2 if call.name == "epoll_ctl" else 0)
        for stale in self._open(action.thread):
            if stale.descriptor.number != number or not _is_its_turn(stale, call):
                continue
            proof = step(call, f"the stale event is handled: fd {number} is no longer open", primary=True)
            # The handler of a hang-up may close immediately, and the call may belong to other code.
            sure = _continued(stale) and call.name not in _ENDINGS and not stale.report.events & HANGUPS
            yield self._finding(stale, proof, Confidence.CERTAIN if sure else Confidence.LIKELY)

    @on_traffic(*READS, given="_stale")
    def used(self, action: Action) -> Iterator[Finding]:
        """Report a read of the number, which now refers to a new descriptor."""
        found, call = action.descriptor, action.call
        if found is None:
            return
        for stale in self._open(action.thread):
            opened = found.opened
            if found.number != stale.descriptor.number or opened is None or opened.line < stale.close.line:
                continue
            if call.errno != "EAGAIN" or not _comes_by_event(stale, found, action.thread):
                continue
            note = f"the stale event is applied to the new fd {found.number}, for which nothing was reported"
            made = step(opened, "the number is reused for a new descriptor")
            last = action.thread.last_call
            directly = last is not None and last.number(2 if last.name == "epoll_ctl" else 0) == found.number
            # Some programs try to read from a new connection before anything is reported.
            confidence = Confidence.POSSIBLE if directly else Confidence.LIKELY
            yield self._finding(stale, step(call, note, primary=True), confidence, made)

    @on_signal("SIGSEGV", "SIGBUS", "SIGABRT")
    def crashed(self, action: Action) -> Iterator[Finding]:
        """Report a crash where the data of the stale event may point to freed memory."""
        signal = action.event
        for stale in self._open(action.thread):
            if isinstance(signal, Signal) and stale.report.data not in (None, stale.descriptor.number):
                number = stale.descriptor.number
                note = f"{signal.name} where the event of fd {number} is next: its data may point to freed memory"
                yield self._finding(stale, step(signal, note, primary=True), Confidence.LIKELY)

    def _open(self, thread: Thread) -> list[_Stale]:
        pending = self._stale.get(thread, ()) if self._stale else ()
        return [stale for stale in pending if not stale.reported and stale.is_due]

    def _finding(self, stale: _Stale, proof: Step, confidence: Confidence, made: Step | None = None) -> Finding:
        number, stale.reported = stale.descriptor.number, True
        verb = "may be" if confidence is Confidence.POSSIBLE else "is"
        return self.finding(
            _story(stale, proof, made),
            object=describe(stale.descriptor),
            title=f"a stale event {verb} handled: {name(stale.descriptor)} was closed earlier in the same batch",
            severity=Severity.ERROR if made is None else Severity.WARNING,
            confidence=confidence,
            why="the events that a wait returned are a copy: close removes a descriptor from the set, but not from the"
            ' events already returned: epoll(7), "Possible pitfalls"',
            fix=f"mark fd {number} as closed and check the mark before handling each event, or defer close and free"
            " until the batch is done",
            explains=[(rule, proof.line) for rule in _FOLLOWERS],
        )


def _find(turn: Round, descriptor: Descriptor, call: Syscall) -> _Stale | None:
    """Find the event of a descriptor that is closed before that event is handled."""
    if turn.wait.name in SELECTS:
        return None
    place = next((at for at, report in enumerate(turn.reports) if report.descriptor is descriptor), None)
    if place is None:
        return None
    report = turn.reports[place]
    if report.touched > len(report.calls) or any(used.name not in _ENDINGS for used in report.calls):
        return None
    before = [earlier.last for earlier in turn.reports[:place] if earlier.last is not None]
    after = any(later.touched for later in turn.reports[place + 1 :])
    if not before or after:
        return None
    return _Stale(turn, place, max(before, key=lambda used: used.line), call, descriptor, report, turn.calls)


def _continued(stale: _Stale) -> bool:
    """Whether the handling of an earlier event continued after the close, which was then part of it."""
    return any(
        earlier.last is not None and earlier.last.line > stale.close.line
        for earlier in stale.turn.reports[: stale.place]
    )


def _is_its_turn(stale: _Stale, call: Syscall) -> bool:
    """Whether a call may be the first that handles the event.

    A second close or the like may also be a mistake of the first handler, or part of the program's exit.
    """
    return call.name not in _ENDINGS or (_continued(stale) and bool(stale.report.events & HANGUPS))


def _comes_by_event(stale: _Stale, found: Descriptor, thread: Thread) -> bool:
    """Whether a read of a new descriptor is due to the event, and not a first try directly after accept."""
    if found.readiness is not None or found.number != stale.report.data:
        return False
    last = thread.last_call
    return last is None or last.name not in _SETTING_UP


def _story(stale: _Stale, proof: Step, made: Step | None) -> Iterator[Step]:
    number, entry = stale.descriptor.number, stale.report.registration
    if entry is not None:
        yield from watched(entry)
    yield step(
        stale.turn.wait, f"{len(stale.turn.reports)} events are returned; the event of fd {number} is not the first"
    )
    yield step(stale.earlier, "an earlier event of the batch is handled")
    if stale.close is not stale.earlier:
        yield step(stale.close, f"fd {number} is closed meanwhile: its event is now stale")
    if made is not None:
        yield made
    yield proof
