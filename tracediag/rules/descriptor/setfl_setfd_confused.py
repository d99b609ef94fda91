"""TD302: descriptor flags and status flags taken for each other."""

from __future__ import annotations

from typing import NamedTuple

from tracediag.evidence.steps import birth
from tracediag.kernel import Action
from tracediag.kernel.calls.control import command_of, status_flags
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.flags import canonical
from tracediag.results.findings import Finding, Severity, step
from tracediag.rules.base import Rule, on_call
from tracediag.rules.descriptor._flag_mixups import confusion
from tracediag.trace.calls import CONTROLS

_COMMANDS = frozenset({"F_SETFD", "F_SETFL"})
_SOUND = (", F_GETFL", ", F_SETFD, FD_CLOEXEC")
"""Calls that nothing can be wrong with."""


class _Words(NamedTuple):
    note: str
    fix: str


_WORDS = {
    "getfd": _Words(
        "F_SETFL with what F_GETFD gave: the access mode in it is not the descriptor's own",
        "use F_GETFL where F_GETFD stands: flags = fcntl({fd}, F_GETFL); fcntl({fd}, F_SETFL, flags | O_NONBLOCK)",
    ),
    "cloexec": _Words(
        "F_SETFL with FD_CLOEXEC, whose bit means O_WRONLY here and is ignored: fd {fd} does not become close-on-exec",
        "set FD_CLOEXEC with fcntl({fd}, F_SETFD, FD_CLOEXEC), or make the descriptor with O_CLOEXEC or SOCK_CLOEXEC",
    ),
    "nonblock": _Words(
        "F_SETFD with O_NONBLOCK: only FD_CLOEXEC means anything here, so O_NONBLOCK is not set",
        "set O_NONBLOCK with F_SETFL: flags = fcntl({fd}, F_GETFL); fcntl({fd}, F_SETFL, flags | O_NONBLOCK)",
    ),
    "getfl": _Words(
        "F_SETFD with status flags: only FD_CLOEXEC means anything here, the rest is ignored",
        "use F_GETFD where F_GETFL stands: fcntl({fd}, F_SETFD, fcntl({fd}, F_GETFD) | FD_CLOEXEC)",
    ),
}


class SetflSetfdConfused(Rule):
    """F_GETFD's value in F_SETFL, F_SETFL with FD_CLOEXEC, F_SETFD with O_NONBLOCK or other status flags."""

    code = "TD302"
    name = "setfl-setfd-confused"
    severity = Severity.WARNING
    summary = "descriptor flags (F_SETFD, FD_CLOEXEC) and status flags (F_SETFL, O_NONBLOCK) are taken for each other"

    @on_call(*CONTROLS)
    def controlled(self, action: Action) -> tuple[Finding] | None:
        """Look at each use of the four commands on one descriptor."""
        descriptor, call = action.descriptor, action.call
        if descriptor is None or call.failed or action.opened:
            return None
        if call.body.endswith(_SOUND) or command_of(call) not in _COMMANDS:
            return None
        what = confusion(action)
        return None if what is None else (self._finding(action, descriptor, what),)

    def _finding(self, action: Action, descriptor: Descriptor, what: str) -> Finding:
        words, number, lost = _WORDS[what], descriptor.number, _lost(action)
        fetched = None if action.change is None else action.change.mistaken
        steps = [*birth(descriptor), step(action.call, words.note.format(fd=number) + _and(lost), primary=True)]
        if what == "getfd" and fetched is not None:
            steps.append(step(fetched, "F_GETFD gives the descriptor flags (FD_CLOEXEC), not the status flags"))
        severity = _severity(what, descriptor, lost)
        return self.finding(
            steps,
            object=describe(descriptor),
            title="descriptor flags and status flags are confused" + _harm(what, severity, lost),
            severity=severity,
            why="FD_CLOEXEC is a flag of the descriptor (F_GETFD, F_SETFD); O_NONBLOCK, O_APPEND and the access mode"
            " are flags of the open file description (F_GETFL, F_SETFL), and F_SETFL ignores the access mode: fcntl(2)",
            fix=words.fix.format(fd=number),
        )


def _lost(action: Action) -> str:
    """Return the flags that were on and that the change has dropped, joined, or ""."""
    change = action.change
    return "" if change is None else "|".join(sorted(change.on - canonical(status_flags(action.call.arg(2)))))


def _and(lost: str) -> str:
    return f"; and {lost} is gone" if lost else ""


def _severity(what: str, descriptor: Descriptor, lost: str) -> Severity:
    if lost:
        return Severity.ERROR
    in_force = {
        "cloexec": descriptor.cloexec is True,
        "nonblock": descriptor.file.flags.has("O_NONBLOCK") is True,
    }
    return Severity.NOTE if in_force.get(what, True) else Severity.WARNING


def _harm(what: str, severity: Severity, lost: str) -> str:
    if lost:
        return f": {lost} is lost"
    if severity is Severity.NOTE:
        return ", without harm here"
    return {"cloexec": ": FD_CLOEXEC is not set", "nonblock": ": O_NONBLOCK is not set"}[what]
