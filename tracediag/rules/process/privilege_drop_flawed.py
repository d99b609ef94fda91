"""TD516: privileges dropped in the wrong order, only in part, or without checking the result."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.steps import no
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Absence, Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.trace.calls import EXECS, SET_GROUPS, SET_SUPPLEMENTARY, SET_USERS
from tracediag.trace.events import Syscall

_UNCHANGED = frozenset({-1, 0xFFFFFFFF})
_WHY_GROUPS = "a change of groups needs CAP_SETGID, which is lost with root's user ID: setgroups(2), capabilities(7)"
_FIX = "call setgroups, then setgid, then setuid, and exit if any of them fails"


class _Drop(msgspec.Struct, eq=False):
    """What a process did to its own credentials."""

    root: bool = False
    """Whether the process is known to have been root when it dropped its group."""
    group: Syscall | None = None
    user: Syscall | None = None
    lowered: Syscall | None = None
    """Only the effective user was changed."""
    failed: Syscall | None = None


class PrivilegeDropFlawed(Rule):
    """A process drops root, but in the wrong order, not for good, not with all groups, or not at all."""

    code = "TD516"
    name = "privilege-drop-flawed"
    severity = Severity.ERROR
    summary = "root privileges are dropped in the wrong order, or without dropping supplementary groups"

    def __init__(self) -> None:
        self._drops: Cases[Process, _Drop] = Cases()

    @on_call(*SET_SUPPLEMENTARY, *SET_GROUPS)
    def grouped(self, action: Action) -> None:
        """Note a change of groups, which needs root."""
        call, drop = action.call, self._drops.setdefault(action.process, _Drop())
        if call.failed:
            # A refused request for root's group proves that it was dropped.
            if call.name in SET_SUPPLEMENTARY or _lowers(call):
                drop.failed = drop.failed or call
        elif call.name not in SET_SUPPLEMENTARY and _lowers(call):
            uids = action.process.uids
            drop.group, drop.root = call, 0 in (uids.real, uids.effective)

    @on_call(*SET_USERS)
    def dropped(self, action: Action) -> None:
        """Note a change of user: for good where the real, effective and saved user all change."""
        call, drop = action.call, self._drops.setdefault(action.process, _Drop())
        if not _lowers(call):
            return
        if call.failed:
            drop.failed = drop.failed or call
        elif _for_good(call):
            drop.user, drop.lowered = call, None
        else:
            drop.lowered = call

    @on_call(*EXECS)
    def executed(self, action: Action) -> Iterator[Finding]:
        """Report a new program started with only the effective user dropped: the real user is inherited."""
        drop = self._drops.get(action.process)
        if drop is None or action.call.failed or drop.lowered is None or drop.user is not None:
            return
        yield self._finding(
            [
                step(drop.lowered, "only the effective user ID changes", primary=True),
                step(action.call, "the new program keeps the old real user ID"),
            ],
            title="only the effective user ID is dropped before execve: the new program can become root again",
            severity=Severity.WARNING,
            confidence=Confidence.LIKELY,
            why="the real and the saved user ID remain, and either of them allows a return to root: credentials(7)",
            fix="change all three user IDs before execve: setresuid(uid, uid, uid)",
        )

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge by the calls after the drop."""
        process, failed_end = end.process, bool(end.process.status)
        drop = self._drops.get(process)
        if drop is None:
            return
        if drop.failed is not None:
            wrong_order = drop.user is not None and drop.failed.line > drop.user.line
            if wrong_order or (drop.failed.name in SET_USERS and not failed_end):
                yield self._refused(drop, drop.failed, end.line, wrong_order=wrong_order, failed_end=failed_end)
            elif drop.failed.errno == "EPERM" and not failed_end and not self.scope.starts and process.parent is None:
                yield self._too_late(drop.failed, end.line)
        elif drop.user is not None and not _had_groups(process) and drop.group is not None:
            yield self._kept(drop, drop.user, process)

    def _refused(self, drop: _Drop, failed: Syscall, end: int, *, wrong_order: bool, failed_end: bool) -> Finding:
        steps = []
        if wrong_order and drop.user is not None:
            steps.append(step(drop.user, "the process is no longer root from here on"))
        note = f"{failed.name} fails: {'too late' if wrong_order else 'the old user stays'}"
        steps.append(step(failed, note, primary=True))
        title = f"{failed.name} fails with {failed.errno} after root was dropped: the process keeps root's groups"
        why = _WHY_GROUPS
        if not wrong_order:
            title = f"{failed.name} fails with {failed.errno}, and the process keeps running with the old privileges"
            why = "setuid can fail even for root, and the process then keeps all privileges: setuid(2)"
        return self._finding(
            steps,
            title=title,
            severity=Severity.WARNING if failed_end else Severity.ERROR,
            absent=() if failed_end else (no("exit of the process", failed, end),),
            why=why,
            fix=_FIX,
        )

    def _too_late(self, failed: Syscall, end: int) -> Finding:
        """Report a change of groups that is refused, where the recording does not show when root was dropped."""
        return self._finding(
            [step(failed, f"{failed.name} fails: the process is not root, and keeps its groups", primary=True)],
            title=f"{failed.name} fails with EPERM and the process carries on: if it was root, it keeps root's groups",
            severity=Severity.WARNING,
            confidence=Confidence.POSSIBLE,
            absent=(no("exit of the process", failed, end),),
            why=_WHY_GROUPS,
            fix=_FIX,
        )

    def _kept(self, drop: _Drop, user: Syscall, process: Process) -> Finding:
        steps: list[Step] = [
            step(user, "the process is no longer root but keeps root's supplementary groups", primary=True)
        ]
        if drop.group is not None:
            steps.append(step(drop.group, "the group ID is dropped"))
        confidence = Confidence.LIKELY if process.execs > 0 or drop.root else Confidence.POSSIBLE
        if 0 in (process.groups.numbers or ()):
            confidence = Confidence.CERTAIN  # getgroups showed root's group among them
        first = min(found.line for found in steps)
        return self._finding(
            steps,
            title=f"root's supplementary groups are kept: setgroups is not called before {user.name}",
            severity=Severity.WARNING,
            confidence=confidence,
            absent=(Absence(text="no setgroups or initgroups", first_line=1, last_line=first),),
            why="setuid and setgid leave the supplementary groups unchanged: setgroups(2), credentials(7)",
            fix="call setgroups(0, NULL) or initgroups(name, gid) before setgid and setuid",
        )

    def _finding(  # the parts of a finding that differ
        self,
        steps: list[Step],
        *,
        title: str,
        severity: Severity,
        why: str,
        fix: str,
        confidence: Confidence = Confidence.CERTAIN,
        absent: tuple[Absence, ...] = (),
    ) -> Finding:
        return self.finding(
            steps,
            object="the credentials of the process",
            title=title,
            severity=severity,
            confidence=confidence,
            absent=absent,
            why=why,
            fix=fix,
        )


def _lowers(call: Syscall) -> bool:
    """Whether the call asks for an ID other than root's in at least one argument."""
    numbers = [call.number(place) for place in range(len(call.args))]
    return any(number is not None and number > 0 and number not in _UNCHANGED for number in numbers)


def _for_good(call: Syscall) -> bool:
    """Whether the real, effective and saved user all change: setuid does that for root."""
    numbers = [call.number(place) for place in range(len(call.args))]
    return all(number is not None and number > 0 and number not in _UNCHANGED for number in numbers)


def _had_groups(process: Process) -> bool:
    """Whether the supplementary groups were set, by the process or an ancestor, or are known to be none."""
    return process.groups.set_by is not None or process.groups.numbers == ()
