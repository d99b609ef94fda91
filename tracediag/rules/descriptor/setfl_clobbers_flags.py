"""TD301: F_SETFL without the flags that were on."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.flag_mixups import access_mode, confusion
from tracediag.evidence.steps import birth
from tracediag.kernel import Action, FlagChange, describe
from tracediag.kernel.calls.control import status_flags
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.flags import ACCESS_MODES, SETTABLE, canonical
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call
from tracediag.trace.calls import CONTROLS
from tracediag.trace.events import Syscall
from tracediag.trace.values import names_of

_LOSSES = {
    "O_APPEND": "writes now go to the file offset and overwrite what was appended since",
    "O_NONBLOCK": "the next read without data blocks",
    "O_ASYNC": "SIGIO is no longer sent",
    "O_DIRECT": "transfers now use the page cache",
    "O_NOATIME": "reads now update the access time",
}


class SetflClobbersFlags(Rule):
    """F_SETFL clears flags of the description because the program did not get them with F_GETFL."""

    code = "TD301"
    name = "setfl-clobbers-flags"
    severity = Severity.ERROR
    summary = "F_SETFL without F_GETFL clears status flags that were on (O_APPEND, O_NONBLOCK)"

    @on_call(*CONTROLS)
    def controlled(self, action: Action) -> Iterator[Finding] | None:
        """Compare the flags before and after."""
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
                step(
                    call,
                    f"F_SETFL clears {names}: {_LOSSES[lost[0]]}" if lost[0] in _LOSSES else f"F_SETFL clears {names}",
                    primary=True,
                ),
            ],
            object=describe.describe(descriptor),
            title=f"F_SETFL clears {names} on {describe.name(descriptor)}",
            severity=judged[0],
            confidence=judged[1],
            why=_WHY,
            fix=_fix(descriptor, canonical(status_flags(call.arg(2)))),
        )

    def _luck(self, descriptor: Descriptor, call: Syscall, given: frozenset[str]) -> Finding:
        note = "F_SETFL sets all status flags, but the program did not ask which were on"
        return self.finding(
            [*birth(descriptor), step(call, note, primary=True)],
            object=describe.describe(descriptor),
            title=f"F_SETFL on {describe.name(descriptor)} without F_GETFL clears any other flag that was on",
            severity=Severity.NOTE,
            confidence=Confidence.POSSIBLE,
            why=_WHY,
            fix=_fix(descriptor, given),
        )


_WHY = (
    "F_SETFL replaces all settable status flags of the open file description (O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME,"
    " O_NONBLOCK), for every copy of the descriptor, also in other processes: fcntl(2)"
)


def _judge(
    descriptor: Descriptor, change: FlagChange, given: frozenset[str], lost: list[str]
) -> tuple[Severity, Confidence] | None:
    """Return severity and confidence of a lost flag; None where it was cleared on purpose."""
    adds = bool(given & SETTABLE - change.on)
    if change.fetched is None:
        if adds:
            return Severity.ERROR, Confidence.CERTAIN
        # A call that sets no flag is meant to clear one, usually O_NONBLOCK; then nothing else is lost.
        return None if lost == ["O_NONBLOCK"] else (Severity.WARNING, Confidence.LIKELY)
    if not adds or _from_getfl(descriptor, given):
        return None
    if change.access not in given and change.access is not None:
        return Severity.ERROR, Confidence.CERTAIN
    return Severity.WARNING, Confidence.POSSIBLE


def _from_getfl(descriptor: Descriptor, given: frozenset[str]) -> bool:
    """Whether the flags come from an earlier F_GETFL: they contain the access mode, which no source code states."""
    mode = next(iter(given & ACCESS_MODES), "O_RDONLY")
    return mode != "O_RDONLY" and access_mode(descriptor) in (mode, None)


def _fix(descriptor: Descriptor, given: frozenset[str]) -> str:
    number = descriptor.number
    wanted = "|".join(sorted(given & SETTABLE))
    change = f"flags | {wanted}" if wanted else "flags & ~O_NONBLOCK"
    return f"keep the other flags: flags = fcntl({number}, F_GETFL); fcntl({number}, F_SETFL, {change})"


def _origin(descriptor: Descriptor, change: FlagChange, lost: list[str]) -> Iterator[Step]:
    """Yield the call that set the lost flags, and an F_GETFL whose result was not used."""
    names = "|".join(lost)
    on = f"{names} is on"
    setter = next((call for call in (change.changed, descriptor.file.opened) if call and _sets(call, lost)), None)
    if setter is not None:
        yield step(setter, on)
    if change.fetched is not None:
        yield step(change.fetched, f"F_GETFL reports {names}, but the result is not used" if setter is not None else on)


def _sets(call: Syscall, lost: list[str]) -> bool:
    """Whether the call's own arguments set one of the flags."""
    names = canonical(name for arg in call.args for name in names_of(arg))
    return bool(names & set(lost)) or bool(names & {"FIONBIO", "FIOASYNC"})
