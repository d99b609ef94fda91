"""TD302: descriptor flags and status flags are confused."""

from __future__ import annotations

from typing import NamedTuple

from tracediag.evidence.steps import birth
from tracediag.kernel import Action, describe
from tracediag.kernel.calls.control import command_of, status_flags
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.flags import canonical
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call
from tracediag.rules.descriptor._flag_mixups import access_mode, confusion
from tracediag.trace.calls import CONTROLS

_COMMANDS = frozenset({"F_SETFD", "F_SETFL"})
_SOUND = (", F_GETFL", ", F_SETFD, FD_CLOEXEC")
"""Ends of calls that cannot be wrong."""


class _Words(NamedTuple):
    note: str
    fix: str


_WORDS = {
    "getfd": _Words(
        "F_SETFL is passed the result of F_GETFD: its access mode is not the descriptor's",
        "replace F_GETFD by F_GETFL: flags = fcntl({fd}, F_GETFL); fcntl({fd}, F_SETFL, flags | O_NONBLOCK)",
    ),
    "cloexec": _Words(
        "F_SETFL is passed FD_CLOEXEC, which means O_WRONLY here and is ignored: fd {fd} does not become close-on-exec",
        "set FD_CLOEXEC with fcntl({fd}, F_SETFD, FD_CLOEXEC), or create the descriptor with O_CLOEXEC",
    ),
    "nonblock": _Words(
        "F_SETFD is passed O_NONBLOCK, which it ignores: fd {fd} does not become non-blocking",
        "set O_NONBLOCK with F_SETFL: flags = fcntl({fd}, F_GETFL); fcntl({fd}, F_SETFL, flags | O_NONBLOCK)",
    ),
    "getfl": _Words(
        "F_SETFD is passed status flags: it ignores all flags except FD_CLOEXEC",
        "replace F_GETFL by F_GETFD: fcntl({fd}, F_SETFD, fcntl({fd}, F_GETFD) | FD_CLOEXEC)",
    ),
}


class SetflSetfdConfused(Rule):
    """F_SETFL is passed the result of F_GETFD or FD_CLOEXEC, or F_SETFD is passed O_NONBLOCK or other status flags."""

    code = "TD302"
    name = "setfl-setfd-confused"
    severity = Severity.WARNING
    summary = "descriptor flags (F_SETFD, FD_CLOEXEC) and status flags (F_SETFL, O_NONBLOCK) are confused"

    @on_call(*CONTROLS)
    def controlled(self, action: Action) -> tuple[Finding] | None:
        """Check each F_SETFD and F_SETFL."""
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
            steps.append(step(fetched, "F_GETFD returns the descriptor flags (FD_CLOEXEC), not the status flags"))
        severity = _severity(what, descriptor, lost)
        return self.finding(
            steps,
            object=describe.describe(descriptor),
            title=f"descriptor and status flags are confused on {describe.name(descriptor)}"
            + _harm(what, severity, lost),
            severity=severity,
            confidence=_confidence(what, descriptor),
            why="FD_CLOEXEC is a flag of the descriptor (F_GETFD, F_SETFD), O_NONBLOCK and O_APPEND are flags of the"
            " open file description (F_GETFL, F_SETFL); a flag of the wrong kind is ignored without an error: fcntl(2)",
            fix=words.fix.format(fd=number),
        )


def _lost(action: Action) -> str:
    """Return the flags that the change has cleared, joined, or ""."""
    change = action.change
    return "" if change is None else "|".join(sorted(change.on - canonical(status_flags(action.call.arg(2)))))


def _and(lost: str) -> str:
    return f"; {lost} is cleared" if lost else ""


def _severity(what: str, descriptor: Descriptor, lost: str) -> Severity:
    if lost:
        return Severity.ERROR
    in_force = {
        "cloexec": descriptor.cloexec is True,
        "nonblock": descriptor.file.flags.has("O_NONBLOCK") is True,
    }
    return Severity.NOTE if in_force.get(what, True) else Severity.WARNING


def _confidence(what: str, descriptor: Descriptor) -> Confidence:
    """Say how sure it is: that an access mode cannot be meant shows by the call that created the descriptor."""
    if what not in ("getfd", "cloexec") or access_mode(descriptor) is not None:
        return Confidence.CERTAIN
    return Confidence.LIKELY if what == "getfd" else Confidence.POSSIBLE


def _harm(what: str, severity: Severity, lost: str) -> str:
    if lost:
        return f": {lost} is cleared"
    if severity is Severity.NOTE:
        return ", harmless here"
    return {"cloexec": ": FD_CLOEXEC is not set", "nonblock": ": O_NONBLOCK is not set"}[what]
