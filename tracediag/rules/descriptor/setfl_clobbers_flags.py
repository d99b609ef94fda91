"""TD301: F_SETFL that was not told what was there."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.steps import birth
from tracediag.kernel import Action, FlagChange
from tracediag.kernel.calls.control import status_flags
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.flags import ACCESS_MODES, SETTABLE, canonical
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call
from tracediag.rules.descriptor._flag_mixups import access_mode, confusion
from tracediag.trace.calls import CONTROLS
from tracediag.trace.events import Syscall
from tracediag.trace.values import names_of

_LOSSES = {
    "O_APPEND": "writes go to the file's offset now, over what others appended",
    "O_NONBLOCK": "the next read with nothing to read blocks",
    "O_ASYNC": "SIGIO comes no more",
    "O_DIRECT": "transfers go through the page cache now",
    "O_NOATIME": "reads change the access time now",
}


class SetflClobbersFlags(Rule):
    """F_SETFL that drops flags which the description had, since they were never fetched."""

    code = "TD301"
    name = "setfl-clobbers-flags"
    severity = Severity.ERROR
    summary = "F_SETFL without F_GETFL drops status flags that the descriptor had"

    @on_call(*CONTROLS)
    def controlled(self, action: Action) -> Iterator[Finding] | None:
        """Compare what was on with what is on now."""
        change, descriptor = action.change, action.descriptor
        if change is None or descriptor is None or confusion(action) is not None:
            return None
        return self._compared(descriptor, action.call, change)

    def _compared(self, descriptor: Descriptor, call: Syscall, change: FlagChange) -> Iterator[Finding]:
        given = canonical(status_flags(call.arg(2)))
        lost = sorted(change.on - given)
        if lost:
            judged = _judge(descriptor, change, given, lost)
            if judged is not None:
                yield self._lost(descriptor, call, change, lost, judged)
        elif change.fetched is None and not change.complete and given & SETTABLE and not _from_getfl(descriptor, given):
            yield self._luck(descriptor, call, given)

    def _lost(
        self,
        descriptor: Descriptor,
        call: Syscall,
        change: FlagChange,
        lost: list[str],
        judged: tuple[Severity, Confidence],
    ) -> Finding:
        names = "|".join(lost)
        return self.finding(
            [
                *_origin(descriptor, change, lost),
                step(call, f"drops {names}: {_LOSSES.get(lost[0], 'it is gone now')}", primary=True),
            ],
            object=describe(descriptor),
            title=f"F_SETFL drops {names}",
            severity=judged[0],
            confidence=judged[1],
            why=_WHY,
            fix=_fix(descriptor, canonical(status_flags(call.arg(2)))),
        )

    def _luck(self, descriptor: Descriptor, call: Syscall, given: frozenset[str]) -> Finding:
        note = "sets all status flags at once; which of them were on the program has not asked"
        return self.finding(
            [*birth(descriptor), step(call, note, primary=True)],
            object=describe(descriptor),
            title="F_SETFL without F_GETFL: it works as long as no other flag was on",
            severity=Severity.NOTE,
            confidence=Confidence.POSSIBLE,
            why=_WHY,
            fix=_fix(descriptor, given),
        )


_WHY = (
    "F_SETFL replaces all settable status flags of the open file description (O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME,"
    " O_NONBLOCK), for every copy of the descriptor; it ignores the access mode: fcntl(2)"
)


def _judge(
    descriptor: Descriptor, change: FlagChange, given: frozenset[str], lost: list[str]
) -> tuple[Severity, Confidence] | None:
    """Tell a flag that was overlooked from one that was taken away on purpose; None for the latter."""
    adds = bool(given & SETTABLE - change.on)
    if change.fetched is None:
        if adds:
            return Severity.ERROR, Confidence.CERTAIN
        # Who sets no flag at all wants to clear one: O_NONBLOCK, as a rule, and then nothing else is lost.
        return None if lost == ["O_NONBLOCK"] else (Severity.WARNING, Confidence.LIKELY)
    if not adds or _from_getfl(descriptor, given):
        return None
    if change.access not in given and change.access is not None:
        return Severity.ERROR, Confidence.CERTAIN
    return Severity.WARNING, Confidence.POSSIBLE


def _from_getfl(descriptor: Descriptor, given: frozenset[str]) -> bool:
    """Whether the access mode among the flags shows that they came from F_GETFL, once: nobody writes it by hand."""
    mode = next(iter(given & ACCESS_MODES), "O_RDONLY")
    return mode != "O_RDONLY" and access_mode(descriptor) in (mode, None)


def _fix(descriptor: Descriptor, given: frozenset[str]) -> str:
    number = descriptor.number
    wanted = "|".join(sorted(given & SETTABLE))
    change = f"flags | {wanted}" if wanted else "flags & ~O_NONBLOCK"
    return f"fetch first: flags = fcntl({number}, F_GETFL); then fcntl({number}, F_SETFL, {change})"


def _origin(descriptor: Descriptor, change: FlagChange, lost: list[str]) -> Iterator[Step]:
    """Yield where the lost flags were seen: the call that made the descriptor or set them, and an F_GETFL in vain."""
    on = f"{'|'.join(lost)} is on"
    made = next((call for call in (change.changed, descriptor.file.opened) if call and _sets(call, lost)), None)
    if made is not None:
        yield step(made, on)
    if change.fetched is not None:
        yield step(change.fetched, "F_GETFL tells so, but its answer is not used" if made is not None else on)


def _sets(call: Syscall, lost: list[str]) -> bool:
    """Whether the call's own arguments switch one of the flags on."""
    names = canonical(name for arg in call.args for name in names_of(arg))
    return bool(names & set(lost)) or bool(names & {"FIONBIO", "FIOASYNC"})
