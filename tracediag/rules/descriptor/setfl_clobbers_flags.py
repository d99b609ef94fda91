"""TD301: F_SETFL that was not told what was there."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.events import Syscall
from tracediag.findings import Confidence, Finding, Severity, Step, step
from tracediag.kernel import Action, FlagChange
from tracediag.kernel.calls.control import status_flags
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.flags import SETTABLE, canonical
from tracediag.rules.base import Rule, on_call
from tracediag.rules.descriptor.setfl_setfd_confused import confusion
from tracediag.values import names_of

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

    @on_call("fcntl", "fcntl64")
    def controlled(self, action: Action) -> Iterator[Finding]:
        """Compare what was on with what is on now."""
        change, descriptor, call = action.change, action.descriptor, action.call
        if change is None or descriptor is None or confusion(action) is not None:
            return
        given = canonical(status_flags(call.arg(2)))
        lost = sorted(change.on - given)
        if lost and not (change.fetched is not None and lost == ["O_NONBLOCK"]):
            yield self._lost(descriptor, call, change, lost)
        elif not lost and change.fetched is None and not change.complete and given & SETTABLE:
            yield self._luck(descriptor, call)

    def _lost(self, descriptor: Descriptor, call: Syscall, change: FlagChange, lost: list[str]) -> Finding:
        names = "|".join(lost)
        fetched = change.fetched is not None
        return self.finding(
            [
                *_origin(descriptor, change, lost),
                step(call, f"drops {names}: {_LOSSES.get(lost[0], 'it is gone now')}", primary=True),
            ],
            object=describe(descriptor),
            title=f"F_SETFL drops {names}",
            severity=Severity.WARNING if fetched else Severity.ERROR,
            confidence=Confidence.POSSIBLE if fetched else Confidence.CERTAIN,
            why=_WHY,
            fix=_fix(descriptor),
        )

    def _luck(self, descriptor: Descriptor, call: Syscall) -> Finding:
        return self.finding(
            [step(call, "sets all status flags at once; which of them were on the program has not asked", primary=True)],
            object=describe(descriptor),
            title="F_SETFL without F_GETFL: it works as long as no other flag was on",
            severity=Severity.NOTE,
            confidence=Confidence.POSSIBLE,
            why=_WHY,
            fix=_fix(descriptor),
        )


_WHY = (
    "F_SETFL replaces all settable status flags of the open file description (O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME,"
    " O_NONBLOCK), for every copy of the descriptor; it ignores the access mode: fcntl(2)"
)


def _fix(descriptor: Descriptor) -> str:
    number = descriptor.number
    return f"fetch first: flags = fcntl({number}, F_GETFL); then fcntl({number}, F_SETFL, flags | O_NONBLOCK)"


def _origin(descriptor: Descriptor, change: FlagChange, lost: list[str]) -> Iterator[Step]:
    """Yield where the lost flags were seen: the call that made the descriptor, set them or fetched them."""
    candidates = (change.fetched, change.changed, descriptor.file.opened)
    for call in candidates:
        if call is not None and (call is change.fetched or _sets(call, lost)):
            yield step(call, f"{'|'.join(lost)} is on")
            return


def _sets(call: Syscall, lost: list[str]) -> bool:
    """Whether the call's own arguments switch one of the flags on."""
    names = canonical(name for arg in call.args for name in names_of(arg))
    return bool(names & set(lost)) or "FIONBIO" in names
