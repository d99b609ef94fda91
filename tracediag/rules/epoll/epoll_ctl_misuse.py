"""TD112: epoll_ctl calls that fail because of what the set holds."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.epoll import Registration
from tracediag.kernel.process import Process, Thread
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_release, on_trace_end
from tracediag.rules.epoll._set_history import history, origin
from tracediag.trace.calls import EPOLL_WAITS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.values import Structure, bare, names_of

_ERRORS = frozenset({"EEXIST", "ENOENT", "EBADF", "EINVAL", "ELOOP", "EPERM"})
_NAMED = lazy_pattern(r"\d++<")
_CURES = {"EEXIST": "EPOLL_CTL_MOD", "ENOENT": "EPOLL_CTL_ADD"}
_REASON = (
    "EPOLL_CTL_ADD needs a descriptor that is not in the set, EPOLL_CTL_MOD and EPOLL_CTL_DEL one that is; a call that"
    " fails leaves the set as it was: epoll_ctl(2), ERRORS"
)
_REASONS = {
    "EBADF": "both numbers must be open when epoll_ctl is called; the last close of a descriptor has already removed"
    " the registration: epoll_ctl(2), ERRORS",
    "EPERM": "epoll watches what can become ready, such as a socket, pipe or terminal; a regular file is always ready"
    " and cannot be added: epoll_ctl(2), ERRORS",
    "EINVAL": "epoll_ctl checks the set, the descriptor and the events first; a call that fails leaves the set as it"
    " was: epoll_ctl(2), ERRORS",
    "ELOOP": "epoll sets may watch epoll sets up to a depth of 5, but not in a loop: epoll_ctl(2), ERRORS",
}
_ALWAYS_REPORTED = frozenset({"EPOLLERR", "EPOLLHUP"})


class _Refusal(msgspec.Struct):
    """What a failed epoll_ctl means, and what to do instead."""

    what: str
    """The rest of a sentence about the descriptor: "is already in the set"."""
    fix: str
    severity: Severity = Severity.WARNING


class EpollCtlMisuse(Rule):
    """EEXIST, ENOENT, EBADF, EINVAL, ELOOP or EPERM from epoll_ctl, with what the set held."""

    code = "TD112"
    name = "epoll-ctl-misuse"
    severity = Severity.WARNING
    summary = "epoll_ctl fails: the program does not know what is in its epoll set"

    def __init__(self) -> None:
        self._noted: Cases[Process, dict[str, int]] = Cases()
        """The form in which each kind of failure was told first, as its number of steps: others tell nothing new."""
        self._unwatched: Cases[Descriptor, Finding] = Cases()
        """The files that no set can watch (EPERM), until closed: the program may read or write them directly."""
        self._pending: Cases[Thread, tuple[Syscall, Finding]] = Cases(outlive=True)
        """The last failure of each thread that a second call may recover from."""

    @on_call("epoll_ctl")
    def controlled(self, action: Action) -> Iterator[Finding]:
        """Judge a failure when the next epoll_ctl shows whether the program expected it."""
        call, thread = action.call, action.thread
        before = self._pending.pop(thread)
        if before is not None and not _recovered(before[0], call):
            yield before[1]
        if call.errno not in _ERRORS:
            return
        finding = self._finding(action, call)
        if finding.severity is Severity.NOTE or call.errno == "EPERM":
            kind, steps = f"{call.errno} {names_of(call.arg(1))}", len(finding.steps)
            if self._noted.setdefault(action.process, {}).setdefault(kind, steps) != steps:
                return
        if call.errno == "EPERM" and not action.kernel.succeeded:
            return  # a recording of failures only does not show how the file is used instead
        if call.errno == "EPERM" and action.descriptor is not None:
            self._unwatched[action.descriptor] = finding
        elif call.errno in _CURES or (call.number(2) or 0) < 0:
            self._pending[thread] = (call, finding)
        else:
            yield finding

    @on_release
    def released(self, action: Action) -> Iterator[Finding]:
        """Report a file that no set could watch, if its process ends without having used or closed it."""
        ends = not isinstance(action.event, Syscall)
        for descriptor in action.released if self._unwatched else ():
            refused = self._unwatched.pop(descriptor, None)
            if refused is not None and ends and not _used_since(descriptor, refused):
                yield refused

    @on_call(*EPOLL_WAITS)
    def waited(self, action: Action) -> Iterator[Finding]:
        """Report a failure after which the program waits without a second call."""
        before = self._pending.pop(action.thread)
        if before is not None:
            yield before[1]

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Report what had no second call; of a thread that is still alive it may follow after the trace."""
        for descriptor, refused in self._unwatched.items():
            if not _used_since(descriptor, refused):
                yield refused
        for thread, (_, finding) in self._pending.items():
            alive = kernel.process_table.threads.get(thread.tid) is thread and thread.process.exit is None
            if alive:
                yield msgspec.structs.replace(finding, confidence=Confidence.LIKELY)
            elif thread.process.ended_badly:
                yield finding
            else:  # it never waits again: nothing that the set lacks is missed
                yield msgspec.structs.replace(finding, severity=Severity.NOTE)

    def _finding(self, action: Action, call: Syscall) -> Finding:
        number = call.number(2)
        refusal, shown = _meaning(action, call), action.kernel.succeeded
        what = f"fd {number}" if action.descriptor is None else name(action.descriptor)
        return self.finding(
            [
                *(history(action, call) or origin(action, call)),
                step(call, f"fd {number} {refusal.what}", primary=True),
            ],
            object=f"fd {number}" if action.descriptor is None else describe(action.descriptor),
            title=f"epoll_ctl fails with {call.errno}: {what} {refusal.what}",
            # A recording of failures only does not show a second call that succeeded.
            severity=refusal.severity if shown or call.errno not in _CURES else Severity.NOTE,
            confidence=Confidence.CERTAIN if shown else Confidence.LIKELY,
            why=_REASONS.get(str(call.errno), _REASON),
            fix=refusal.fix.format(fd=number),
        )


def _meaning(action: Action, call: Syscall) -> _Refusal:
    """Return what this failure means for this set and descriptor."""
    operations = names_of(call.arg(1))
    if call.errno == "EBADF" and _set_is_closed(action, call):
        what = f"cannot be looked up, because the epoll set, fd {call.number(0)}, is closed"
        fix = f"close the epoll set, fd {call.number(0)}, only after the last epoll_ctl on it"
        return _Refusal(what, fix, Severity.NOTE if "EPOLL_CTL_DEL" in operations else Severity.WARNING)
    match call.errno:
        case "EEXIST":
            return _exists(action.registration, call)
        case "ENOENT" if "EPOLL_CTL_DEL" in operations:
            what, fix = (
                "is not in the set and cannot be removed",
                "call EPOLL_CTL_DEL for fd {fd} once, and only if it was added",
            )
            return _Refusal(what, fix, Severity.NOTE)
        case "ENOENT":
            fix = "use EPOLL_CTL_ADD for fd {fd}: close and EPOLL_CTL_DEL have ended any earlier registration"
            return _Refusal("is not in the set and remains unwatched", fix)
        case "EBADF" if "EPOLL_CTL_DEL" in operations:
            fix = "call EPOLL_CTL_DEL for fd {fd} before close: afterwards the number may refer to another file"
            # With its last copy the descriptor has left the set; where a copy remains it is stale-epoll-registration.
            return _Refusal("is not open, too late for EPOLL_CTL_DEL", fix, Severity.NOTE)
        case "EBADF":
            fix = "check the result of the call that creates the descriptor (here {fd}), and register it before close"
            return _Refusal("is not open and cannot be watched", fix)
        case "EINVAL":
            return _invalid(action, call)
        case "ELOOP":
            return _Refusal("would make epoll sets watch each other in a loop", "do not nest epoll sets in a loop")
        case _:
            what = "does not support epoll, like every regular file and directory"
            fix = "leave fd {fd} out of the set: a regular file is always ready, read or write it directly"
            return _Refusal(what, fix, Severity.NOTE)


def _set_is_closed(action: Action, call: Syscall) -> bool:
    """Whether EBADF is about the set: its number was closed, or `-y` annotates only the other number."""
    number, table = call.number(0), action.process.table
    if number is not None and table.get(number) is None and (number in table.last_closed or action.descriptor):
        return True
    first, _, rest = call.body.partition(", ")
    return "<" not in first and _NAMED.match(rest.partition(", ")[2]) is not None


def _exists(entry: Registration | None, call: Syscall) -> _Refusal:
    asked, held = _events(call), None if entry is None else entry.events
    if asked is not None and held is not None and asked - _ALWAYS_REPORTED <= held:
        fix = "add fd {fd} once, and remember that it is registered"
        return _Refusal("is already in the set, with the same events", fix, Severity.NOTE)
    lost = "|".join(sorted((asked or frozenset()) - (held or frozenset())))
    what = f"is already in the set, without {lost}" if held and lost else "is already in the set"
    return _Refusal(what, "use EPOLL_CTL_MOD to change the events of fd {fd}")


def _events(call: Syscall) -> frozenset[str] | None:
    event = bare(call.arg(3))
    if not isinstance(event, Structure) or not event.fields:
        return None
    return names_of(event.get("events") or event.fields[0][1])


def _invalid(action: Action, call: Syscall) -> _Refusal:
    if call.number(0) == call.number(2):
        return _Refusal("cannot be added to the same set", "pass the descriptor to be watched, not the set's own")
    holder = action.process.table.get(call.number(0) or 0)
    if holder is not None and holder.file.opened is not None and not holder.file.opened.name.startswith("epoll_create"):
        return _Refusal(
            f"cannot be added to fd {holder.number}, which is not an epoll set",
            "pass the epoll descriptor as the first argument",
        )
    if "EPOLLEXCLUSIVE" in (_events(call) or ()):
        what = "cannot be registered with EPOLLEXCLUSIVE by this call"
        return _Refusal(
            what, "use EPOLLEXCLUSIVE only with EPOLL_CTL_ADD, not for an epoll set and not with EPOLLONESHOT"
        )
    return _Refusal("is rejected with these events", "check the events and the descriptor against epoll_ctl(2)")


def _used_since(descriptor: Descriptor, refused: Finding) -> bool:
    """Whether data was read or written directly after a set had refused the file."""
    calls = (descriptor.file.got, descriptor.file.written)
    return any(call is not None and call.line > refused.primary.line for call in calls)


def _recovered(failed: Syscall, call: Syscall) -> bool:
    """Whether the next call is the other operation on the same descriptor: the program expected the failure."""
    cure = _CURES.get(str(failed.errno))
    return cure is not None and call.number(2) == failed.number(2) and cure in names_of(call.arg(1))
