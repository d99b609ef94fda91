"""What an fcntl does to the status flags of a description, for the names of a query that begin with `flags.`."""

from __future__ import annotations

from collections.abc import Iterable

from tracediag.evidence import flag_mixups
from tracediag.kernel import FlagChange
from tracediag.kernel.flags import SETTABLE
from tracediag.query.subject import Subject
from tracediag.trace.events import Syscall


def confused(subject: Subject) -> str | None:
    """Return which flags an F_SETFL or F_SETFD mixes up."""
    return None if subject.action is None else flag_mixups.confusion(subject.action)


def cleared(subject: Subject) -> tuple[str, ...] | None:
    """Return the status flags that an F_SETFL clears, joined; "" where it is none."""
    change = _change(subject)
    return None if change is None else _joined(change.on - flag_mixups.passed(subject.call))


def added(subject: Subject) -> tuple[str, ...] | None:
    """Return the status flags that an F_SETFL turns on, or may turn on, joined; "" where it is none."""
    change = _change(subject)
    return None if change is None else _joined(flag_mixups.passed(subject.call) & (SETTABLE - change.on))


def passed(subject: Subject) -> tuple[str, ...] | None:
    """Return the status flags that an F_SETFL is passed, of those that it can change, joined; "" where it is none."""
    return None if _change(subject) is None else _joined(flag_mixups.passed(subject.call) & SETTABLE)


def all_known(subject: Subject) -> bool | None:
    """Whether the trace shows all flags that were on before an F_SETFL."""
    change = _change(subject)
    return None if change is None else change.complete


def from_getfl(subject: Subject) -> bool | None:
    """Whether the flags of an F_SETFL look like a result of F_GETFL."""
    held = subject.descriptor
    return None if held is None or _change(subject) is None else flag_mixups.is_fetched(held, subject.call)


def new_mode(subject: Subject) -> bool | None:
    """Whether an F_SETFL is passed another access mode than that of the description."""
    change = _change(subject)
    if change is None or change.access is None:
        return None
    return change.access not in flag_mixups.passed(subject.call)


def fetched(subject: Subject) -> Syscall | None:
    """Return the F_GETFL before an F_SETFL."""
    change = _change(subject)
    return None if change is None else change.fetched


def mistaken(subject: Subject) -> Syscall | None:
    """Return the F_GETFD just before an F_SETFL."""
    change = _change(subject)
    return None if change is None else change.mistaken


def setter(subject: Subject) -> Syscall | None:
    """Return the call that turned on the flags which an F_SETFL clears."""
    change, held = _change(subject), subject.descriptor
    if change is None or held is None:
        return None
    lost = change.on - flag_mixups.passed(subject.call)
    return next((call for call in (change.changed, held.file.opened) if call and flag_mixups.sets(call, lost)), None)


def _change(subject: Subject) -> FlagChange | None:
    return None if subject.action is None else subject.action.change


def _joined(flags: Iterable[str]) -> tuple[str, ...]:
    return ("|".join(sorted(flags)),)
