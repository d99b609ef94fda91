"""TD112: epoll_ctl calls that the set refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from tracediag.evidence.steps import birth
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.epoll import EpollSet, Registration
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_trace_end
from tracediag.trace.calls import EPOLL_WAITS
from tracediag.trace.events import Syscall
from tracediag.trace.values import Structure, bare, names_of

_ERRORS = frozenset({"EEXIST", "ENOENT", "EBADF", "EINVAL", "ELOOP", "EPERM"})
_NAMED = re.compile(r"\d++<")
_CURES = {"EEXIST": "EPOLL_CTL_MOD", "ENOENT": "EPOLL_CTL_ADD"}
_ALWAYS_REPORTED = frozenset({"EPOLLERR", "EPOLLHUP"})


@dataclass(slots=True)
class _Refusal:
    """What a refused epoll_ctl means, and what to do instead."""

    what: str
    """Of the descriptor, which goes before it: "is in the set already"."""
    fix: str
    severity: Severity = Severity.WARNING


class EpollCtlMisuse(Rule):
    """EEXIST, ENOENT, EBADF, EINVAL, ELOOP or EPERM from epoll_ctl, with what the set really held."""

    code = "TD112"
    name = "epoll-ctl-misuse"
    severity = Severity.WARNING
    summary = "epoll_ctl is refused: the program's idea of the set is wrong"

    def __init__(self) -> None:
        self._pending: dict[int | None, tuple[Syscall, Finding]] = {}
        """The last refusal of each thread that a second try may make good."""

    @on_call("epoll_ctl")
    def controlled(self, action: Action) -> Iterator[Finding]:
        """Judge a refusal when the next epoll_ctl shows whether the program had reckoned with it."""
        call, tid = action.call, action.thread.tid
        before = self._pending.pop(tid, None)
        if before is not None and not _cured(before[0], call):
            yield before[1]
        if call.errno not in _ERRORS:
            return
        finding = self._finding(action, call)
        if call.errno in _CURES:
            self._pending[tid] = (call, finding)
        else:
            yield finding

    @on_call(*EPOLL_WAITS)
    def waited(self, action: Action) -> Iterator[Finding]:
        """The program goes on without a second try."""
        before = self._pending.pop(action.thread.tid, None)
        if before is not None:
            yield before[1]

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """The trace is over, and there was no second try; of a thread that lives on it may be still to come."""
        for tid, (_, finding) in self._pending.items():
            alive = tid in kernel.process_table.threads and kernel.process_table.threads[tid].process.exit is None
            yield msgspec.structs.replace(finding, confidence=Confidence.LIKELY) if alive else finding

    def _finding(self, action: Action, call: Syscall) -> Finding:
        number = call.number(2)
        refusal = _meaning(action, call)
        return self.finding(
            [
                *(_history(action, call) or _origin(action, call)),
                step(call, f"fd {number} {refusal.what}", primary=True),
            ],
            object=f"fd {number}" if action.descriptor is None else describe(action.descriptor),
            title=f"epoll_ctl fails with {call.errno}: the descriptor {refusal.what}",
            severity=refusal.severity,
            # In a recording of failures only the second try, which may have succeeded, is not seen.
            confidence=Confidence.CERTAIN if action.kernel.succeeded else Confidence.LIKELY,
            why="epoll_ctl adds what is not in the set, changes or removes what is, and takes no files that are always"
            " ready; a call that is refused leaves the set as it was: epoll_ctl(2), ERRORS",
            fix=refusal.fix.format(fd=number),
        )


def _meaning(action: Action, call: Syscall) -> _Refusal:
    """Say what this refusal means for this set and descriptor."""
    operations = names_of(call.arg(1))
    if call.errno == "EBADF" and _set_is_closed(action, call):
        what = f"cannot be looked for, since the set, fd {call.number(0)}, is closed"
        fix = f"give up the set, fd {call.number(0)}, after the last EPOLL_CTL on it, and forget its number"
        return _Refusal(what, fix, Severity.NOTE if "EPOLL_CTL_DEL" in operations else Severity.WARNING)
    match call.errno:
        case "EEXIST":
            return _exists(action.registration, call)
        case "ENOENT" if "EPOLL_CTL_DEL" in operations:
            what, fix = (
                "is not in the set, so there is nothing to remove",
                "remove fd {fd} once, and only what was added",
            )
            return _Refusal(what, fix, Severity.NOTE)
        case "ENOENT":
            fix = "use EPOLL_CTL_ADD for fd {fd}, and forget that it is registered when it is closed or removed"
            return _Refusal("is not in the set, so it is not watched", fix)
        case "EBADF" if "EPOLL_CTL_DEL" in operations:
            fix = "take fd {fd} out with EPOLL_CTL_DEL before it is closed: by now the number may be another's"
            severity = Severity.WARNING if _history(action, call) else Severity.NOTE
            return _Refusal("is not open any more, so it comes too late to remove it", fix, severity)
        case "EBADF":
            fix = "check what made fd {fd} before it is registered, and register it before it is closed"
            return _Refusal("is not open, so it is not watched", fix)
        case "EINVAL":
            return _invalid(action, call)
        case "ELOOP":
            return _Refusal("would make the sets watch each other in a circle", "do not nest epoll sets in a circle")
        case _:
            what = "is a file that epoll does not take: a regular file or a directory"
            fix = "leave fd {fd} out of the set: a file is always ready, so read or write it at once"
            return _Refusal(what, fix, Severity.NOTE)


def _set_is_closed(action: Action, call: Syscall) -> bool:
    """Whether EBADF is the set's own: its number was closed, or `-y` finds a file behind the other number alone."""
    number, table = call.number(0), action.process.table
    if number is not None and table.get(number) is None and (number in table.last_closed or action.descriptor):
        return True
    first, _, rest = call.body.partition(", ")
    return "<" not in first and _NAMED.match(rest.partition(", ")[2]) is not None


def _exists(entry: Registration | None, call: Syscall) -> _Refusal:
    asked, held = _events(call), None if entry is None else entry.events
    if asked is not None and held is not None and asked - _ALWAYS_REPORTED <= held:
        fix = "add fd {fd} once, and keep in mind that it is registered"
        return _Refusal("is in the set already, with the same events", fix, Severity.NOTE)
    lost = "|".join(sorted((asked or frozenset()) - (held or frozenset())))
    what = f"is in the set already, so {lost or 'this'} is not waited for" if held else "is in the set already"
    return _Refusal(what, "use EPOLL_CTL_MOD to change what is asked of fd {fd}")


def _events(call: Syscall) -> frozenset[str] | None:
    event = bare(call.arg(3))
    if not isinstance(event, Structure) or not event.fields:
        return None
    return names_of(event.get("events") or event.fields[0][1])


def _invalid(action: Action, call: Syscall) -> _Refusal:
    if call.number(0) == call.number(2):
        return _Refusal("is the set itself", "leave the set's own descriptor out of it")
    holder = action.process.table.get(call.number(0) or 0)
    if holder is not None and holder.file.opened is not None and not holder.file.opened.name.startswith("epoll_create"):
        return _Refusal(
            f"cannot be put into fd {holder.number}, which is no epoll set", "pass the set's descriptor first"
        )
    if "EPOLLEXCLUSIVE" in (_events(call) or ()):
        what = "cannot be given EPOLLEXCLUSIVE in this way"
        return _Refusal(
            what, "give EPOLLEXCLUSIVE with EPOLL_CTL_ADD only, and not to an epoll set or with EPOLLONESHOT"
        )
    return _Refusal("is refused with these events", "check events and descriptor against epoll_ctl(2)")


def _cured(failed: Syscall, call: Syscall) -> bool:
    """Whether the next call is the other operation on the same descriptor: a probe that was meant to fail."""
    return call.number(2) == failed.number(2) and _CURES[str(failed.errno)] in names_of(call.arg(1))


def _history(action: Action, call: Syscall) -> list[Step]:
    """Return what made the set what it is: the earlier add, the removal, or the close of the number."""
    number, entry = call.number(2), action.registration
    if entry is not None and entry.added is not None and entry.added is not call:
        return [step(entry.added, f"fd {number} is put into the set")]
    holder = action.process.table.get(call.number(0) or 0)
    if number is None or number < 0 or holder is None or holder.file.epoll is None:
        return []
    former, removal = _former(holder.file.epoll, number), holder.file.epoll.removals.get(number)
    if former is None or not isinstance(former.removed, Syscall):
        return [] if removal is None else [step(removal, f"fd {number} is taken out of the set")]
    added = [] if former.added is None else [step(former.added, f"fd {number} is put into the set")]
    deleted = former.removed.name == "epoll_ctl"
    how = "is taken out of the set" if deleted else "is closed, and with it goes its entry in the set"
    return [*added, step(former.removed, f"fd {number} {how}")]


def _origin(action: Action, call: Syscall) -> list[Step]:
    """Return the birth of the descriptor, or of the set, where the set's history explains nothing."""
    if action.descriptor is not None and action.descriptor.opened is not None:
        return list(birth(action.descriptor))
    holder = action.process.table.get(call.number(0) or 0)
    return [] if holder is None else list(birth(holder))


def _former(epoll: EpollSet, number: int) -> Registration | None:
    """Return the last entry of that number that is not there any more."""
    gone = [entry for entry in epoll.by_data.values() if entry.number == number and entry.removed is not None]
    return max(gone, key=lambda entry: entry.removed.line if entry.removed else 0, default=None)
