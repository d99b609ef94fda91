"""TD117: an epoll set that several processes use after a fork."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import lengthened
from tracediag.evidence.scope import Fact
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.epoll import Readiness, Registration
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_trace_end
from tracediag.rules.epoll._sharing import Change, Shared, concerns, find_waiter, hurts, is_misdelivered, is_shared
from tracediag.trace.calls import EPOLL_WAITS, FORKS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.quantities import plural
from tracediag.trace.values import names_of

_MAX_CHANGES = 64
_MAX_LINES = 100
_FOLLOWERS = ("epoll-ctl-misuse", "use-after-close", "stale-epoll-registration")


class EpollSetSharedAfterFork(Rule):
    """Parent and child, or two children, change and wait on the same epoll set."""

    code = "TD117"
    name = "epoll-set-shared-after-fork"
    severity = Severity.ERROR
    summary = "processes share an epoll set after fork: one changes what the other waits for, or gets its events"
    needs = (Fact.PIDS,)
    raised_by = (EPOLL_WAITS, FORKS)

    def __init__(self) -> None:
        self._shared: Cases[OpenFile, Shared] = Cases(_MAX_CHANGES, outlive=True)

    @on_call("epoll_ctl")
    def controlled(self, action: Action) -> None:
        """Note a change by a process that shares the set with another."""
        call, entry = action.call, action.registration
        if call.failed or entry is None or len(action.kernel.processes) < 2:
            return
        holder = action.process.table.get(call.number(0) or -1)
        if holder is None:
            return
        operation = next(iter(names_of(call.arg(1))), "").removeprefix("EPOLL_CTL_")
        maker = entry.added_by
        foreign = _is_older(entry, action.process) if maker is None else maker is not action.process
        if operation == "ADD":
            self._added_again(holder.file, entry)
        elif operation != "DEL" or not foreign:
            return  # EPOLL_CTL_MOD may rearm an EPOLLONESHOT entry as it was
        if not is_shared(holder, action.process):
            return
        shared = self._of(holder.file)
        added = entry.added if operation != "ADD" else None
        if len(shared.changes) < _MAX_CHANGES:
            shared.changes.append(Change(action.process, operation, call, entry, added))

    def _of(self, file: OpenFile) -> Shared:
        found = self._shared.get(file)
        if found is None:
            found = self._shared[file] = Shared()
        return found

    def _added_again(self, file: OpenFile, entry: Registration) -> None:
        """Note that what another process removed was added again."""
        shared = self._shared.get(file)
        for change in shared.changes if shared is not None else ():
            if change.operation == "DEL" and change.entry.file is entry.file:
                change.undone = True

    @on_call(*EPOLL_WAITS)
    def waited(self, action: Action) -> None:
        """Note which process waits after a change by another, and which gets an event of another's descriptor."""
        turn = action.round
        holder = None if turn is None else turn.set_descriptor
        shared = None if holder is None else self._shared.get(holder.file)
        if shared is None or turn is None:
            return
        for change in shared.changes:
            if change.process.current is action.process:
                continue
            if change.waiter is None and concerns(change, action.process, action.call):
                change.waiter, change.other = action.call, action.process
        for report in turn.reports:
            self._delivered(shared, action, report)

    def _delivered(self, shared: Shared, action: Action, report: Readiness) -> None:
        entry, process = report.registration, action.process
        if entry is None or not is_misdelivered(entry, process):
            return
        for change in shared.changes:
            if change.entry is entry and change.operation == "ADD" and change.process.current is not process:
                change.other = process if change.misdelivered is None else change.other
                change.misdelivered = lengthened(change.misdelivered, action.call)

    @on_errno("EBADF")
    @on_errno("ENOENT", "EEXIST", of=("epoll_ctl",))
    def refused(self, action: Action) -> None:
        """Note the calls that fail because another process changed the set."""
        call = action.call
        if not self._shared:
            return
        number = call.number(2 if call.name == "epoll_ctl" else 0)
        for shared in self._shared.values():
            for change in shared.changes:
                concerned = change.entry.number == number and change.process.current is not action.process
                if concerned and len(change.lines) < _MAX_LINES:
                    change.lines.append(call.line)

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        """Report for each set what the sharing led to, the worst kind only."""
        for shared in self._shared.values():
            for change in shared.changes:
                if change.waiter is None:
                    find_waiter(change, kernel)
            misdelivered = [change for change in shared.changes if change.misdelivered is not None]
            hurt = [change for change in shared.changes if hurts(change)]
            yield from (self._misdelivered(change) for change in misdelivered)
            yield from (self._hurt(change) for change in hurt)
            mixed = [change for change in shared.changes if change.operation == "ADD" and change.waiter is not None]
            if mixed and not misdelivered and not hurt:
                yield self._mixed(mixed[0], len(mixed))

    def _misdelivered(self, change: Change) -> Finding:
        number = change.entry.number
        proof = []
        if change.misdelivered is not None:
            note = f"{_name(change.other)} gets the event, but has no such descriptor"
            proof = [change.misdelivered.together(note)]
        made = step(change.call, f"{_name(change.process)} adds fd {number}, a descriptor of its own", primary=True)
        title = (
            f"{_name(change.other)} gets the events of {name(change.entry.descriptor)} of {_name(change.process)}"
            " through a shared epoll set"
        )
        return self._finding(change, [made, *proof], title, Severity.ERROR, Confidence.CERTAIN)

    def _hurt(self, change: Change) -> Finding:
        number = change.entry.number
        steps = [] if change.added is None else [step(change.added, f"the epoll set now watches fd {number}")]
        note = f"{_name(change.process)} removes fd {number} from the set, for all that share it"
        steps.append(step(change.call, note, primary=True))
        if change.waiter is not None:
            steps.append(step(change.waiter, f"{_name(change.other)} waits on, but fd {number} is no longer reported"))
        title = (
            f"{_name(change.process)} removes {name(change.entry.descriptor)} from an epoll set that"
            f" {_name(change.other)} still uses"
        )
        confidence = Confidence.LIKELY if change.added is None else Confidence.CERTAIN
        return self._finding(change, steps, title, Severity.ERROR, confidence)

    def _mixed(self, change: Change, count: int) -> Finding:
        note = f"{_name(change.process)} adds fd {change.entry.number}"
        steps = [
            step(change.call, note if count < 2 else f"{note}, the first of {plural(count, 'entry')}", primary=True)
        ]
        if change.waiter is not None:
            steps.append(step(change.waiter, f"{_name(change.other)} waits on the same set and may get the event"))
        title = (
            f"{_name(change.process)} adds {name(change.entry.descriptor)} to an epoll set on which"
            f" {_name(change.other)} waits"
        )
        return self._finding(change, steps, title, Severity.WARNING, Confidence.LIKELY)

    def _finding(
        self, change: Change, steps: list[Step], title: str, severity: Severity, confidence: Confidence
    ) -> Finding:
        forked = _fork_of(change)
        return self.finding(
            [*([] if forked is None else [forked]), *steps],
            object=describe(change.entry.descriptor),
            title=title,
            severity=severity,
            confidence=confidence,
            why="fork copies the descriptor, not the epoll set: what one process adds, modifies or removes applies to"
            " all of them, and an event may be reported to any of them: fork(2), epoll(7)",
            fix="in the child, close the inherited epoll descriptor, without EPOLL_CTL_DEL, and create a new set with"
            " epoll_create1(EPOLL_CLOEXEC)",
            explains=[(rule, line) for line in change.lines for rule in _FOLLOWERS],
        )


def _name(process: Process | None) -> str:
    return "another process" if process is None or process.pid is None else f"process {process.pid}"


def _is_older(entry: Registration, process: Process) -> bool:
    """Whether an entry of unknown origin is not the process's own: older than the trace, which shows its fork."""
    return entry.descriptor.table is not process.table or (entry.added is None and process.started is not None)


def _fork_of(change: Change) -> Step | None:
    """Return the step of the fork by which the two came to share the set, where the trace shows it."""
    for process in (change.process, change.other):
        if process is not None and isinstance(process.started, Syscall | Begun):
            return step(process.started, f"{_name(process)} inherits the epoll set")
    return None
