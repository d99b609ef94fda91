"""TD516: privileges that are given up in the wrong order, not wholly, or without a look at the result."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.steps import no
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Absence, Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.trace.calls import SET_GROUPS, SET_SUPPLEMENTARY, SET_USERS
from tracediag.trace.events import Syscall

_UNCHANGED = frozenset({-1, 0xFFFFFFFF})


class _Drop(msgspec.Struct, eq=False):
    """What one process has done to its own rights."""

    root: bool = False
    """Whether it is known to have been root when it gave up its group."""
    group: Syscall | None = None
    user: Syscall | None = None
    lowered: Syscall | None = None
    """Only the effective user was changed."""
    failed: Syscall | None = None


class PrivilegeDropFlawed(Rule):
    """A process stops being root, but in the wrong order, not for good, not with all its groups, or not at all."""

    code = "TD516"
    name = "privilege-drop-flawed"
    severity = Severity.ERROR
    summary = "root is given up in the wrong order, without the other groups, not for good, or unchecked"

    @on_call(*SET_SUPPLEMENTARY, *SET_GROUPS)
    def grouped(self, action: Action) -> None:
        """The groups are changed; only root may."""
        call, drop = action.call, _of(action.process)
        if call.failed:
            # To ask for root's group back, and to be refused, is the proof that it has been given up.
            if call.name in SET_SUPPLEMENTARY or _lowers(call):
                drop.failed = drop.failed or call
        elif call.name not in SET_SUPPLEMENTARY and _lowers(call):
            uids = action.process.uids
            drop.group, drop.root = call, 0 in (uids.real, uids.effective)

    @on_call(*SET_USERS)
    def dropped(self, action: Action) -> None:
        """The user is changed: for good where all of its forms are."""
        call, drop = action.call, _of(action.process)
        if not _lowers(call):
            return
        if call.failed:
            drop.failed = drop.failed or call
        elif _for_good(call):
            drop.user, drop.lowered = call, None
        else:
            drop.lowered = call

    @on_call("execve")
    def executed(self, action: Action) -> Iterator[Finding]:
        """Another program is started with the effective user lowered only: the real one is passed on."""
        drop: _Drop | None = action.process.memory.get(self.name)
        if drop is None or action.call.failed or drop.lowered is None or drop.user is not None:
            return
        yield self._finding(
            [step(drop.lowered, "only the effective user is changed", primary=True)],
            action.call,
            "another program starts, and its real user is still the old one",
            title="the effective user alone is given up before execve: the program can take it back",
            severity=Severity.WARNING,
            confidence=Confidence.LIKELY,
            fix="change all three, by setresuid(uid, uid, uid), before execve",
        )

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge by what the process did after the drop."""
        process, gave_up = end.process, bool(end.process.status)
        drop: _Drop | None = process.memory.get(self.name)
        if drop is None:
            return
        if drop.failed is not None:
            wrong_order = drop.user is not None and drop.failed.line > drop.user.line
            if wrong_order or (drop.failed.name in SET_USERS and not gave_up):
                yield self._refused(drop, drop.failed, end.line, wrong_order=wrong_order, gave_up=gave_up)
        elif drop.user is not None and not _had_groups(process) and drop.group is not None:
            yield self._kept(drop, drop.user, process)

    def _refused(self, drop: _Drop, failed: Syscall, end: int, *, wrong_order: bool, gave_up: bool) -> Finding:
        steps = []
        if wrong_order and drop.user is not None:
            steps.append(step(drop.user, "the process is no longer root from here on"))
        note = f"{failed.name} is refused: {'too late' if wrong_order else 'the old user stays'}"
        steps.append(step(failed, note, primary=True))
        title = f"{failed.name} fails with {failed.errno} after the user was given up: the old groups stay"
        if not wrong_order:
            title = f"{failed.name} fails with {failed.errno}, and the process goes on with its old rights"
        return self._finding(
            steps,
            title=title,
            severity=Severity.WARNING if gave_up else Severity.ERROR,
            absent=() if gave_up else (no("exit of the process because of that", failed, end),),
            fix="call setgroups, then setgid, then setuid, and end the process if one of them fails",
        )

    def _kept(self, drop: _Drop, user: Syscall, process: Process) -> Finding:
        steps: list[Step] = [step(user, "the process is no longer root, and keeps root's other groups", primary=True)]
        if drop.group is not None:
            steps.append(step(drop.group, "the group is given up"))
        confidence = Confidence.LIKELY if process.execs > 0 or drop.root else Confidence.POSSIBLE
        if 0 in (process.groups.numbers or ()):
            confidence = Confidence.CERTAIN  # getgroups has shown root's group among them
        first = min(found.line for found in steps)
        return self._finding(
            steps,
            title="the other groups of root are kept: setgroups is not called before setuid",
            severity=Severity.WARNING,
            confidence=confidence,
            absent=(Absence(text="no setgroups or initgroups", first_line=1, last_line=first),),
            fix="call setgroups(0, NULL) or initgroups(name, gid) before setgid and setuid",
        )

    def _finding(  # the parts of a finding that differ
        self,
        steps: list[Step],
        after: Syscall | None = None,
        note: str = "",
        *,
        title: str,
        severity: Severity,
        fix: str,
        confidence: Confidence = Confidence.CERTAIN,
        absent: tuple[Absence, ...] = (),
    ) -> Finding:
        if after is not None:
            steps.append(step(after, note))
        return self.finding(
            steps,
            object="the rights of the process",
            title=title,
            severity=severity,
            confidence=confidence,
            absent=absent,
            why="only root may change its groups, so they must go first; and a user that is still the real or"
            " the saved one can be taken back: setuid(2), setgroups(2), credentials(7)",
            fix=fix,
        )


def _of(process: Process) -> _Drop:
    drop: _Drop = process.memory.setdefault(PrivilegeDropFlawed.name, _Drop())
    return drop


def _lowers(call: Syscall) -> bool:
    """Whether the call asks for somebody else than root, at one place at least."""
    numbers = [call.number(place) for place in range(len(call.args))]
    return any(number is not None and number > 0 and number not in _UNCHANGED for number in numbers)


def _for_good(call: Syscall) -> bool:
    """Whether real, effective and saved user are all changed: setuid does that for root."""
    numbers = [call.number(place) for place in range(len(call.args))]
    return all(number is not None and number > 0 and number not in _UNCHANGED for number in numbers)


def _had_groups(process: Process) -> bool:
    """Whether its other groups were set, by itself or by one that it comes from, or are known to be none."""
    return process.groups.set_by is not None or process.groups.numbers == ()
